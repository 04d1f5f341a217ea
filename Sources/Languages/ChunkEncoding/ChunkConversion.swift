// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model

extension EncodedChunk {
    /// The same samples as one chunk or several, in order, whose floats are encoded as `floats`
    /// says; the chunk itself where it is so already.
    ///
    /// With `.xor` nothing is left that a Prometheus before 3.11 cannot read: histograms are
    /// encoded without room for start timestamps, too, and start timestamps are left out. With
    /// `.xor2` all that the chunk holds is kept, and histograms stay as they are.
    package func encoded(_ floats: FloatEncoding) throws(ChunkError) -> [EncodedChunk] {
        switch (encoding, floats) {
        case (.xor, .xor2), (.xor2, .xor):
            var timestamps: [Timestamp] = []
            var values: [Double] = []
            let always = TimeRange(start: .min, end: .max)
            try decodeFloats(bytes.raw, encoding, within: always, &timestamps, &values)
            return encodeFloats(
                timestamps, values, as: floats, samplesPerChunk: Int(UInt16.max))
        case (.histogramWithStart, .xor):
            return [try IntegerHistogramAppender.withoutStarts(bytes.raw)]
        case (.floatHistogramWithStart, .xor):
            return [try FloatHistogramAppender.withoutStarts(bytes.raw)]
        case (.xor, .xor), (.xor2, .xor2), (.histogram, _), (.floatHistogram, _),
            (.histogramWithStart, .xor2), (.floatHistogramWithStart, .xor2):
            return [self]
        }
    }

    /// Whether `encoded` would give the chunk itself.
    package func isEncoded(_ floats: FloatEncoding) -> Bool {
        switch floats {
        case .xor: encoding != .xor2 && !encoding.holdsHistogramStarts
        case .xor2: encoding != .xor
        }
    }
}
