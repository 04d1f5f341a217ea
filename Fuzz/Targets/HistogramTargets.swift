// SPDX-License-Identifier: Apache-2.0

import Bytes
import ChunkEncoding
import Model

private let all = TimeRange(start: .min, end: .max)

/// Reads the bytes as a chunk of floats with room for start timestamps. What was read is encoded
/// anew, which must read back to the last bit.
func fuzzXOR2(_ bytes: [UInt8]) {
    var timestamps: [Timestamp] = []
    var values: [Double] = []
    var starts: [Timestamp] = []
    let outcome: Void? = try? decodeFloats(
        bytes.span.bytes, .xor2, within: all, &timestamps, &values, startTimestamps: &starts)
    if outcome == nil {
        precondition(timestamps.isEmpty && values.isEmpty, "an error leaves the columns")
    }
    precondition(timestamps.count == values.count, "columns are of one length")
    precondition(
        starts.isEmpty || starts.count == timestamps.count, "all samples have a start, or none")
    var read: (times: [Timestamp], values: [Double], starts: [Timestamp]) = ([], [], [])
    for chunk in encodeFloats(timestamps, values, startTimestamps: starts, as: .xor2) {
        let before = read.times.count
        var chunkStarts: [Timestamp] = []
        let outcome: Void? = try? decodeFloats(
            chunk.bytes.span.bytes, chunk.encoding, within: all, &read.times, &read.values,
            startTimestamps: &chunkStarts)
        precondition(outcome != nil, "what is encoded can be decoded")
        precondition(read.times.count - before == chunk.sampleCount, "all samples come back")
        let silent = [Timestamp](repeating: 0, count: chunk.sampleCount)
        read.starts += chunkStarts.isEmpty ? silent : chunkStarts
    }
    precondition(read.times == timestamps, "timestamps come back")
    precondition(read.values.map(\.bitPattern) == values.map(\.bitPattern), "values come back")
    precondition(starts.isEmpty || read.starts == starts, "start timestamps come back")
}

/// The first byte chooses one of the encodings of histograms, the others are read as a chunk. Of a
/// chunk as it is written here, what is read is encoded anew, which must read back.
func fuzzHistograms(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    let encodings: [EncodedChunk.Encoding] = [
        .histogram, .floatHistogram, .histogramWithStart, .floatHistogramWithStart,
    ]
    let encoding = encodings[Int(first) % encodings.count]
    let chunk = Array(bytes.dropFirst())
    var timestamps: [Timestamp] = []
    var histograms: [FloatHistogram] = []
    var starts: [Timestamp] = []
    let outcome: Void? = try? decodeHistograms(
        chunk.span.bytes, encoding, within: all, &timestamps, &histograms,
        startTimestamps: &starts)
    guard outcome != nil else {
        precondition(timestamps.isEmpty && histograms.isEmpty, "an error leaves the columns")
        return
    }
    precondition(timestamps.count == histograms.count, "columns are of one length")
    encodeAnew(timestamps, histograms)
}

private func encodeAnew(_ timestamps: [Timestamp], _ histograms: [FloatHistogram]) {
    var appender = FloatHistogramAppender()
    for (timestamp, histogram) in zip(timestamps, histograms).prefix(100) {
        switch appender.append(timestamp, histogram) {
        case .appended, .recoded: continue
        case .startsChunk, .full, .malformed: break
        }
        break
    }
    let chunk = appender.chunk
    var times: [Timestamp] = []
    var read: [FloatHistogram] = []
    var starts: [Timestamp] = []
    let outcome: Void? = try? decodeHistograms(
        chunk.bytes.span.bytes, chunk.encoding, within: all, &times, &read,
        startTimestamps: &starts)
    precondition(outcome != nil, "what is encoded can be decoded")
    precondition(times.count == chunk.sampleCount, "all samples come back")
    precondition(zip(times, timestamps).allSatisfy(==), "timestamps come back")
}
