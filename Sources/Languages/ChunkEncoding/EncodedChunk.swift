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

        /// How floats are written to make such chunks; nil for histograms.
        package var ofFloats: FloatEncoding? {
            switch self {
            case .xor: .xor
            case .xor2: .xor2
            case .histogram, .floatHistogram, .histogramWithStart, .floatHistogramWithStart: nil
            }
        }

        /// Whether the samples are histograms with room for start timestamps.
        package var holdsHistogramStarts: Bool {
            self == .histogramWithStart || self == .floatHistogramWithStart
        }

        /// The encoding of the same histograms with room for start timestamps.
        var withStarts: Self {
            switch self {
            case .histogram: .histogramWithStart
            case .floatHistogram: .floatHistogramWithStart
            default: self
            }
        }

        /// Whether the count of samples shares its two bytes with the counter-reset header.
        fileprivate var hasNarrowCount: Bool { holdsHistogramStarts }
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
    /// The buckets of the histograms are of an unknown kind.
    case unknownSchema(Int32)
    /// The encoding is a known one, but not of the samples that were asked for.
    case unsupported(EncodedChunk.Encoding)
    /// A part of a dense chunk cannot be read.
    case malformed(String)

    package var description: String {
        switch self {
        case .truncated(let read, let promised):
            "chunk ends after \(read) of \(promised) samples"
        case .malformedWindow(let sample):
            "sample \(sample) of the chunk has more than 64 significant bits"
        case .unsupported(let encoding):
            "chunks of encoding \(encoding.rawValue) (\(encoding)) are not supported here"
        case .unknownSchema(let schema):
            "histogram has an unknown schema, which must be between -9 and 52 for exponential "
                + "buckets, or -53 for custom buckets, got schema \(schema)"
        case .malformed(let part): "cannot read \(part)"
        }
    }
}

/// The number of samples that the head of a chunk promises; every encoding begins with it.
package func promisedSampleCount(_ chunk: RawSpan, _ encoding: EncodedChunk.Encoding) -> Int {
    if chunk.byteCount < 2 { return 0 }
    let count = Int(chunk[0]) << 8 | Int(chunk[1])
    return encoding.hasNarrowCount ? count & 0x3FFF : count
}

/// Whether the head of a chunk says that samples have start timestamps.
package func holdsStartTimestamps(_ chunk: RawSpan, _ encoding: EncodedChunk.Encoding) -> Bool {
    switch encoding {
    case .xor, .histogram, .floatHistogram: false
    case .xor2, .histogramWithStart, .floatHistogramWithStart:
        chunk.byteCount >= 3 && chunk[2] != 0
    }
}

/// Appends the samples of a chunk of floats that lie within the closed `range` to two parallel
/// columns. Samples are taken to be in time order. On an error the columns are as they were.
package func decodeFloats(
    _ chunk: RawSpan, _ encoding: EncodedChunk.Encoding, within range: TimeRange,
    _ timestamps: inout [Timestamp], _ values: inout [Double]
) throws(ChunkError) {
    guard let floats = encoding.ofFloats else { throw .unsupported(encoding) }
    var starts: [Timestamp] = []
    try decodeXOR(
        chunk, floats, within: range, &timestamps, &values, &starts, keepsStarts: false)
}

/// The same with start timestamps as a third column: one a sample, 0 for none, in the encodings
/// that have them, else nothing.
package func decodeFloats(
    _ chunk: RawSpan, _ encoding: EncodedChunk.Encoding, within range: TimeRange,
    _ timestamps: inout [Timestamp], _ values: inout [Double],
    startTimestamps: inout [Timestamp]
) throws(ChunkError) {
    guard let floats = encoding.ofFloats else { throw .unsupported(encoding) }
    try decodeXOR(
        chunk, floats, within: range, &timestamps, &values, &startTimestamps,
        keepsStarts: floats == .xor2)
}
