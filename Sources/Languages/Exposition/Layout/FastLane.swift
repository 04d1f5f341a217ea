// SPDX-License-Identifier: Apache-2.0
//
// The inner loop of scraping: it sees every byte of every scrape.
//
// Bounds: body bytes are read at addresses below `end` only, after comparing; arena bytes at
// `line.offset ..< line.offset + line.length`, which `LayoutDraft` keeps inside the arena; `lines`
// below `position.limit`, at most their count; `values` and `timestamps` at ordinals of samples,
// which are below the sample count, their length.

internal import Bytes
internal import Glibc
internal import Model

extension LayoutScanner {
    /// Goes along the layout for as long as the body does the same.
    @_lifetime(self: copy self)
    mutating func followLayout() {
        if position.line >= position.limit { return }
        var lane = FastLane(
            position: position, honorsTimestamps: honorsTimestamps,
            isText: layout.dialect == .text)
        var values: [Double] = []
        var timestamps: [Timestamp] = []
        swap(&values, &result.values)
        swap(&timestamps, &result.timestamps)
        repeat {
            if lane.wantsTimestamps, timestamps.isEmpty {
                timestamps = Array(repeating: ScanResult.noTimestamp, count: values.count)
                lane.wantsTimestamps = false
            }
            unsafe body.withUnsafeBytes { body in
                unsafe lane.run(body, layout, &values, &timestamps)
            }
        } while lane.wantsTimestamps
        swap(&values, &result.values)
        swap(&timestamps, &result.timestamps)
        position = lane.position
    }

    /// Where the bytes end by which the index would know the line at hand: a sample's prefix or a
    /// line of metadata. A guess, since it is only looked up.
    func quickPrefixEnd() -> Int? {
        let rest = body.extracting(droppingFirst: position.offset)
        let length = unsafe rest.withUnsafeBytes { unsafe prefixLength($0) }
        return length.map { position.offset + $0 }
    }
}

private func prefixLength(_ line: UnsafeRawBufferPointer) -> Int? {
    guard let first = unsafe line.first else { return nil }
    if first == UInt8(ascii: "#") {
        return unsafe line.firstIndex(of: newline).map { $0 + 1 }
    }
    var at = 0
    while at < line.count, unsafe isMetricNamePart(line[at]) { at += 1 }
    if at < line.count, unsafe line[at] == UInt8(ascii: "{") {
        var isQuoted = false
        while at < line.count {
            let byte = unsafe line[at]
            at += 1
            if byte == UInt8(ascii: "\\"), isQuoted {
                at += 1
            } else if byte == UInt8(ascii: "\"") {
                isQuoted.toggle()
            } else if byte == UInt8(ascii: "}"), !isQuoted {
                break
            }
        }
    }
    while at < line.count, unsafe isWhitespace(line[at]) { at += 1 }
    return at <= line.count ? at : nil
}

private struct FastLane {
    var position: ScanPosition
    let honorsTimestamps: Bool
    let isText: Bool
    /// The body has the first explicit timestamp, and there is no room for it yet.
    var wantsTimestamps = false

    mutating func run(
        _ body: UnsafeRawBufferPointer, _ layout: Layout, _ values: inout [Double],
        _ timestamps: inout [Timestamp]
    ) {
        guard let base = body.baseAddress else { return }
        let end = unsafe base + body.count
        var at = unsafe base + position.offset
        var number = position.line
        let limit = position.limit
        unsafe layout.arena.withUnsafeBytes { arena in
            unsafe layout.lines.withUnsafeBufferPointer { lines in
                unsafe values.withUnsafeMutableBufferPointer { values in
                    unsafe timestamps.withUnsafeMutableBufferPointer { timestamps in
                        let text = arena.baseAddress!
                        while number < limit {
                            let line = unsafe lines[number]
                            let length = line.length
                            guard unsafe end - at >= length,
                                unsafe memcmp(at, text + Int(line.offset), length) == 0
                            else { break }
                            if line.kind == .sample {
                                guard
                                    let next = unsafe sample(
                                        at + length, end, Int(line.ordinal), values, timestamps)
                                else { break }
                                unsafe at = next
                            } else {
                                if line.kind == .bareSample { break }
                                // The general reader takes a NUL behind the line to belong to it.
                                let next = unsafe at + length
                                if unsafe next < end, unsafe next.load(as: UInt8.self) == 0 {
                                    break
                                }
                                if line.kind == .type {
                                    position.typePlace = Int(line.ordinal)
                                }
                                unsafe at = next
                            }
                            number += 1
                        }
                    }
                }
            }
        }
        position.offset = unsafe at - base
        position.line = number
    }

    /// Reads number, timestamp and line break from `start` on and returns where the next line
    /// begins; nil where it is not as simple as that.
    @inline(__always)
    private mutating func sample(
        _ start: UnsafeRawPointer, _ end: UnsafeRawPointer, _ ordinal: Int,
        _ values: UnsafeMutableBufferPointer<Double>,
        _ timestamps: UnsafeMutableBufferPointer<Timestamp>
    ) -> UnsafeRawPointer? {
        let number: (value: Double, next: UnsafeRawPointer)
        if let short = unsafe scanDecimal(start, end), unsafe short.next < end,
            unsafe short.next.load(as: UInt8.self) <= blank
        {
            unsafe number = short
        } else if let long = unsafe longNumber(start, end) {
            unsafe number = long
        } else {
            return nil
        }
        guard unsafe number.next < end else { return nil }
        unsafe values[ordinal] = number.value
        let delimiter = unsafe number.next.load(as: UInt8.self)
        if delimiter == newline { return unsafe number.next + 1 }
        guard isText, delimiter == blank else { return nil }
        return unsafe timestamp(number.next + 1, end, ordinal, timestamps)
    }

    /// Milliseconds up to a line break.
    private mutating func timestamp(
        _ start: UnsafeRawPointer, _ end: UnsafeRawPointer, _ ordinal: Int,
        _ timestamps: UnsafeMutableBufferPointer<Timestamp>
    ) -> UnsafeRawPointer? {
        var at = unsafe start
        var value: Int64 = 0
        while unsafe at < end {
            let byte = unsafe at.load(as: UInt8.self)
            guard isDigit(byte) else { break }
            value = value &* 10 &+ Int64(byte &- UInt8(ascii: "0"))
            unsafe at += 1
        }
        let digits = unsafe at - start
        guard digits > 0, digits <= 18, unsafe at < end,
            unsafe at.load(as: UInt8.self) == newline
        else { return nil }
        if honorsTimestamps {
            if timestamps.isEmpty {
                wantsTimestamps = true
                return nil
            }
            unsafe timestamps[ordinal] = value
        }
        return unsafe at + 1
    }

    /// A number of many digits, or one that is written in letters.
    private func longNumber(
        _ start: UnsafeRawPointer, _ end: UnsafeRawPointer
    ) -> (value: Double, next: UnsafeRawPointer)? {
        var next = unsafe start
        while unsafe next < end, unsafe next.load(as: UInt8.self) > blank { unsafe next += 1 }
        let text = unsafe RawSpan(
            _unsafeBytes: UnsafeRawBufferPointer(start: start, count: next - start))
        do throws(FloatTextError) {
            let value = try parseFloat(text)
            return unsafe (value.isNaN ? StaleMarker.ordinaryNaN : value, next)
        } catch {
            return nil
        }
    }
}
