// SPDX-License-Identifier: Apache-2.0

import Bytes
import Compression
import Testing

@Suite struct ZstandardTests {
    @Test func whatIsPackedUnpacksToTheSame() throws {
        for input in sampleInputs() {
            let small = Zstandard.encode(input.span.bytes)
            let plain = try Zstandard.decode(small.span.bytes, limit: 1 << 24)
            #expect(plain == input, "of \(input.count) bytes")
        }
    }

    @Test func theLimitHolds() {
        let small = Zstandard.encode([UInt8](repeating: 1, count: 1001).span.bytes)
        #expect(throws: CompressionError.tooLarge(limit: 1000)) {
            _ = try Zstandard.decode(small.span.bytes, limit: 1000)
        }
    }

    @Test func damagedBytesNeverTrap() {
        for (index, input) in sampleInputs().enumerated() where input.count < 5000 {
            let small = Zstandard.encode(input.span.bytes)
            for variant in damaged(small, count: 50, seed: UInt64(index + 1)) {
                let plain = try? Zstandard.decode(variant.span.bytes, limit: 1 << 20)
                #expect(plain?.count ?? 0 <= 1 << 20)
            }
        }
    }
}
