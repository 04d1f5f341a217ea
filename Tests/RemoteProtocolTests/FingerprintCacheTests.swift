// SPDX-License-Identifier: Apache-2.0

import Bytes
import RemoteProtocol
import Testing

@Suite struct FingerprintCacheTests {
    private let key = FingerprintKey()

    private func fingerprint(_ number: Int) -> LabelFingerprint {
        let bytes = Array("series \(number)".utf8)
        return key.fingerprint(bytes.span.bytes)
    }

    @Test func whatWasPutInIsFound() {
        var cache = FingerprintCache(limit: 100_000)
        for number in 0..<20_000 { cache.insert(fingerprint(number), UInt64(number)) }
        var wrong = 0
        for number in 0..<20_000 where cache.find(fingerprint(number)) != UInt64(number) {
            wrong += 1
        }
        #expect(wrong == 0)
        let unknown = cache.find(fingerprint(-1))
        #expect(unknown == nil)
        cache.insert(fingerprint(7), 99)
        let replaced = cache.find(fingerprint(7))
        #expect(replaced == 99)
        #expect(cache.count == 20_000)
    }

    @Test func itStaysBelowItsLimitAndKeepsWhatIsUsed() {
        var cache = FingerprintCache(limit: 1000)
        for number in 0..<50_000 {
            cache.insert(fingerprint(number), UInt64(number))
            let first = cache.find(fingerprint(0))
            guard first == 0, cache.count <= 1000 else {
                Issue.record("lost, or too many: \(cache.count) after \(number)")
                return
            }
        }
        let (last, old) = (cache.find(fingerprint(49_999)), cache.find(fingerprint(100)))
        #expect(last == 49_999 && old == nil)
    }

    @Test func whatIsNotAskedForIsForgottenWithTime() {
        var cache = FingerprintCache(limit: 100_000)
        for number in 0..<1000 { cache.insert(fingerprint(number), UInt64(number)) }
        for _ in 0..<5 {
            cache.age()
            for number in 0..<10 {
                let found = cache.find(fingerprint(number))
                #expect(found == UInt64(number))
            }
        }
        #expect(cache.count == 20)
        let gone = cache.find(fingerprint(500))
        #expect(gone == nil)
    }
}
