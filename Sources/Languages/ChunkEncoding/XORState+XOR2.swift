// SPDX-License-Identifier: Apache-2.0
//
// The appending side of XOR2 chunks, whose form is drawn in XOR2Decoder.swift, that of their start
// timestamps in StartTimestamps.swift.
//
// A stale marker is no predecessor of what follows: `valueBits` stay those of the value before it.
// Of start timestamps only the last one is remembered, by the owner; how far it was before the
// sample in front of it follows from times and delta.
//
// The bytes equal those of upstream for the same samples with their start timestamps, appended in
// the same order. Where no start timestamps are kept at all, nothing is written about them;
// upstream says from the 128th sample of a chunk on that each of them has none.

package import Model

/// How chunks of floats are written. The raw values are those of the configuration.
package enum FloatEncoding: String, Sendable, Hashable {
    case xor
    case xor2
}

extension XORState {
    /// Of an empty chunk.
    package init(_ encoding: FloatEncoding) {
        self.init()
        guard encoding == .xor2 else { return }
        traits = .xor2
        bitCount = 24
    }

    /// The longest that one sample of an XOR2 chunk can become: 5 + 64 bits of time, 14 + 64 of
    /// value, 8 + 64 of start.
    package static let maximumXOR2SampleByteCount = 29

    /// Whether the chunk says anything of start timestamps. If so, each further sample comes with
    /// its own.
    package var hasStarts: Bool { startHeader != 0 }

    /// Adds a sample to an XOR2 chunk that says nothing of start timestamps, as `append` does to an
    /// XOR chunk.
    ///
    /// Bound: nothing outside `capacity` bytes from `memory` is touched.
    @inline(__always)
    package mutating func appendXOR2(
        _ timestamp: Timestamp, _ value: Double, to memory: UnsafeMutableRawPointer, capacity: Int
    ) -> Bool {
        let step = UInt64(bitPattern: timestamp &- self.timestamp)
        if count > 1, step == UInt64(delta), value.bitPattern == valueBits {
            guard unsafe put(0, 1, memory, capacity) else { return false }
            self.timestamp = timestamp
            traits = .xor2
            count &+= 1
            return true
        }
        var fields = FieldRun()
        return unsafe append(timestamp, step, value.bitPattern, &fields, memory, capacity) {
            _, _ in
        }
    }

    /// The same with the start timestamp of the sample, 0 for none. `last` is that of the sample
    /// before. False also where the chunk has too many samples for its first start timestamp.
    package mutating func appendXOR2(
        _ timestamp: Timestamp, _ value: Double, start: Timestamp, last: Timestamp,
        to memory: UnsafeMutableRawPointer, capacity: Int
    ) -> Bool {
        let step = UInt64(bitPattern: timestamp &- self.timestamp)
        var header = startHeader
        let isFirstChange =
            count > 0 && header & 0x7F == 0 && (start != last || Int(count) == Self.lastFirstChange)
        if isFirstChange, count > Self.lastFirstChange { return false }
        var fields = FieldRun()
        let isDone = unsafe append(
            timestamp, step, value.bitPattern, &fields, memory, capacity
        ) { state, fields in
            if state.count == 0 {
                guard start != 0 else { return }
                header = 0x80
                fields.add(varint: timestamp &- start)
            } else if isFirstChange {
                header |= UInt8(state.count)
                fields.add(varbit: state.timestamp &- start)
            } else if header & 0x7F != 0 {
                let distance = state.timestamp &- start
                let before = state.timestamp &- Timestamp(state.delta) &- last
                fields.add(varbit: distance &- before)
            }
        }
        if isDone { startHeader = header }
        return isDone
    }

    /// The last sample at which start timestamps may change first; there they count as changed.
    static let lastFirstChange = 127

    @inline(__always)
    private mutating func append(
        _ timestamp: Timestamp, _ step: UInt64, _ bits: UInt64, _ fields: inout FieldRun,
        _ memory: UnsafeMutableRawPointer, _ capacity: Int,
        _ addStart: (XORState, inout FieldRun) -> Void
    ) -> Bool {
        let isStale = bits == StaleMarker.bits
        var window = (leading: leading, trailing: trailing)
        switch count {
        case 0:
            fields.add(varint: timestamp)
            fields.add(bits, 64)
        case 1:
            guard step <= UInt64(UInt32.max) else { return false }
            fields.add(uvarint: step)
            addValue(bits, isStale, &window, &fields)
        default:
            guard step <= UInt64(UInt32.max) else { return false }
            let change = Int64(bitPattern: step &- UInt64(delta))
            if change == 0 {
                addJointValue(bits, isStale, &window, &fields)
            } else {
                fields.add(change: change)
                addValue(bits, isStale, &window, &fields)
            }
        }
        addStart(self, &fields)
        guard fits(fields.length, capacity) else { return false }
        for index in 0..<fields.count {
            let field = fields[index]
            _ = unsafe put(field.bits, field.length, memory, capacity)
        }
        if count > 0 { delta = UInt32(truncatingIfNeeded: step) }
        self.timestamp = timestamp
        if !isStale { valueBits = bits }
        traits = isStale ? [.xor2, .endsStale] : .xor2
        (leading, trailing) = window
        count &+= 1
        return true
    }

