// SPDX-License-Identifier: Apache-2.0

package import Model

/// Upstream's aim for the number of samples in a chunk.
package let targetSampleCount = 120

/// Encodes parallel columns of samples, in time order, as XOR chunks of at most `samplesPerChunk`.
package func encodeXOR(
    _ timestamps: [Timestamp], _ values: [Double], samplesPerChunk: Int = targetSampleCount
) -> [EncodedChunk] {
    precondition(timestamps.count == values.count, "columns of different length")
    precondition(samplesPerChunk > 0, "chunks of no samples")
    var chunks: [EncodedChunk] = []
    // Room for the largest chunk: two bytes of count, a first timestamp of up to ten.
    let room = min(
        16 + samplesPerChunk * XORState.maximumSampleByteCount, XORState.maximumByteCount)
    var memory = [UInt8](repeating: 0, count: room)
    var next = 0
    while next < timestamps.count {
        let first = next
        var state = XORState()
        unsafe memory.withUnsafeMutableBytes { memory in
            let base = memory.baseAddress!
            while next < timestamps.count, next - first < samplesPerChunk,
                unsafe state.append(
                    timestamps[next], values[next], to: base, capacity: memory.count)
            {
                next += 1
            }
            unsafe state.seal(base)
        }
        chunks.append(
            EncodedChunk(
                encoding: .xor,
                range: TimeRange(start: timestamps[first], end: timestamps[next - 1]),
                sampleCount: next - first, bytes: Array(memory[..<state.byteCount])))
    }
    return chunks
}
