// SPDX-License-Identifier: Apache-2.0
//
// A sender writes the labels of a series with the same bytes every time. 128 bits of a hash with a
// secret key stand for those bytes: two series of a million meet with a probability of 10⁻²⁷, and
// nobody who does not know the key can make them meet. So the cache needs not keep the bytes.
//
// The hash multiplies pairs of words, each mixed with a part of the key and what came before, to
// 128 bits and folds them, in two lanes with different keys.

/// Stands for the bytes of a series' labels in a request.
package struct LabelFingerprint: Sendable, Hashable {
    package let low: UInt64
    package let high: UInt64
}

/// The secret of a process' fingerprints.
package struct FingerprintKey: Sendable {
    private let secrets: (UInt64, UInt64, UInt64, UInt64)

    package init() {
        var random = SystemRandomNumberGenerator()
        self.init(using: &random)
    }

    package init(using random: inout some RandomNumberGenerator) {
        secrets = (random.next(), random.next(), random.next(), random.next())
    }

    @inline(__always)
    private func folded(_ left: UInt64, _ right: UInt64) -> UInt64 {
        let product = left.multipliedFullWidth(by: right)
        return product.high ^ product.low
    }

    package func fingerprint(_ bytes: RawSpan) -> LabelFingerprint {
        let count = bytes.byteCount
        var low = secrets.1 ^ UInt64(count)
        var high = secrets.3 &+ UInt64(count)
        var at = 0
        while count - at >= 16 {
            let first = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: at, as: UInt64.self)
            let second = unsafe bytes.unsafeLoadUnaligned(
                fromUncheckedByteOffset: at + 8, as: UInt64.self)
            low = folded(first ^ secrets.0, second ^ low)
            high = folded(first ^ secrets.2, second ^ high)
            at += 16
        }
        let (first, second) = count < 16 ? tail(bytes, at) : lastWords(bytes)
        low = folded(first ^ secrets.0, second ^ low)
        high = folded(first ^ secrets.2, second ^ high)
        return LabelFingerprint(
            low: folded(low ^ secrets.2, secrets.1), high: folded(high ^ secrets.0, secrets.3))
    }

    /// The last 16 bytes; some of them may have been mixed in before.
    private func lastWords(_ bytes: RawSpan) -> (UInt64, UInt64) {
        let at = bytes.byteCount - 16
        return unsafe (
            bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at, as: UInt64.self),
            bytes.unsafeLoadUnaligned(fromUncheckedByteOffset: at + 8, as: UInt64.self)
        )
    }

    /// The last bytes, fewer than 16, as two words filled up with zeros; the count, which is mixed
    /// in at the beginning, tells zeros from nothing.
    private func tail(_ bytes: RawSpan, _ start: Int) -> (UInt64, UInt64) {
        var words: (UInt64, UInt64) = (0, 0)
        var shift: UInt64 = 0
        for index in start..<bytes.byteCount {
            let byte = unsafe bytes.unsafeLoad(fromUncheckedByteOffset: index, as: UInt8.self)
            if shift < 64 {
                words.0 |= UInt64(byte) << shift
            } else {
                words.1 |= UInt64(byte) << (shift - 64)
            }
            shift += 8
        }
        return words
    }
}
