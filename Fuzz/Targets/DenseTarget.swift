// SPDX-License-Identifier: Apache-2.0

import Bytes
import ChunkEncoding
import Model

/// Reads the bytes as a dense chunk and, from the place that the first byte says, as a record of
/// times; and encodes them as samples, which must come back bit by bit.
func fuzzDense(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let split = min(bytes.count, Int(first) + 1)
    let chunk = Array(bytes[1..<max(1, split)])
    let record = Array(bytes[split...])
    var (timestamps, values): ([Timestamp], [Double]) = ([0], [0])
    let ranges = [
        TimeRange(start: .min, end: .max), TimeRange(start: 100_000, end: 10_000_000),
        TimeRange(start: 0, end: 0),
    ]
    for range in ranges {
        let before = timestamps.count
        do {
            try DenseDecoder(chunk.span.bytes).decode(
                from: 5, record: record.span.bytes, within: range, &timestamps, &values)
        } catch {
            precondition(timestamps.count == before, "an error leaves the columns")
        }
        precondition(timestamps.count == values.count, "columns are of one length")
        precondition(timestamps.count <= before + DenseChunk.capacity, "a chunk is bounded")
    }
    denseRoundTrip(bytes)
}

private func denseRoundTrip(_ bytes: [UInt8]) {
    var reader = ByteReader(bytes.span.bytes)
    var timestamps: [Timestamp] = []
    var values: [Double] = []
    var time: Timestamp = 0
    while let step = try? reader.uvarint(), let bits = try? reader.uvarint() {
        // Small numbers become integers, larger ones bits.
        time &+= Int64(bitPattern: step >> 1 | 1)
        if let last = timestamps.last, time <= last { break }
        timestamps.append(time)
        values.append(
            bits < 1 << 20 ? Double(Int64(bits) - 1 << 10) / 100 : Double(bitPattern: bits))
    }
    guard let start = timestamps.first else { return }
    var encoder = DenseEncoder()
    let step = DenseEncoder.step(of: timestamps)
    let record = step == nil ? encoder.times(timestamps) : []
    let chunk = encoder.chunk(values, step.map { .step($0) } ?? .apart(distance: 1))
    var (times, floats): ([Timestamp], [Double]) = ([], [])
    let all = TimeRange(start: .min, end: .max)
    let outcome: Void? = try? DenseDecoder(chunk.span.bytes).decode(
        from: start, record: record.span.bytes, within: all, &times, &floats)
    precondition(outcome != nil, "what is encoded can be decoded")
    precondition(times == timestamps, "timestamps come back")
    precondition(floats.map(\.bitPattern) == values.map(\.bitPattern), "values come back")
}

/// Chunks of several kinds, with and without times of their own.
var denseSeeds: [[UInt8]] {
    let columns: [[Double]] = [
        (0..<600).map { Double($0 * $0) }, (0..<600).map { Double($0 % 7) / 100 },
        (0..<500).map { $0 % 50 == 49 ? .nan : Double($0 / 40) },
        (0..<600).map { Double($0 / 8 * 7919 % 1000) },
        (0..<20).map { 1 / Double($0 + 3) }, Array(repeating: 1.5, count: 30),
    ]
    return columns.enumerated().map { number, values in
        var times = values.indices.map { Timestamp($0) * 15_000 }
        if number % 2 == 1 {
            times[times.count / 2] += 3
        }
        var encoder = DenseEncoder()
        let step = DenseEncoder.step(of: times)
        let record = step == nil ? encoder.times(times) : []
        let chunk = encoder.chunk(values, step.map { .step($0) } ?? .apart(distance: 1))
        return [UInt8(clamping: chunk.count)] + chunk + record
    }
}
