// SPDX-License-Identifier: Apache-2.0
//
// The dense form of chunks of floats. A chunk holds up to a day of samples at fifteen seconds; its
// times are counted from the first one, which the index knows.
//
//     chunk: count (BE16), kind, times, values
//
//     kind    bits 0-1 of the values: 0 one float, 1 one decimal, 2 decimals, 3 bits
//             bit 2: set where the times stand apart, in a record that series share
//             bit 3: set where some floats are exceptions to the decimals
//     times   uvarint: the step in milliseconds; or how far before the chunk the record begins
//     values  one float: 8 bytes (BE); one decimal: scale, varint
//             decimals: scale, least integer (varint), unit (uvarint), [exceptions], frames
//             bits: frames of the floats' bits, those of negative floats inverted but for the sign
//     exceptions: how many (uvarint), each: gap behind the one before, how often, 8 bytes (BE)
//
// A decimal is an integer that the scale makes a float of (DenseScale.swift); frames hold integers
// less the least, divided by the unit, which is their greatest common divisor. A record of times
// is a count (BE16) and frames of times counted from the first.

internal import Bytes
package import Model

package enum DenseChunk {
    /// A day at fifteen seconds.
    package static let capacity = 5760

    /// How so many samples are divided into chunks.
    package static func parts(of count: Int) -> [Range<Int>] {
        let frames = (count + DenseFrame.capacity - 1) / DenseFrame.capacity
        let chunks = (count + capacity - 1) / capacity
        guard chunks > 0 else { return [] }
        let length = (frames + chunks - 1) / chunks * DenseFrame.capacity
        return stride(from: 0, to: count, by: length).map { $0..<min($0 + length, count) }
    }

    enum Values: UInt8 {
        case oneFloat = 0
        case oneDecimal = 1
        case decimals = 2
        case bits = 3
    }

    static let apart: UInt8 = 4
    static let exceptions: UInt8 = 8

    /// The bits of a float so that their order as integers is that of the floats.
    @inline(__always)
    static func ordered(_ bits: UInt64) -> Int64 {
        let signed = Int64(bitPattern: bits)
        return signed ^ Int64(bitPattern: UInt64(bitPattern: signed &>> 63) &>> 1)
    }

    /// The inverse of `ordered`.
    @inline(__always)
    static func bits(_ ordered: Int64) -> UInt64 {
        UInt64(bitPattern: ordered ^ Int64(bitPattern: UInt64(bitPattern: ordered &>> 63) &>> 1))
    }
}

/// Encodes samples as dense chunks.
package struct DenseEncoder {
    private var frames = DenseFrameWriter()

    package init() {}

    /// The distance between neighbours where it is the same for all; 0 for a single time.
    package static func step(of timestamps: [Timestamp]) -> UInt64? {
        guard timestamps.count > 1 else { return 0 }
        let step = timestamps[1] &- timestamps[0]
        for index in 2..<max(2, timestamps.count)
        where timestamps[index] &- timestamps[index - 1] != step {
            return nil
        }
        return UInt64(bitPattern: step)
    }

    /// The record of times that have no common step.
    package mutating func times(_ timestamps: [Timestamp]) -> [UInt8] {
        precondition(timestamps.count <= DenseChunk.capacity, "too many samples for a chunk")
        var writer = ByteWriter(capacity: 64)
        writer.uint16BE(UInt16(timestamps.count))
        let first = timestamps.first ?? 0
        frames.write(timestamps.map { $0 &- first }, orders: 1...2, to: &writer)
        return writer.bytes
    }

    /// A chunk of these floats, in time order, whose times have this step, or stand in a record
    /// that begins so many bytes before the chunk.
    package mutating func chunk(_ values: [Double], _ times: DenseTimes) -> [UInt8] {
        precondition(values.count <= DenseChunk.capacity, "too many samples for a chunk")
        var writer = ByteWriter(capacity: 256)
        writer.uint16BE(UInt16(values.count))
        var kind: UInt8 = 0
        let number: UInt64
        switch times {
        case .step(let step): number = step
        case .apart(let distance):
            kind = DenseChunk.apart
            number = distance
        }
        func begin(_ values: DenseChunk.Values, _ flag: UInt8 = 0) {
            writer.uint8(kind | values.rawValue | flag)
            writer.uvarint(number)
        }
        let first = values.first ?? 0
        let isConstant = values.allSatisfy { $0.bitPattern == first.bitPattern }
        let choice = DenseScale.choose(isConstant ? [first] : values)
        guard let choice else {
            begin(isConstant ? .oneFloat : .bits)
            if isConstant {
                writer.uint64BE(first.bitPattern)
            } else {
                let column = values.map { DenseChunk.ordered($0.bitPattern) }
                frames.write(column, to: &writer)
            }
            return writer.bytes
        }
        if isConstant, choice.exceptions.isEmpty {
            begin(.oneDecimal)
            writer.uint8(choice.scale.rawValue)
            writer.varint(choice.integers.first ?? 0)
        } else if isConstant {
            begin(.oneFloat)
            writer.uint64BE(first.bitPattern)
        } else {
            begin(.decimals, choice.exceptions.isEmpty ? 0 : DenseChunk.exceptions)
            put(choice, to: &writer)
        }
        return writer.bytes
    }

    private mutating func put(_ choice: DenseScale.Choice, to writer: inout ByteWriter) {
        let least = choice.integers.min() ?? 0
        let unit = commonUnit(choice.integers, from: least)
        writer.uint8(choice.scale.rawValue)
        writer.varint(least)
        writer.uvarint(unit)
        if !choice.exceptions.isEmpty {
            writer.uvarint(UInt64(choice.exceptions.count))
            var end = 0
            for exception in choice.exceptions {
                writer.uvarint(UInt64(exception.start - end))
                writer.uvarint(UInt64(exception.count))
                writer.uint64BE(exception.bits)
                end = exception.start + exception.count
            }
        }
        let divisor = Int64(bitPattern: unit)
        frames.write(
            choice.integers.map { unit == 1 ? $0 - least : ($0 - least) / divisor }, to: &writer)
    }

    /// The greatest common divisor of the distances from the least; 1 where all are zero.
    private func commonUnit(_ integers: [Int64], from least: Int64) -> UInt64 {
        var unit: UInt64 = 0
        for integer in integers {
            var rest = UInt64(bitPattern: integer - least)
            while rest != 0 { (unit, rest) = (rest, unit % rest) }
            if unit == 1 { break }
        }
        return max(1, unit)
    }
}

/// Where the times of a dense chunk are found.
package enum DenseTimes: Sendable, Hashable {
    /// Each so many milliseconds behind the one before.
    case step(UInt64)
    /// In a record so many bytes before the chunk.
    case apart(distance: UInt64)
}
