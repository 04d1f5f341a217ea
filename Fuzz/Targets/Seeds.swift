// SPDX-License-Identifier: Apache-2.0

import Bytes
import ChunkEncoding
import Glibc
import Model
import Platform

@testable import TSDB

/// What a target begins with: small inputs that use much of their format.
func fuzzSeeds(_ target: String) -> [[UInt8]] {
    (textSeeds[target]?.map { Array($0.utf8) } ?? []) + binarySeeds(target)
}

private let exposition = """
    # HELP a_total text \\ with "quotes"
    # TYPE a_total counter
    a_total{x="1",y="\\"\\n"} 1e3 1700000000000
    # TYPE h histogram
    h_bucket{le="+Inf"} 5 # {id="7"} 0.5 1.5
    # UNIT s_seconds seconds
    {"utf.8",l="µ"} NaN
    g -0.25
    g_created 12.5

    """

private let textSeeds: [String: [String]] = [
    "exposition": ["a" + exposition, "c" + exposition + "# EOF\n"],
    "layout": [exposition, "a 1\nb{c=\"d\"} 2\n", "a 1 5\nb 2\nb 3"],
    "promql": [
        "sum by (a, \"b.c\") (rate(foo{x=~\"a|b\", y!=\"\"}[5m] offset -1h)) / on (a) group_left bar",
        "topk(5, up) or {\"a.b\", c=`d`} @ 1.5 unless -1 ^ 2 > bool 3 # comment",
        "max_over_time((a + b)[step() * 2:min_of(1m, range())] @ end() offset (5m - 3))",
        "a smoothed + fill_left(-1) fill_right(0x1F) b </ 3 >/ 0.5e-3",
        "my{a=\"b\"} 1 2+3x4 _x2 stale {{schema:1 sum:-0.3 buckets:[1 2 3]}}+{{n_buckets:[4]}}x3",
    ],
    "evaluation": [
        "sum by (job) (rate(requests_total{instance=~\"a|b\"}[5m] offset -1m)) / on (job) gauge",
        "histogram_quantile(0.9, native) or topk(2, {job=\"api\"}) unless -1 ^ 2 > bool 3",
        "max_over_time((seconds_bucket + 1)[5m:17s] @ 900) * ignoring (le) group_left () gauge",
        "info(requests_total) + fill_left (0) rate(native[5m] smoothed) </ 3",
        "quantile_over_time(scalar(gauge), native[90s]) == bool (time() % 7 atan2 NaN)",
        "label_replace(count_values(\"v\", round(gauge, 0.25)), \"a\", \"$1\", \"v\", \"(.*)\")",
    ],
    "yaml": [
        "a: [1, 'two', \"\\x41\"]\nb: &x {c: !!str 3, ? d : ~}\n<<: *x\ne: |\n  text\n  more\n",
        "- 0x1F\n- .inf\n- 2001-01-01\n- >-\n   folded\n\n   text\n--- \n...\n",
    ],
    "json": ["{\"a\": [1, -2.5e-3, true, null, \"\\u00b5\\ud83d\\ude00\\n\"], \"b\": {}}"],
    "response": [
        "\u{40}HTTP/1.1 200 OK\r\nContent-Length: 4\r\nContent-Type: text/plain\r\n\r\na 1\n",
        "\u{20}HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n4\r\na 1\n\r\n0\r\n\r\n",
        "\u{10}HTTP/1.0 503 Gone\r\nConnection: close\r\n\r\ntext",
    ],
    "snappy": ["abcabcabcabcabcabc"],
]

private func binarySeeds(_ target: String) -> [[UInt8]] {
    switch target {
    case "xor": xorSeeds
    case "wal": [record(of: labels)] + [samplesRecord] + histogramRecords
    case "xor2": xorSeeds
    case "dense": denseSeeds
    case "histograms": histogramSeeds
    case "tombstones": [[1, 0, 20, 1, 40, 60, 2, 0, 2]]
    case "head-chunks": [headChunks]
    case "snapshot": snapshotSeeds
    case "index": [indexFile(.written), indexFile(.dense)].compactMap(\.self)
    default: []
    }
}

