// SPDX-License-Identifier: Apache-2.0

/// What is over the limits. Every entry may shrink or go; none may grow, and none is added.
enum Allowances {
    /// Files over 500 lines: tables, and what waits to be split.
    static let fileLines: [String: Int] = [:]

    /// Functions over 70 lines, as `file name`.
    static let functionLines: [String: Int] = [:]

    /// What tests may not do and some still do, as `file call`: they wait for another process.
    static let testHabits: Set<String> = [
        "Tests/PromQLSyntaxTests/ParsingTests.swift @testable",
        "Tests/PromQLSyntaxTests/RobustnessTests.swift @testable",
        "Tests/PromQLSyntaxTests/RobustnessTests.swift Thread.sleep",
        "Tests/ScrapeClientTests/AnswerTests.swift usleep(",
        "Tests/ScrapeClientTests/ConnectionTests.swift usleep(",
        "Tests/TSDBTests/Head/PrometheusTests.swift usleep(",
    ]

    /// Files above Ground with unsafe code: the aim is ten.
    static let unsafeFiles: Set<String> = [
        "Sources/Carriers/Compression/Gzip.swift",
        "Sources/Carriers/Compression/GzipFault.swift",
        "Sources/Carriers/Compression/GzipStream.swift",
        "Sources/Carriers/Compression/Snappy+Packing.swift",
        "Sources/Carriers/Compression/Snappy+Rows.swift",
        "Sources/Carriers/Compression/Snappy+Unpacking.swift",
        "Sources/Carriers/Compression/Snappy.swift",
        "Sources/Carriers/Compression/Zstandard.swift",
        "Sources/Carriers/Protobuf/ProtobufReader.swift",
        "Sources/Carriers/YAML/YAMLParser.swift",
        "Sources/Carriers/YAML/YAMLWriter.swift",
        "Sources/Engines/PromQL/Aggregations/Accumulators.swift",
        "Sources/Engines/PromQL/Columns/LabelNameSet.swift",
        "Sources/Engines/PromQL/Columns/Row+Fill.swift",
        "Sources/Engines/PromQL/Columns/WindowIndex.swift",
        "Sources/Engines/PromQL/Evaluation/NumberText.swift",
        "Sources/Engines/PromQL/Functions/FloatFunctions.swift",
        "Sources/Engines/PromQL/Matching/BinaryKernels.swift",
        "Sources/Engines/PromQL/Operators/InstantSelect.swift",
        "Sources/Engines/PromQL/Ranges/ColumnSource.swift",
        "Sources/Engines/PromQL/Ranges/ExtrapolatedRate.swift",
        "Sources/Engines/PromQL/Ranges/FloatRanges.swift",
        "Sources/Engines/PromQL/Ranges/WindowKernels.swift",
        "Sources/Engines/TSDB/Head/ChunkSource.swift",
        "Sources/Engines/TSDB/Head/HeadStore+Commit.swift",
        "Sources/Engines/TSDB/Head/Replay.swift",
        "Sources/Engines/TSDB/Head/SampleStore.swift",
        "Sources/Engines/TSDB/Head/SeriesState.swift",
        "Sources/Engines/TSDB/HeadLabels/LabelIndex.swift",
        "Sources/Engines/TSDB/HeadLabels/LabelPairs.swift",
        "Sources/Engines/TSDB/HeadLabels/LabelReader.swift",
        "Sources/Engines/TSDB/Index/IndexReader+Labels.swift",
        "Sources/Engines/TSDB/Index/Numbering.swift",
        "Sources/Engines/TSDB/Index/PostingList.swift",
        "Sources/Engines/TSDB/Memory/ChunkPieces.swift",
        "Sources/Engines/TSDB/Memory/Column.swift",
        "Sources/Engines/TSDB/Memory/WordArena.swift",
        "Sources/Engines/TSDB/WAL/WALReader.swift",
        "Sources/Engines/TSDB/WAL/WALRecord.swift",
        "Sources/Engines/TSDB/WAL/WALWriter.swift",
        "Sources/Languages/ChunkEncoding/BitReader.swift",
        "Sources/Languages/ChunkEncoding/Dense/DenseFrameReader.swift",
        "Sources/Languages/ChunkEncoding/XOR2Decoder.swift",
        "Sources/Languages/ChunkEncoding/XORChunks.swift",
        "Sources/Languages/ChunkEncoding/XORDecoder.swift",
        "Sources/Languages/ChunkEncoding/XORState+XOR2.swift",
        "Sources/Languages/ChunkEncoding/XORState.swift",
        "Sources/Languages/Exposition/Layout/FastLane.swift",
        "Sources/Languages/Exposition/Layout/ScanTrace.swift",
        "Sources/Languages/Exposition/Reader/ExpositionReader+Labels.swift",
        "Sources/Languages/Exposition/Reader/ExpositionReader+StartTimestamp.swift",
        "Sources/Languages/Exposition/Reader/ExpositionReader.swift",
        "Sources/Languages/Exposition/Reader/Lexer.swift",
        "Sources/Languages/RemoteProtocol/LabelFingerprint.swift",
        "Sources/Languages/RemoteProtocol/WriteRequest+Labels.swift",
        "Sources/Model/Model/Labels.swift",
        "Sources/Model/Model/Matcher.swift",
        "Sources/Model/Model/QuotedBytes.swift",
        "Sources/Services/Scraping/Targets/Target.swift",
        "Sources/Transport/ScrapeClient/Response/ResponseBuffer.swift",
        "Sources/Transport/ScrapeClient/ScrapeLoop+Exchange.swift",
    ]
}
