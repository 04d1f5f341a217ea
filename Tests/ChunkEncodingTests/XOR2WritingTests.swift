// SPDX-License-Identifier: Apache-2.0

import Bytes
import ChunkEncoding
import Model
import Testing

private let always = TimeRange(start: .earliest, end: .latest)

/// Samples as columns.
private struct Columns: Equatable {
    var timestamps: [Timestamp] = []
    var bits: [UInt64] = []
    var starts: [Timestamp] = []

    init() {}

    init(_ bytes: [UInt8], _ encoding: EncodedChunk.Encoding = .xor2) throws {
        var values: [Double] = []
        try decodeFloats(
            bytes.raw, encoding, within: always, &timestamps, &values, startTimestamps: &starts)
        bits = values.map(\.bitPattern)
        if starts.isEmpty { starts = [Timestamp](repeating: 0, count: bits.count) }
    }

    mutating func append(_ timestamp: Timestamp, _ value: Double, start: Timestamp) {
        timestamps.append(timestamp)
        bits.append(value.bitPattern)
        starts.append(start)
    }

    mutating func append(contentsOf other: Columns) {
        timestamps += other.timestamps
        bits += other.bits
        starts += other.starts
    }

    var values: [Double] { bits.map { Double(bitPattern: $0) } }

    /// FNV-1a of all words, little-endian, sample after sample.
    var hash: UInt64 {
        var hash: UInt64 = 0xCBF2_9CE4_8422_2325
        for index in timestamps.indices {
            let words = [timestamps[index], Timestamp(bitPattern: bits[index]), starts[index]]
            for word in words {
                for byte in 0..<8 {
                    hash ^= UInt64(bitPattern: word >> (8 * Int64(byte))) & 0xFF
                    hash &*= 0x100_0000_01B3
                }
            }
        }
        return hash
    }
}

