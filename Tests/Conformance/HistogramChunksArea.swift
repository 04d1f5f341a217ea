// SPDX-License-Identifier: Apache-2.0

#if canImport(TSDB)

    import Bytes
    import ChunkEncoding
    import Foundation
    import Model
    import Platform
    import Storage
    import TSDB

    /// `tsdb/`: the histograms of real servers' chunks, taken out and appended again, give the same
    /// bytes.
    struct HistogramChunksArea: Area {
        let name = "tsdb"

        func run(_ folder: URL) throws -> [FileReport] {
            let root = folder.appendingPathComponent(name)
            return try FileManager.default.contentsOfDirectory(atPath: root.path).sorted().map {
                try report(
                    root.appendingPathComponent($0).appendingPathComponent("data"),
                    FileReport(name: "\(name)/\($0)/histogram_chunks"))
            }.filter { $0.total > 0 }
        }

        private func report(_ data: URL, _ report: FileReport) throws -> FileReport {
            var report = report
            let names = try FileManager.default.contentsOfDirectory(atPath: data.path).sorted()
            for name in names where name.count == 26 {
                let block = try Block(data.appendingPathComponent(name).path, LocalFileSystem())
                try BlockMerge([block], isExact: true).forEachSeries {
                    labels, chunks throws(StorageError) in
                    for chunk in chunks where !chunk.encoding.holdsFloats {
                        report.record("\(name) \(labels) \(chunk.range)", difference(chunk))
                    }
                }
            }
            return report
        }

        private func difference(_ chunk: EncodedChunk) -> String? {
            do {
                let again =
                    chunk.encoding == .histogram
                    ? try appended(chunk, IntegerHistogramState.self)
                    : try appended(chunk, FloatHistogramState.self)
                return again == chunk ? nil : "other bytes"
            } catch {
                return "\(error)"
            }
        }

        private func appended<State: HistogramState>(
            _ chunk: EncodedChunk, _ state: State.Type
        ) throws -> EncodedChunk {
            var decoder = HistogramDecoder<State>(chunk.bytes.raw, hasStarts: false)
            var appender = HistogramAppender<State>(decoder.header)
            let header = decoder.header
            while try decoder.next() {
                _ = appender.append(decoder.timestamp, decoder.histogram)
            }
            appender.header = header
            return appender.chunk
        }
    }

#endif
