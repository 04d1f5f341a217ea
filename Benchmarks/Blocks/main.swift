// SPDX-License-Identifier: Apache-2.0
//
// What the floats of blocks cost in each encoding: bytes, and CPU time to write and to read.
//
//     NARTHEX_ONLY=BlockBenchmark,TSDB swift build -c release --product BlockBenchmark
//     .build/release/BlockBenchmark <block> …
//
// The blocks are read as one. Each series is encoded as XOR and XOR2 chunks of 120 samples and as
// dense chunks; the decoded samples must be the same to the bit.

import Bytes
import ChunkEncoding
import Glibc
import Model
import Platform
import Storage
import TSDB

func seconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
    return Double(time.tv_sec) + Double(time.tv_nsec) * 1e-9
}

struct Total {
    var bytes = 0
    var encoding = 0.0
    var decoding = 0.0
    var last = 0.0

    func line(_ name: String, _ samples: Int) -> String {
        func per(_ value: Double) -> String { String(Int(value / Double(samples) * 1e4)) }
        return "\(name): \(per(Double(bytes))) / 10^4 B, encoding \(per(encoding * 1e9)), "
            + "decoding \(per(decoding * 1e9)), last samples \(per(last * 1e9)) / 10^4 ns a sample"
    }
}

/// Encodes a series and decodes it again.
@MainActor func measure(
    _ total: inout Total, _ encoding: FloatEncoding, _ times: [Timestamp], _ values: [Double]
) -> [EncodedChunk] {
    var began = seconds()
    let chunks = encodeFloats(times, values, as: encoding)
    total.encoding += seconds() - began
    total.bytes += chunks.reduce(0) { $0 + $1.bytes.count }
    decodedTimes.removeAll(keepingCapacity: true)
    decodedValues.removeAll(keepingCapacity: true)
    began = seconds()
    for chunk in chunks {
        try? decodeFloats(
            chunk.bytes.raw, chunk.encoding, within: always, &decodedTimes, &decodedValues)
    }
    total.decoding += seconds() - began
    guard decodedTimes == times,
        decodedValues.map(\.bitPattern) == values.map(\.bitPattern)
    else { fatalError("a series came back changed from \(encoding)") }
    return chunks
}

let always = TimeRange(start: .earliest, end: .latest)
/// How many series are read; all where the environment does not say.
let limit = getenv("SERIES").flatMap { unsafe Int(String(cString: $0)) }
let blocks = try CommandLine.arguments.dropFirst().map { try Block($0, LocalFileSystem()) }
var xor = Total()
var xor2 = Total()
var dense = Total()
var samples = 0
var series = 0
var encoder = DenseEncoder()
var decodedTimes: [Timestamp] = []
var decodedValues: [Double] = []
try BlockMerge(blocks).forEachSeries { (_, chunks) throws(StorageError) in
    var times: [Timestamp] = []
    var values: [Double] = []
    for chunk in chunks where chunk.encoding.holdsFloats {
        do {
            try decodeFloats(chunk.bytes.raw, chunk.encoding, within: always, &times, &values)
        } catch {
            throw StorageError(.damaged, "\(error)")
        }
    }
    guard let start = times.first, let end = times.last else { return }
    if let limit, series >= limit { return }
    series += 1
    samples += times.count
    let xorChunks = measure(&xor, .xor, times, values)
    _ = measure(&xor2, .xor2, times, values)
    var began = seconds()
    let step = DenseEncoder.step(of: times)
    let record = step == nil ? encoder.times(times) : []
    let place = step.map { DenseTimes.step($0) } ?? .apart(distance: 0)
    let chunk = encoder.chunk(values, place)
    dense.encoding += seconds() - began
    dense.bytes += chunk.count + record.count
    decodedTimes.removeAll(keepingCapacity: true)
    decodedValues.removeAll(keepingCapacity: true)
    began = seconds()
    try? DenseDecoder(chunk.raw).decode(
        from: start, record: record.raw, within: always, &decodedTimes, &decodedValues)
    dense.decoding += seconds() - began
    guard decodedTimes == times,
        decodedValues.map(\.bitPattern) == values.map(\.bitPattern)
    else { fatalError("series \(series) came back changed") }

    // What an instant query at a random time reads.
    let middle = times[(samples * 7919) % times.count]
    let window = TimeRange(start: max(start, middle - 300_000), end: min(end, middle))
    decodedTimes.removeAll(keepingCapacity: true)
    decodedValues.removeAll(keepingCapacity: true)
    began = seconds()
    for chunk in xorChunks
    where chunk.range.start <= window.end && window.start <= chunk.range.end {
        try? decodeFloats(chunk.bytes.raw, .xor, within: window, &decodedTimes, &decodedValues)
    }
    xor.last += seconds() - began
    let expected = decodedValues.map(\.bitPattern)
    decodedTimes.removeAll(keepingCapacity: true)
    decodedValues.removeAll(keepingCapacity: true)
    began = seconds()
    try? DenseDecoder(chunk.raw).decode(
        from: start, record: record.raw, within: window, &decodedTimes, &decodedValues)
    dense.last += seconds() - began
    guard decodedValues.map(\.bitPattern) == expected else {
        fatalError("series \(series) came back changed in a window")
    }
}
print("\(series) series, \(samples) samples")
print(xor.line("xor", samples))
print(xor2.line("xor2", samples))
print(dense.line("dense", samples))
