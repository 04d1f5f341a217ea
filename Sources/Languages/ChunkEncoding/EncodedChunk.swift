// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Model

/// Consecutive samples of one series in encoded form, as chunk files hold them.
package struct EncodedChunk: Sendable, Hashable {
    /// How the bytes are to be read. The raw values are those of the files.
    package enum Encoding: UInt8, Sendable, Hashable, CaseIterable {
        case xor = 1
        case histogram = 2
        case floatHistogram = 3
        /// Floats with a joint encoding of time and value, and room for start timestamps.
        case xor2 = 4
        case histogramWithStart = 5
        case floatHistogramWithStart = 6

        /// Whether the samples are floats.
        package var holdsFloats: Bool { self == .xor || self == .xor2 }
    }

    package var encoding: Encoding
    /// The times of the first and the last sample: closed at both ends.
    package var range: TimeRange
    package var sampleCount: Int
    package var bytes: [UInt8]

    package init(encoding: Encoding, range: TimeRange, sampleCount: Int, bytes: [UInt8]) {
        self.encoding = encoding
        self.range = range
        self.sampleCount = sampleCount
        self.bytes = bytes
    }
}

/// Why a chunk could not be decoded.
package enum ChunkError: Error, Sendable, Hashable, CustomStringConvertible {
    /// The bytes end before the promised number of samples was read.
    case truncated(samplesRead: Int, samplesPromised: Int)
    /// The window of significant bits reaches beyond the 64 bits of a value.
    case malformedWindow(sample: Int)
    /// The encoding is a known one that is not read yet.
    case unsupported(EncodedChunk.Encoding)

    package var description: String {
        switch self {
        case .truncated(let read, let promised):
            "chunk ends after \(read) of \(promised) samples"
        case .malformedWindow(let sample):
            "sample \(sample) of the chunk has more than 64 significant bits"
        case .unsupported(let encoding):
            "chunks of encoding \(encoding.rawValue) (\(encoding)) are not supported yet"
        }
    }
}

/// The number of samples that the head of a chunk promises; every encoding begins with it.
package func promisedSampleCount(_ chunk: RawSpan) -> Int {
    chunk.byteCount < 2 ? 0 : Int(chunk[0]) << 8 | Int(chunk[1])
}

/// Appends the samples of a chunk of floats that lie within the closed `range` to two parallel
/// columns. Samples are taken to be in time order. On an error the columns are as they were.
package func decodeFloats(
    _ chunk: RawSpan, _ encoding: EncodedChunk.Encoding, within range: TimeRange,
    _ timestamps: inout [Timestamp], _ values: inout [Double]
) throws(ChunkError) {
    guard encoding == .xor else { throw .unsupported(encoding) }
    try decodeXOR(chunk, within: range, &timestamps, &values)
}