    // MARK: Values

    /// The value of a sample whose time says that it is there.
    @inline(__always)
    private func addValue(
        _ bits: UInt64, _ isStale: Bool, _ window: inout (leading: UInt8, trailing: UInt8),
        _ fields: inout FieldRun
    ) {
        if isStale { return fields.add(0b111, 3) }
        let xor = bits ^ valueBits
        if xor == 0 { return fields.add(0, 1) }
        if !fits(xor, &window) {
            fields.add(0b110, 3)
            fields.add(newWindow: window)
        } else {
            fields.add(0b10, 2)
        }
        fields.add(xor, in: window)
    }

    /// The value of a sample that comes as long after the one before as that did.
    @inline(__always)
    private func addJointValue(
        _ bits: UInt64, _ isStale: Bool, _ window: inout (leading: UInt8, trailing: UInt8),
        _ fields: inout FieldRun
    ) {
        if isStale { return fields.add(0b11111, 5) }
        let xor = bits ^ valueBits
        if xor == 0 { return fields.add(0, 1) }
        if !fits(xor, &window) {
            fields.add(0b101, 3)
            fields.add(newWindow: window)
        } else {
            fields.add(0b100, 3)
        }
        fields.add(xor, in: window)
    }

    /// Whether the significant bits lie within the window, which else becomes theirs.
    @inline(__always)
    private func fits(
        _ xor: UInt64, _ window: inout (leading: UInt8, trailing: UInt8)
    ) -> Bool {
        let leading = UInt8(truncatingIfNeeded: min(31, xor.leadingZeroBitCount))
        let trailing = UInt8(truncatingIfNeeded: xor.trailingZeroBitCount)
        if window.leading != 255, leading >= window.leading, trailing >= window.trailing {
            return true
        }
        window = (leading, trailing)
        return false
    }
}

/// The bits of one sample, gathered before any of them is written.
private struct FieldRun {
    /// A sample has at most 28 bytes, and two neighbouring fields have more than 64 bits.
    private var fields = [8 of XORState.Field](repeating: XORState.Field(bits: 0, length: 0))
    private(set) var count = 0
    private(set) var length = 0

    subscript(index: Int) -> XORState.Field { fields[index] }

    /// The low 1...64 bits; those above must be zero.
    @inline(__always)
    mutating func add(_ bits: UInt64, _ length: Int) {
        self.length &+= length
        if count > 0, fields[count &- 1].length &+ length <= 64 {
            let last = fields[count &- 1]
            fields[count &- 1] = XORState.Field(
                bits: (last.bits &<< UInt64(length)) | bits, length: last.length &+ length)
        } else {
            fields[count] = XORState.Field(bits: bits, length: length)
            count &+= 1
        }
    }

    mutating func add(uvarint number: UInt64) {
        var rest = number
        while rest >= 0x80 {
            add((rest & 0x7F) | 0x80, 8)
            rest &>>= 7
        }
        add(rest, 8)
    }

    mutating func add(varint number: Int64) {
        add(uvarint: UInt64(bitPattern: (number &<< 1) ^ (number &>> 63)))
    }

    /// An integer of variable width, as `BitWriter` writes it.
    mutating func add(varbit number: Int64) {
        if number == 0 { return add(0, 1) }
        for index in 0..<7 {
            let width = UInt64(BitWriter.widths[index])
            let half = Int64(1) &<< Int64(width &- 1)
            guard number > -half, number <= half else { continue }
            let ones = UInt64(index + 1)
            add(((1 &<< ones) &- 1) &<< 1, index + 2)
            return add(UInt64(bitPattern: number) & ((1 &<< width) &- 1), Int(width))
        }
        add(0xFF, 8)
        add(UInt64(bitPattern: number), 64)
    }

    /// How much the delta of times changed, which is not zero.
    @inline(__always)
    mutating func add(change: Int64) {
        let bits = UInt64(bitPattern: change)
        if (-0x1000...0xFFF).contains(change) {
            add((0b110 &<< 13) | (bits & 0x1FFF), 16)
        } else if (-0x8_0000...0x7_FFFF).contains(change) {
            add((0b1110 &<< 20) | (bits & 0xF_FFFF), 24)
        } else {
            add(0b11110, 5)
            add(bits, 64)
        }
    }

    @inline(__always)
    mutating func add(newWindow window: (leading: UInt8, trailing: UInt8)) {
        let length = 64 &- UInt64(window.leading) &- UInt64(window.trailing)
        add((UInt64(window.leading) &<< 6) | (length & 63), 11)
    }

    @inline(__always)
    mutating func add(_ xor: UInt64, in window: (leading: UInt8, trailing: UInt8)) {
        add(
            xor &>> UInt64(window.trailing),
            64 &- Int(window.leading) &- Int(window.trailing))
    }
}
