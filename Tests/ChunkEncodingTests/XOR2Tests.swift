// SPDX-License-Identifier: Apache-2.0

import Bytes
import ChunkEncoding
import Model
import Testing

private let always = TimeRange(start: .earliest, end: .latest)

private struct Decoded {
    var timestamps: [Timestamp] = []
    var values: [Double] = []
    var starts: [Timestamp] = []

    init(_ bytes: [UInt8]) throws {
        try decodeFloats(
            bytes.raw, .xor2, within: always, &timestamps, &values, startTimestamps: &starts)
    }
}

/// A chunk of which the head and the first two samples stand: 1000 at time 0, and 15 s later the
/// same.
private func begin(_ count: UInt8, starts: UInt8 = 0) -> BitWriter {
    var writer = BitWriter([0, count, starts])
    writer.put(0, 8)
    writer.put(1000.0)
    if starts & 0x80 != 0 { writer.put(20, 8) }  // varint 10: 10 ms before the sample
    writer.put(0x98, 8)  // uvarint 15,000
    writer.put(0x75, 8)
    writer.put(0, 1)
    return writer
}

@Test("Each control field of XOR2 does what it says")
func controls() throws {
    var exact = begin(7)
    exact.put(0, 1)
    exact.put(0b11111, 5)  // stale
    exact.put(0b110, 3)  // 13 bits: 5 ms less
    exact.put(UInt64(bitPattern: -5), 13)
    exact.put(0, 1)
    exact.put(0b1110, 4)  // 20 bits: 100 s more
    exact.put(100_000, 20)
    exact.put(0b111, 3)  // stale
    exact.put(0b11110, 5)  // 64 bits: back to 15 s
    exact.put(UInt64(bitPattern: -99_995), 64)
    exact.put(0b110, 3)  // a new window over all bits
    exact.put(0, 11)
    exact.put((1000.0).bitPattern ^ (-2.5).bitPattern, 64)
    let decoded = try Decoded(exact.bytes)
    #expect(
        decoded.timestamps == [0, 15_000, 30_000, 45_000, 59_995, 174_990, 189_990])
    #expect(
        decoded.values.map(\.bitPattern)
            == [1000, 1000, 1000, StaleMarker.value, 1000, StaleMarker.value, -2.5].map(
                \.bitPattern))
    #expect(decoded.starts.allSatisfy { $0 == 0 })
}

@Test("A window is kept and used again where value and time are joined")
func joinedWindow() throws {
    let change = (1000.0).bitPattern ^ (2000.0).bitPattern
    let leading = UInt64(change.leadingZeroBitCount)
    let length = 64 - leading - UInt64(change.trailingZeroBitCount)
    var writer = begin(5)
    writer.put(0b101, 3)
    writer.put(leading, 5)
    writer.put(length, 6)
    writer.put(change &>> UInt64(change.trailingZeroBitCount), Int(length))
    writer.put(0b100, 3)
    writer.put(change &>> UInt64(change.trailingZeroBitCount), Int(length))
    writer.put(0, 1)
    #expect(try Decoded(writer.bytes).values == [1000, 1000, 2000, 1000, 1000])
}

@Test("Start timestamps: the first, a change, and changes of the difference")
func startTimestamps() throws {
    var writer = begin(5, starts: 0x80 | 3)
    writer.put(0, 1)
    writer.put(0, 1)
    writer.putVarbit(signed: 25_000)  // the sample before is at 30,000
    writer.put(0, 1)
    writer.putVarbit(signed: 15_000)  // the start stays: 45,000 - 40,000
    let decoded = try Decoded(writer.bytes)
    #expect(decoded.timestamps == [0, 15_000, 30_000, 45_000, 60_000])
    #expect(decoded.starts == [-10, -10, -10, 5000, 5000])
}

@Test("Histograms carry start timestamps, with the header above the count")
func histogramStarts() throws {
    var histogram = IntegerHistogram()
    histogram.count = 3
    histogram.zeroCount = 3
    histogram.counterResetHint = .gauge
    var appender = IntegerHistogramAppender()
    #expect(appender.append(1000, histogram) == .appended)
    var bytes = appender.chunk.bytes
    bytes[0] = 0b1100_0000
    bytes[2] = 0
    let decoded = try DecodedHistograms(bytes, .histogramWithStart)
    #expect(decoded.timestamps == [1000])
    #expect(decoded.histograms[0].counterResetHint == .gauge)
    #expect(decoded.starts == [0])
    #expect(promisedSampleCount(bytes.raw, .histogramWithStart) == 1)
}

@Test("A window beyond 64 bits and a chunk that ends early are errors")
func damagedXOR2() {
    var window = begin(3)
    window.put(0b101, 3)
    window.put(0b11111_111111, 11)
    window.put(0, 64)
    #expect(throws: ChunkError.malformedWindow(sample: 2)) { try Decoded(window.bytes) }
    #expect(throws: ChunkError.truncated(samplesRead: 9, samplesPromised: 60)) {
        try Decoded(begin(60).bytes)
    }
}
