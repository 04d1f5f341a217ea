// SPDX-License-Identifier: Apache-2.0

import Bytes
import Compression
import Testing

@Suite struct GzipTests {
    private func unpacked(_ packed: [UInt8], limit: Int = 1 << 24) throws -> [UInt8] {
        var room: [UInt8] = []
        let count = try GzipDecoder().decode(gzip: packed.span.bytes, into: &room, limit: limit)
        return Array(room[..<count])
    }

    private func packed(_ plain: [UInt8], level: Int = 6) -> [UInt8] {
        GzipEncoder(level: level).encode(plain.span.bytes)
    }

    private func streamed(_ plain: [UInt8], pieces: Int) -> [UInt8] {
        let stream = GzipStream(level: 1)
        var output: [UInt8] = []
        for start in stride(from: 0, to: plain.count, by: pieces) {
            stream.write(
                plain[start..<min(plain.count, start + pieces)].span.bytes, to: &output)
            if start % 7 == 0 { stream.flush(to: &output) }
        }
        stream.finish(to: &output)
        return output
    }

    @Test(arguments: [1, 6]) func whatIsPackedUnpacksToTheSame(_ level: Int) throws {
        for input in sampleInputs() {
            let plain = try unpacked(packed(input, level: level))
            #expect(plain == input, "of \(input.count) bytes")
        }
    }

    @Test(arguments: [100, 5000, 1 << 20]) func aStreamIsOneMember(_ pieces: Int) throws {
        for input in sampleInputs() where input.count < 100_000 {
            let plain = try unpacked(streamed(input, pieces: pieces))
            #expect(plain == input, "of \(input.count) bytes")
        }
    }

    @Test func membersFollowEachOther() throws {
        let plain = try unpacked(packed([1, 2, 3]) + packed([]) + packed([4]))
        #expect(plain == [1, 2, 3, 4])
    }

    @Test func theLimitHoldsToTheByte() throws {
        let small = packed(Array(repeating: 65, count: 10_000))
        let plain = try unpacked(small, limit: 10_000)
        #expect(plain.count == 10_000)
        for limit in [0, 1, 9_999] {
            #expect(throws: CompressionError.tooLarge(limit: limit)) {
                _ = try unpacked(small, limit: limit)
            }
        }
    }

    @Test func aSmallBodyThatUnpacksToALargeOneStopsAtTheLimit() {
        let bomb = packed(Array(repeating: 0, count: 50_000_000))
        #expect(throws: CompressionError.tooLarge(limit: 100_000)) {
            _ = try unpacked(bomb, limit: 100_000)
        }
    }

    @Test(
        arguments: [
            ([], "EOF"), ([0x1F], "unexpected EOF"),
            (Array(repeating: 65, count: 100), "gzip: invalid header"),
        ] as [([UInt8], String)])
    func whatIsNotGzipIsRefused(_ bytes: [UInt8], _ message: String) {
        #expect(throws: CompressionError.corrupt(message)) { _ = try unpacked(bytes) }
    }

    /// What is done to a sound member, and what is then said of it.
    @Test(
        arguments: [
            ("cut", "unexpected EOF"), ("checksum", "gzip: invalid checksum"),
            ("length", "gzip: invalid checksum"), ("body", "flate: corrupt input before offset"),
            ("flags", "gzip: invalid header"),
        ])
    func damageIsNamed(_ damage: String, _ message: String) {
        var bytes = packed(Array(repeating: 65, count: 5000) + (0..<250).map { UInt8($0) })
        switch damage {
        case "cut": bytes.removeLast(9)
        case "checksum": bytes[bytes.count - 8] ^= 1
        case "length": bytes[bytes.count - 4] ^= 1
        case "flags": bytes[3] = 0xE0
        // A block of the type that does not exist.
        default: bytes[10] |= 6
        }
        var found = ""
        do { _ = try unpacked(bytes) } catch { found = "\(error)" }
        #expect(found.hasPrefix(message), "\(found)")
    }

    @Test func damagedBytesNeverTrap() {
        for (index, input) in sampleInputs().enumerated() where input.count < 5000 {
            for variant in damaged(packed(input), count: 50, seed: UInt64(index + 1)) {
                let plain = try? unpacked(variant, limit: 1 << 20)
                #expect(plain?.count ?? 0 <= 1 << 20)
            }
        }
    }

    @Test func zlibStreamsAreRead() throws {
        // "hello" as zlib packs it.
        let packed: [UInt8] = [
            0x78, 0x9C, 0xCB, 0x48, 0xCD, 0xC9, 0xC9, 0x07, 0x00, 0x06, 0x2C, 0x02, 0x15,
        ]
        var room: [UInt8] = []
        let count = try GzipDecoder().decode(zlib: packed.span.bytes, into: &room, limit: 100)
        #expect(String(decoding: room[..<count], as: UTF8.self) == "hello")
    }
}
