// SPDX-License-Identifier: Apache-2.0

import Bytes
import Compression
import Testing

@Suite struct SnappyTests {
    private func unpacked(_ packed: [UInt8], limit: Int = 1 << 24) throws -> [UInt8] {
        try Snappy.decode(packed.span.bytes, limit: limit)
    }

    private func packed(_ plain: [UInt8]) -> [UInt8] { Snappy.encode(plain.span.bytes) }

    @Test func whatIsPackedUnpacksToTheSame() throws {
        var room: [UInt8] = []
        for input in sampleInputs() {
            let small = packed(input)
            #expect(small.count <= 32 + input.count + input.count / 6)
            let plain = try unpacked(small)
            #expect(plain == input, "of \(input.count) bytes")
            let count = try Snappy.decode(small.span.bytes, into: &room, limit: 1 << 24)
            #expect(room[..<count].elementsEqual(input))
        }
    }

    /// Rows of a key of two varints, of which the second has so many bytes, and a value that often
    /// comes again, or begins or ends like another. Three bytes stand in front of them.
    private func rows(_ count: Int, keyLength: Int, seed: UInt64) -> [UInt8] {
        var random = SeededGenerator(seed: seed)
        var bytes: [UInt8] = [7, 7, 7]
        for row in 0..<count {
            var rest = row
            while rest >= 0x80 {
                bytes.append(UInt8(truncatingIfNeeded: rest) | 0x80)
                rest >>= 7
            }
            bytes.append(UInt8(rest))
            for _ in 1..<keyLength { bytes.append(0x81) }
            bytes.append(1)
            let value: UInt64 =
                switch random.next() % 5 {
                case 0: 0
                case 1: random.next() % 8 * 0x0101_0000_0000_0000
                case 2: random.next() << 40
                case 3: 0x1122_3344_0000_0000 | random.next() >> 32
                default: random.next()
                }
            for place in 0..<8 {
                bytes.append(UInt8(truncatingIfNeeded: value >> UInt64(56 - 8 * place)))
            }
        }
        return bytes
    }

    private func packedRows(_ bytes: [UInt8], from start: Int) -> [UInt8] {
        var room: [UInt8] = []
        let count = Snappy.encode(bytes.span.bytes, rowsFrom: start, into: &room)
        return Array(room[..<count])
    }

    @Test(arguments: [1, 2, 50, 1000, 30_000], [1, 2, 4])
    func rowsUnpackToTheSame(_ count: Int, _ keyLength: Int) throws {
        let bytes = rows(count, keyLength: keyLength, seed: UInt64(count + keyLength))
        let small = packedRows(bytes, from: 3)
        let plain = try unpacked(small)
        #expect(plain == bytes)
        // Of keys only two bytes are looked at.
        if count >= 1000, keyLength < 3 { #expect(small.count < packed(bytes).count * 108 / 100) }
    }

    /// Rows that are cut off, or taken from a wrong place, cost room only.
    @Test func whatIsNoRowUnpacksToTheSame() throws {
        let bytes = rows(50, keyLength: 1, seed: 1)
        for end in 0...bytes.count {
            let part = Array(bytes[..<end])
            for start in [0, 3, 9, end, end + 1] {
                let plain = try unpacked(packedRows(part, from: start))
                #expect(plain == part)
            }
        }
        let endless = [UInt8](repeating: 0xFF, count: 500)
        let plain = try unpacked(packedRows(endless, from: 0))
        #expect(plain == endless)
    }

    @Test func rowsThatAreNothingAlikeTakeTheirBytesAndTags() throws {
        var random = SeededGenerator(seed: 5)
        let bytes = (0..<200_000).map { _ in UInt8(truncatingIfNeeded: random.next()) }
        let small = packedRows(bytes, from: 0)
        #expect(small.count < bytes.count + 100)
        let plain = try unpacked(small)
        #expect(plain == bytes)
    }

    @Test func repetitiveBytesShrink() {
        let text = Array(
            String(repeating: "http_requests_total{code=\"200\"} 1\n", count: 1000).utf8)
        #expect(packed(text).count < text.count / 15)
    }

    /// Packed bytes written by hand after the format's description.
    @Test(
        arguments: [
            ([0], ""),
            ([3, 8, 97, 98, 99], "abc"),
            // A literal, then a copy of eight bytes from one back.
            ([9, 0, 97, 17, 1], "aaaaaaaaa"),
            // The same by an offset of two and of four bytes.
            ([9, 0, 97, 30, 1, 0], "aaaaaaaaa"),
            ([9, 0, 97, 31, 1, 0, 0, 0], "aaaaaaaaa"),
            // The length of a literal in one byte of its own.
            ([3, 240, 2, 97, 98, 99], "abc"),
        ] as [([UInt8], String)])
    func elementsAreReadAsDescribed(_ bytes: [UInt8], _ text: String) throws {
        let plain = try unpacked(bytes)
        #expect(String(decoding: plain, as: UTF8.self) == text)
    }

    @Test(
        arguments: [
            [], [128], [255, 255, 255, 255, 255, 1], [1], [3, 8, 97, 98], [2, 8, 97, 98, 99],
            [4, 8, 97, 98, 99], [9, 0, 97, 17, 0], [9, 0, 97, 17, 2], [9, 0, 97, 30, 1],
            [9, 0, 97, 31, 1, 0, 0], [3, 240], [3, 252, 255, 255, 255, 255], [0, 0],
        ] as [[UInt8]])
    func whatIsNotWellFormedIsRefused(_ bytes: [UInt8]) {
        #expect(throws: CompressionError.corrupt("snappy: corrupt input")) {
            _ = try unpacked(bytes)
        }
    }

    @Test func aDeclaredLengthAboveTheLimitIsRefusedUnread() {
        let small = packed(Array(repeating: 1, count: 1001))
        #expect(throws: CompressionError.tooLarge(limit: 1000)) {
            _ = try unpacked(small, limit: 1000)
        }
        #expect(throws: CompressionError.tooLarge(limit: 1000)) {
            _ = try unpacked([0xFF, 0xFF, 0xFF, 0xFF, 0x0F], limit: 1000)
        }
    }

    @Test func damagedBytesNeverTrap() {
        for (index, input) in sampleInputs().enumerated() where input.count < 5000 {
            for variant in damaged(packed(input), count: 100, seed: UInt64(index + 1)) {
                let plain = try? unpacked(variant, limit: 1 << 20)
                #expect(plain?.count ?? 0 <= 1 << 20)
            }
        }
    }
}