/// Chunks as the appender of Prometheus 3.14 made them, and the hash of their samples.
private let goldens: [(content: String, count: Int, hash: UInt64, hex: String)] = [
    (
        "steady steps without start timestamps", 40, 0xD5C0_3609_F71B_7488,
        "00280080989ff2ee664084f800000000009875cf17b0f1b070b5c37f0581c360f1d81c161f0581d611fb"
            + "01e06c0380b07e02c0381b01e1ec0380b03e02c0383b01e06c0380b1fe0280"
    ),
    (
        "irregular steps, stale markers, other NaNs", 48, 0xFF7B_5162_AA55_BCE9,
        "00300080989ff2ee663ff80000000000009855fc02006dffd7e84bfff5c0eb42fc00000000006d67d1fd"
            + "ffffffffff92983151d000be46948c0f29c035b7d752738fae9aeff22ca2db1e9adbeba939c7d74d7100"
            + "0200000000000722ca47eba6b88001000000000003000f07f800000000000000341ded96782444e906fe"
            + "45945c0026c13c12227483787ae9ae3e7ffc0050000000000001a003ff1000000000000000f4002005da"
            + "4e0c4f4480de0100080176938313d1203ffe000000000036b3e8feffffffffffc93c1890000000000000"
            + "00791a5220004000000000000eb96b89001000000000000b8040023ff0000000000002e45948fd74d77f"
            + "7ff59fff00010000000000006800c000c000000000001e000000000036b3e8feffffffffffc95c17fa00"
            + "3e1ffa00000000000140000000000000001fc0000000000000001880000000000000053247fb36a73ac0"
            + "7480"
    ),
    (
        "a stale marker first, and times around zero", 5, 0xDDFC_FB0E_1A46_4AEE,
        "0005008f4e7ff00000000000028727c136003f00"
    ),
    (
        "one start timestamp that stays", 20, 0x6778_83E2_BD83_CB27,
        "00148080989ff2ee66000000000000000080f0b2529875c22bffa12fffd603ab0bad0758171aa13eb81d"
            + "685c6b03f0c70d589f5e0eb82e20"
    ),
    (
        "start timestamps that change", 24, 0x6C4F_06A3_4908_C5F7,
        "00188180989ff2ee660000000000000000d00f9875c22bfffbd508a12ffffc1d4c5603f83a98ab0bf83a"
            + "98ad07f075315817f075311f83a98a13600ff075311ff9f4cbb13ff9f075310005f07531000df0753100"
            + "03f075310007f075310003f07531200ff075311ff9f4cbb13ff9f075310005f07531000dfc000336ee4f"
            + "ea210003f075310007f075310003f07530"
    ),
    (
        "start timestamps that come, jump and go", 48, 0xEDD8_4490_8A08_08C9,
        "00300680989ff2ee663ff00000000000009875c12fffcfffc84c8f3ffebd9b97f8f093b04c801ff9be39"
            + "424a1d36698ec3db28007fd9071af6d78b1801a000fc1d4ac801fe00019b772da222e7edd7ffdfffcc91"
            + "1948365d56a2b4007e041437f6ae8a5ffdf805bb093ffbf800066ddcd8cdfb85b92e001f83a95ee91b57"
            + "cd471be0ea63919dee001ff6e35625d49371683eb9885a003f0128842400fc1d4c7fe0ea63ff07531c80"
            + "65cff91ca9da2b6c95eb3ebfcd27e021ee1c001f83a95e78ddc7c1d4f7439125001f80f90e2f83a98900"
            + "1f07531ca0c5ef83a95eaf9d18007fe4b436d4a16bf7a4a400fc1d4abe0ea62400ffb697918901993c10"
            + "3f800066ddc8d7d3b9cdb31fdfffcc911486fd7d19268fc077164e4bc8da007e0ea638acd6e800fc04f7"
            + "25e89018bffbf800066ddd8eb4b5f075313fffe0ea62400ff7fff3244696c86f0e4d4be0ea6383a54a80"
            + "0fc020441ed4d05ff805db21ce7b27000fc1d4c76a2845ffffb7370a80"
    ),
    (
        "no start timestamps, beyond 127 samples", 134, 0x8759_45C1_FC28_5FCA,
        "00867f80989ff2ee663ff0000000000000987500000000000000000000000000000001fc000336ee8179"
            + "a0f83a987c1d4c3e0ea61f07530f83a987c1d4c0"
    ),
    (
        "a start timestamp behind the 127th sample", 134, 0x9D1C_F7BD_367A_E282,
        "00867f80989ff2ee663ff0000000000000987500000000000000000000000000000001fc000336ee8179"
            + "a0f83a987c1d4c3fbfff99222fa4dbc0"
    ),
    (
        "a start timestamp for each sample", 40, 0xF02D_B4AA_0F23_7F07,
        "00288180989ff2ee660000000000000000aeea019875c22bffbd097ffd20023ff4ffe90011ffa7ff4800"
            + "8ffd3ffa40047fe9ffd20023ff4ffe90011ffa7ff48008ffd3ffa40047fe9ffd20023ff4ffe90011ffa7"
            + "ff48008ffd3ffa40047fe9ffd20000"
    ),
]

@Test("XOR2 chunks of Prometheus decode to their samples and encode to the same bytes")
func chunksOfPrometheusRoundTripInXOR2() throws {
    for golden in goldens {
        let chunk = golden.hex.chunked
        let columns = try Columns(chunk)
        #expect(columns.timestamps.count == golden.count, "\(golden.content)")
        #expect(columns.hash == golden.hash, "\(golden.content)")
        let encoded = encodeFloats(
            columns.timestamps, columns.values, startTimestamps: columns.starts, as: .xor2,
            samplesPerChunk: 200)
        #expect(encoded.map(\.bytes) == [chunk], "\(golden.content)")
        #expect(encoded.map(\.encoding) == [.xor2])
    }
}

