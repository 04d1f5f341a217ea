// SPDX-License-Identifier: Apache-2.0

package import Model

/// Upstream's aim for the number of samples in a chunk.
package let targetSampleCount = 120

/// Encodes parallel columns of samples, in time order, as XOR chunks of at most `samplesPerChunk`.
package func encodeXOR(
    _ timestamps: [Timestamp], _ values: [Double], samplesPerChunk: Int = targetSampleCount
) -> [EncodedChunk] {
    encodeFloats(timestamps, values, as: .xor, samplesPerChunk: samplesPerChunk)
}

/// Encodes parallel columns of samples, in time order, as chunks of at most `samplesPerChunk`.
///
/// `startTimestamps` is as long as the others, or empty where there are none; 0 means none. A
/// sample with a start timestamp stands in an XOR2 chunk whatever the encoding: XOR chunks have no
/// room for it. An XOR2 chunk goes on with samples that have none.
package func encodeFloats(
    _ timestamps: [Timestamp], _ values: [Double], startTimestamps: [Timestamp] = [],
    as encoding: FloatEncoding, samplesPerChunk: Int = targetSampleCount
) -> [EncodedChunk] {
    precondition(timestamps.count == values.count, "columns of different length")
    precondition(
        startTimestamps.isEmpty || startTimestamps.count == timestamps.count,
        "columns of different length")
    precondition(samplesPerChunk > 0, "chunks of no samples")
    var chunks: [EncodedChunk] = []
    // Room for the largest chunk: three bytes of head, a first timestamp of up to ten.
    let room = min(
        32 + samplesPerChunk * XORState.maximumXOR2SampleByteCount, XORState.maximumByteCount)
    var memory = [UInt8](repeating: 0, count: room)
    var next = 0
    while next < timestamps.count {
        let first = next
        let end = min(timestamps.count, first + samplesPerChunk)
        let needsXOR2 = encoding == .xor2 || !startTimestamps.isEmpty && startTimestamps[first] != 0
        var state = XORState(needsXOR2 ? .xor2 : .xor)
        unsafe memory.withUnsafeMutableBytes { memory in
            let base = memory.baseAddress!
            if !needsXOR2, startTimestamps.isEmpty {
                while next < end,
                    unsafe state.append(
                        timestamps[next], values[next], to: base, capacity: memory.count)
                {
                    next += 1
                }
            }
            while next < end,
                unsafe append(
                    next, &state, timestamps, values, startTimestamps, base, memory.count)
            {
                next += 1
            }
            unsafe state.seal(base)
        }
        chunks.append(
            EncodedChunk(
                encoding: state.encoding,
                range: TimeRange(start: timestamps[first], end: timestamps[next - 1]),
                sampleCount: next - first, bytes: Array(memory[..<state.byteCount])))
    }
    return chunks
}

/// Appends a sample of the columns; false where it does not go into the chunk.
@inline(__always)
private func append(
    _ index: Int, _ state: inout XORState, _ timestamps: [Timestamp], _ values: [Double],
    _ starts: [Timestamp], _ memory: UnsafeMutableRawPointer, _ capacity: Int
) -> Bool {
    let (timestamp, value) = (timestamps[index], values[index])
    guard state.isXOR2 else {
        if !starts.isEmpty, starts[index] != 0 { return false }
        return unsafe state.append(timestamp, value, to: memory, capacity: capacity)
    }
    if starts.isEmpty {
        return unsafe state.appendXOR2(timestamp, value, to: memory, capacity: capacity)
    }
    return unsafe state.appendXOR2(
        timestamp, value, start: starts[index], last: state.count == 0 ? 0 : starts[index - 1],
        to: memory, capacity: capacity)
}