private let labels = [
    Labels([LabelName.metric: "a", "l": "x"]), Labels([LabelName.metric: "a", "l": "y"]),
    Labels([LabelName.metric: "b", "m": "x"]),
]

private var xorSeeds: [[UInt8]] {
    var times: [Timestamp] = (0..<20).map { $0 * 15_000 }
    times[7] += 3
    for late in 13..<20 { times[late] += 1 << 40 }
    let floats: [Double] = (0..<20).map { $0 < 5 ? 1 : Double($0) / 7 }
    return encodeXOR(times, floats, samplesPerChunk: 10).map(\.bytes)
}

private func record(of labels: [Labels]) -> [UInt8] {
    var record = SeriesRecord()
    for (ref, labels) in labels.enumerated() {
        record.append(UInt64(ref), labels.packed.span.bytes)
    }
    return record.writer.bytes
}

private var samplesRecord: [UInt8] {
    var record = SamplesRecord()
    for ref in 0..<5 as Range<UInt64> { record.append(ref, Timestamp(ref) * 1000, ref) }
    return copied(record.bytes)
}

private var histograms: [FloatHistogram] {
    (1...5).map { step in
        var histogram = FloatHistogram()
        histogram.schema = 1
        histogram.zeroThreshold = 0.001
        histogram.positiveSpans = [
            BucketSpan(offset: 0, length: 2), BucketSpan(offset: 1, length: UInt32(step)),
        ]
        histogram.positiveBuckets = Array(repeating: Double(step), count: 2 + step)
        histogram.count = Double((2 + step) * step)
        histogram.sum = 1.5 * Double(step)
        return histogram
    }
}

private var histogramSeeds: [[UInt8]] {
    var appender = FloatHistogramAppender()
    for (step, histogram) in histograms.enumerated() {
        _ = appender.append(Timestamp(step) * 15_000, histogram)
    }
    return (0..<4 as Range<UInt8>).map { [$0] + appender.chunk.bytes }
}

/// One record of each kind.
private var histogramRecords: [[UInt8]] {
    var records = HistogramRecords()
    for step in 0..<6 as Range<Int64> {
        var histogram = IntegerHistogram()
        histogram.schema = step % 2 == 0 ? 1 : FloatHistogram.customBucketsSchema
        histogram.positiveSpans = [
            BucketSpan(offset: 0, length: 2), BucketSpan(offset: 1, length: 1),
        ]
        histogram.positiveDeltas = [step, 1, -1]
        histogram.count = UInt64(3 * step + 1)
        if step % 2 == 1 { histogram.customBounds = [1, 2, 3] }
        records.append(1, step * 1000, .integer(histogram))
        records.append(2, step * 1000, .float(histogram.floating))
    }
    var result: [[UInt8]] = []
    records.forEachRecord { result.append(copied($0)) }
    return result
}

private var headChunks: [UInt8] {
    var writer = ByteWriter()
    for chunk in xorSeeds {
        writer.uint64BE(7)
        writer.uint64BE(0)
        writer.uint64BE(1 << 50)
        writer.uint8(1)
        writer.uvarint(UInt64(chunk.count))
        writer.append(chunk)
        writer.uint32BE(0)
    }
    return writer.bytes
}

private func indexFile(_ layout: IndexLayout) -> [UInt8]? {
    let path = "/dev/shm/narthex-fuzz-seed-\(getpid())"
    defer { unlink(path) }
    do {
        var writer = try IndexWriter(
            path, layout, TimeRange(start: 0, end: 25), LocalFileSystem())
        for labels in labels {
            let ranges = [TimeRange(start: 0, end: 9), TimeRange(start: 10, end: 20)]
            try writer.add(labels, ranges.map { IndexedChunk(ref: 8, range: $0) })
        }
        try writer.finish()
        let mapped = try MappedFile(path)
        return copied(mapped.bytes)
    } catch {
        print("no seed: \(error)")
        return nil
    }
}

private func copied(_ bytes: borrowing RawSpan) -> [UInt8] {
    (0..<bytes.byteCount).map { bytes[$0] }
}