extension String {
    fileprivate var chunked: [UInt8] {
        let digits = Array(utf8)
        func digit(_ at: Int) -> UInt8 { digits[at] < 58 ? digits[at] - 48 : digits[at] - 87 }
        return stride(from: 0, to: digits.count, by: 2).map { digit($0) << 4 | digit($0 + 1) }
    }
}

/// Samples whose steps, values and start timestamps reach every branch of the format.
private func history(_ random: inout SplitMix, count: Int, hasStarts: Bool) -> Columns {
    var columns = Columns()
    var timestamp = Timestamp(random.next() % 4_000_000_000_000) - 1_000_000_000_000
    var value = Double(random.next() % 1000)
    var start: Timestamp = 0
    let style = random.next() % 5
    for _ in 0..<count {
        if hasStarts {
            switch random.next() % 9 {
            case 0: start = timestamp - Timestamp(random.next() % 100)
            case 1: start = timestamp - Timestamp(random.next() % 1_000_000_000)
            case 2: start = Timestamp(truncatingIfNeeded: random.next())
            case 3: start = 0
            default: break
            }
        }
        columns.append(timestamp, value, start: start)
        switch random.next() % 9 {
        case 0: timestamp += 1
        case 1: timestamp += 15_000 + Timestamp(random.next() % 8_192) - 4096
        case 2: timestamp += 15_000 + Timestamp(random.next() % 1_048_576)
        case 3: timestamp += Timestamp(random.next() % 4_000_000_000)
        default: timestamp += 15_000
        }
        switch style {
        case 0: value += 1
        case 1: value = Double(bitPattern: random.next())
        case 2: value = random.next() % 3 == 0 ? StaleMarker.value : 1.1 * value
        case 3: value = Double(bitPattern: 0x7FF0_0000_0000_0001 + random.next() % 3)
        default: break
        }
    }
    return columns
}

@Test("Random columns survive XOR2", arguments: [false, true])
func randomColumns(hasStarts: Bool) throws {
    var random = SplitMix(state: hasStarts ? 5 : 6)
    for round in 0..<200 {
        let columns = history(&random, count: 1 + round, hasStarts: hasStarts)
        let chunks = encodeFloats(
            columns.timestamps, columns.values,
            startTimestamps: hasStarts ? columns.starts : [], as: .xor2,
            samplesPerChunk: 1 + Int(random.next() % 250))
        var decoded = Columns()
        for chunk in chunks {
            let part = try Columns(chunk.bytes, chunk.encoding)
            #expect(part.timestamps.count == chunk.sampleCount)
            #expect(part.timestamps.first == chunk.range.start)
            #expect(part.timestamps.last == chunk.range.end)
            decoded.append(contentsOf: part)
        }
        #expect(decoded == columns)
    }
}

@Test("A sample with a start timestamp makes an XOR2 chunk whatever is wanted")
func startsNeedXOR2() throws {
    let timestamps: [Timestamp] = [0, 10, 20, 30, 40]
    let chunks = encodeFloats(
        timestamps, [1, 2, 3, 4, 5], startTimestamps: [0, 0, 15, 15, 0], as: .xor)
    #expect(chunks.map(\.encoding) == [.xor, .xor2])
    #expect(chunks.map(\.sampleCount) == [2, 3])
    #expect(try Columns(chunks[1].bytes).starts == [15, 15, 0])
}

@Test("Where no start timestamps are kept, nothing is said of them in any sample")
func noStartsAtAll() throws {
    let timestamps = (0..<200).map { Timestamp($0) * 15_000 }
    let values = [Double](repeating: 1, count: 200)
    let chunks = encodeFloats(timestamps, values, as: .xor2, samplesPerChunk: 200)
    #expect(chunks.map(\.bytes.count) == [3 + 1 + 8 + 2 + (1 + 198 + 7) / 8])
    let bytes = chunks[0].bytes
    let saysOfStarts = holdsStartTimestamps(bytes.raw, .xor2)
    #expect(!saysOfStarts)
    #expect(try Columns(bytes).timestamps == timestamps)
}
