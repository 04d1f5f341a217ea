// SPDX-License-Identifier: Apache-2.0
//
// A column of integers in dense form: frames of up to 480 values, each of which can be decoded
// without the ones before it.
//
//     frame: form, base, centre, [slope], [usual], [low bits…, length], payload
//
//     form    1 byte: bits 0-1 coding, bits 2-3 order, bit 4 set where no residual is negative
//     base    varint: the first value, less the base of the frame before (of order 0: the centre)
//     centre  varint: what is taken from every difference; not in order 0, whose base it is
//     slope   varint: the first difference; order 2 only
//     usual   uvarint: the length that most runs have; coding 3 only
//
// The order says what is coded: the values, their differences, or the differences of those, less
// the centre. A frame of m values so has m, m - 1 or m - 2 residuals; those that may be negative
// are folded (0, -1, 1, -2 …). Codings:
//
//     0  all residuals are zero; there is nothing behind the head
//     1  Rice codes:                      low bits (1 byte), length (uvarint), payload
//     2  runs of zeros and what ends them: low bits of the runs, of the values, length, payload
//     3  the same, where most runs have the usual length, whose code is that of 0; the codes of
//        shorter runs are those of one more
//
// A Rice code with b low bits is the upper part as so many zero bits and a one, then the low bits;
// an upper part of 24 or more is 24 zero bits and the whole number in 64. A run is a code of its
// length, then one of the value behind it less one; the run that reaches the end has no value.
// Bits fill bytes from the highest. All arithmetic wraps, so any 64-bit integers are held.
//
// The predictors and codes are those of lossless audio (Robinson, "SHORTEN", 1994).

internal import Bytes

enum DenseFrame {
    /// Two hours at fifteen seconds.
    static let capacity = 480
    /// The upper part of a Rice code from which on the number stands as a whole.
    static let escape = 24
    static let maximumLowBits: UInt8 = 63

    enum Coding: UInt8 {
        case zeros = 0
        case rice = 1
        case runs = 2
        case usualRuns = 3
    }

    /// The number that stands for a run; the usual one is 0 in coding 2, which changes nothing.
    @inline(__always)
    static func code(ofRun run: UInt64, usual: UInt64) -> UInt64 {
        run == usual ? 0 : run < usual ? run &+ 1 : run
    }

    /// The inverse of `code(ofRun:usual:)`.
    @inline(__always)
    static func run(ofCode code: UInt64, usual: UInt64) -> UInt64 {
        code == 0 ? usual : code <= usual ? code &- 1 : code
    }

    @inline(__always)
    static func folded(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value &<< 1) ^ (value &>> 63))
    }

    @inline(__always)
    static func unfolded(_ value: UInt64) -> Int64 {
        Int64(bitPattern: value &>> 1) ^ (0 &- Int64(bitPattern: value & 1))
    }
}

/// The head of a frame, and where its payload stands.
struct DenseFrameHead {
    var coding = DenseFrame.Coding.zeros
    var order = 0
    var isUnsigned = false
    var base: Int64 = 0
    var centre: Int64 = 0
    var slope: Int64 = 0
    var usual: UInt64 = 0
    var lowBits: UInt8 = 0
    var lowBitsOfRuns: UInt8 = 0
    var payload = 0..<0

    /// Reads the head of a frame of `count` values; `previous` is the base of the frame before.
    /// The reader then stands behind the payload. Nil where the frame is damaged.
    init?(_ reader: inout ByteReader, count: Int, previous: Int64) {
        do throws(ByteError) {
            let form = try reader.uint8()
            guard let coding = DenseFrame.Coding(rawValue: form & 3), form >> 5 == 0 else {
                return nil
            }
            self.coding = coding
            order = Int(form >> 2 & 3)
            isUnsigned = form & 16 != 0
            guard order < 3, order <= count else { return nil }
            base = previous &+ (try reader.varint())
            centre = order == 0 ? base : try reader.varint()
            if order == 2 { slope = try reader.varint() }
            guard coding != .zeros else { return }
            if coding == .usualRuns { usual = try reader.uvarint() }
            if coding != .rice { lowBitsOfRuns = try reader.uint8() }
            lowBits = try reader.uint8()
            guard max(lowBits, lowBitsOfRuns) <= DenseFrame.maximumLowBits else { return nil }
            let length = try reader.uvarint()
            guard length <= UInt64(reader.remaining) else { return nil }
            payload = reader.offset..<(reader.offset + Int(length))
            try reader.skip(Int(length))
        } catch {
            return nil
        }
    }

    init() {}

    func write(previous: Int64, length: Int, to writer: inout ByteWriter) {
        writer.uint8(coding.rawValue | UInt8(order) << 2 | (isUnsigned ? 16 : 0))
        writer.varint(base &- previous)
        if order > 0 { writer.varint(centre) }
        if order == 2 { writer.varint(slope) }
        guard coding != .zeros else { return }
        if coding == .usualRuns { writer.uvarint(usual) }
        if coding != .rice { writer.uint8(lowBitsOfRuns) }
        writer.uint8(lowBits)
        writer.uvarint(UInt64(length))
    }
}
