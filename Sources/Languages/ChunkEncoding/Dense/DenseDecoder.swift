// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Model

/// The head of a dense chunk (DenseEncoder.swift); its samples are read with `decode`.
package struct DenseDecoder: ~Escapable {
    private let chunk: RawSpan
    private let count: Int
    private let values: DenseChunk.Values
    private let hasExceptions: Bool
    private let valuesOffset: Int
    package let times: DenseTimes

    @_lifetime(copy chunk)
    package init(_ chunk: RawSpan) throws(ChunkError) {
        var reader = ByteReader(chunk)
        var head: (count: Int, kind: UInt8, number: UInt64)?
        do throws(ByteError) {
            head = (Int(try reader.uint16BE()), try reader.uint8(), try reader.uvarint())
        } catch {
            head = nil
        }
        guard let head, head.count <= DenseChunk.capacity, head.kind < 16,
            let values = DenseChunk.Values(rawValue: head.kind & 3)
        else { throw .malformed("the head of a dense chunk") }
        self.chunk = chunk
        self.values = values
        count = head.count
        hasExceptions = head.kind & DenseChunk.exceptions != 0
        guard !hasExceptions || values == .decimals else {
            throw .malformed("exceptions in a dense chunk without decimals")
        }
        times =
            head.kind & DenseChunk.apart != 0
            ? .apart(distance: head.number) : .step(head.number)
        valuesOffset = reader.offset
    }

    package var sampleCount: Int { count }

    /// Appends the samples within the closed range to the columns, which on an error are as they
    /// were. `start` is the first sample's time; `record` holds the times where they stand apart.
    package func decode(
        from start: Timestamp, record: RawSpan, within range: TimeRange,
        _ timestamps: inout [Timestamp], _ floats: inout [Double]
    ) throws(ChunkError) {
        let (oldTimes, oldFloats) = (timestamps.count, floats.count)
        do throws(ChunkError) {
            let kept =
                switch times {
                case .step(let step): appendSteps(step, start, range, &timestamps)
                case .apart: try appendTimes(record, start, range, &timestamps)
                }
            if !kept.isEmpty { try appendValues(kept, &floats) }
        } catch {
            timestamps.removeLast(timestamps.count - oldTimes)
            floats.removeLast(floats.count - oldFloats)
            throw error
        }
    }

    // MARK: Times

    /// Appends the times within the range and tells which samples they are of.
    private func appendSteps(
        _ step: UInt64, _ start: Timestamp, _ range: TimeRange, _ timestamps: inout [Timestamp]
    ) -> Range<Int> {
        func index(notBefore time: Timestamp) -> Int {
            if time <= start { return 0 }
            let distance = UInt64(bitPattern: time &- start)
            if step == 0 { return count }
            let (whole, rest) = distance.quotientAndRemainder(dividingBy: step)
            return whole >= UInt64(count) ? count : min(count, Int(whole) + (rest == 0 ? 0 : 1))
        }
        let lower = index(notBefore: range.start)
        let upper =
            range.end < start ? 0 : range.end == .max ? count : index(notBefore: range.end + 1)
        guard lower < upper else { return 0..<0 }
        timestamps.append(addingCapacity: upper - lower) { output in
            var time = start &+ Int64(bitPattern: UInt64(lower) &* step)
            for _ in lower..<upper {
                output.append(time)
                time &+= Int64(bitPattern: step)
            }
        }
        return lower..<upper
    }

    private func appendTimes(
        _ record: RawSpan, _ start: Timestamp, _ range: TimeRange,
        _ timestamps: inout [Timestamp]
    ) throws(ChunkError) -> Range<Int> {
        var reader = ByteReader(record)
        guard let promised = try? reader.uint16BE(), Int(promised) == count else {
            throw .malformed("the times of a dense chunk have another count")
        }
        var kept: Range<Int>?
        var waiting: (head: DenseFrameHead, first: Int)?
        var previous: Int64 = 0
        var first = 0
        while true {
            var next: DenseFrameHead?
            if first < count {
                let length = min(DenseFrame.capacity, count - first)
                next = DenseFrameHead(&reader, count: length, previous: previous)
                guard let next, next.order > 0 else { throw .malformed("a frame of times") }
                previous = next.base
            }
            if let frame = waiting {
                // The frame's times are before the first one of the next.
                let isBefore = next.map { start &+ $0.base <= range.start } ?? false
                if start &+ frame.head.base > range.end { break }
                if !isBefore { try append(frame, record, start, range, &timestamps, &kept) }
            }
            guard let next else { break }
            waiting = (next, first)
            first += DenseFrame.capacity
        }
        return kept ?? 0..<0
    }

    private func append(
        _ frame: (head: DenseFrameHead, first: Int), _ record: RawSpan, _ start: Timestamp,
        _ range: TimeRange, _ timestamps: inout [Timestamp], _ kept: inout Range<Int>?
    ) throws(ChunkError) {
        let length = min(DenseFrame.capacity, count - frame.first)
        var found = 0..<0
        let isSound = withDenseFrame(frame.head, of: record, wanted: length) { times in
            var lower = 0
            var upper = times.count
            while lower < upper, start &+ times[lower] < range.start { lower += 1 }
            while upper > lower, start &+ times[upper - 1] > range.end { upper -= 1 }
            found = lower..<upper
            timestamps.append(addingCapacity: upper - lower) { output in
                for index in lower..<upper { output.append(start &+ times[index]) }
            }
        }
        guard isSound else { throw .malformed("a frame of times") }
        guard !found.isEmpty else { return }
        let lower = frame.first + found.lowerBound
        let upper = frame.first + found.upperBound
        guard kept.map({ $0.upperBound == lower }) ?? true else {
            throw .malformed("the times of a dense chunk are not in order")
        }
        kept = (kept?.lowerBound ?? lower)..<upper
    }

    // MARK: Values

    private func appendValues(
        _ wanted: Range<Int>, _ floats: inout [Double]
    ) throws(ChunkError) {
        var reader = ByteReader(chunk, at: valuesOffset)
        switch values {
        case .oneFloat:
            guard let bits = try? reader.uint64BE() else { throw .malformed("a float") }
            floats.append(contentsOf: repeatElement(Double(bitPattern: bits), count: wanted.count))
        case .oneDecimal:
            guard let scale = (try? reader.uint8()).flatMap({ DenseScale(rawValue: $0) }),
                let integer = try? reader.varint()
            else { throw .malformed("a decimal") }
            let value =
                scale.divides ? Double(integer) / scale.factor : Double(integer) * scale.factor
            floats.append(contentsOf: repeatElement(value, count: wanted.count))
        case .decimals: try appendDecimals(wanted, &reader, &floats)
        case .bits: try appendFrames(&reader, wanted, .bits, &floats)
        }
    }

    private func appendDecimals(
        _ wanted: Range<Int>, _ reader: inout ByteReader, _ floats: inout [Double]
    ) throws(ChunkError) {
        guard let scale = (try? reader.uint8()).flatMap({ DenseScale(rawValue: $0) }),
            let least = try? reader.varint(), let unit = try? reader.uvarint()
        else { throw .malformed("the scale of decimals") }
        let first = floats.count
        var exceptions: [DenseScale.Exception] = []
        if hasExceptions { exceptions = try readExceptions(&reader) }
        try appendFrames(
            &reader, wanted,
            .decimals(
                least: least, unit: Int64(bitPattern: unit), factor: scale.factor,
                divides: scale.divides), &floats)
        for exception in exceptions {
            let lower = max(exception.start, wanted.lowerBound)
            let upper = min(exception.start + exception.count, wanted.upperBound)
            guard lower < upper else { continue }
            for index in lower..<upper {
                floats[first + index - wanted.lowerBound] = Double(bitPattern: exception.bits)
            }
        }
    }

    private func readExceptions(
        _ reader: inout ByteReader
    ) throws(ChunkError) -> [DenseScale.Exception] {
        var exceptions: [DenseScale.Exception] = []
        do throws(ByteError) {
            let number = try reader.uvarint()
            var end = 0
            // Each takes ten bytes at least.
            if number <= UInt64(reader.remaining / 10) {
                for _ in 0..<number {
                    let gap = try reader.uvarint()
                    let length = try reader.uvarint()
                    let bits = try reader.uint64BE()
                    guard gap <= UInt64(count - end), length <= UInt64(count - end) - gap else {
                        throw .truncated(offset: reader.offset)
                    }
                    let start = end + Int(gap)
                    end = start + Int(length)
                    exceptions.append(
                        DenseScale.Exception(start: start, count: Int(length), bits: bits))
                }
                return exceptions
            }
        } catch {
            throw .malformed("the exceptions to decimals")
        }
        throw .malformed("the exceptions to decimals")
    }

    /// Appends the wanted samples of all frames.
    private func appendFrames(
        _ reader: inout ByteReader, _ wanted: Range<Int>, _ conversion: DenseConversion,
        _ floats: inout [Double]
    ) throws(ChunkError) {
        var previous: Int64 = 0
        var first = 0
        while first < wanted.upperBound {
            let length = min(DenseFrame.capacity, count - first)
            guard let head = DenseFrameHead(&reader, count: length, previous: previous) else {
                throw .malformed("a frame of values")
            }
            previous = head.base
            let lower = max(0, wanted.lowerBound - first)
            let upper = min(length, wanted.upperBound - first)
            if lower < upper {
                guard appendDenseFrame(head, of: chunk, lower..<upper, conversion, to: &floats)
                else { throw .malformed("a frame of values") }
            }
            first += length
        }
    }
}
