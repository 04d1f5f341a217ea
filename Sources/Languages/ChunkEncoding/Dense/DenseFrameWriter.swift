// SPDX-License-Identifier: Apache-2.0
//
// Chooses how the frames of a column are coded, by what each way would cost.

internal import Bytes

/// Appends columns of integers in dense form.
struct DenseFrameWriter {
    private var differences: [Int64] = []
    /// Of the cheapest form so far, and of the one that is looked at.
    private var best: [UInt64] = []
    private var residuals: [UInt64] = []
    private var bits = RiceWriter()

    init() {}

    /// Writes a column. `orders` are those that may be chosen: order 0 gives up that the bases are
    /// the first values of the frames.
    mutating func write(
        _ column: [Int64], orders: ClosedRange<Int> = 0...2, to writer: inout ByteWriter
    ) {
        var previous: Int64 = 0
        var start = 0
        while start < column.count {
            let end = min(start + DenseFrame.capacity, column.count)
            let head = choose(column[start..<end], orders)
            let payload = encoded(head)
            head.write(previous: previous, length: payload.count, to: &writer)
            writer.append(payload)
            previous = head.base
            start = end
        }
    }

    /// A form that may be the cheapest: how long its residuals are together, in bits.
    private struct Candidate {
        var head: DenseFrameHead
        var width: Int
    }

    /// The head of the cheapest form, whose residuals are then in `best`.
    private mutating func choose(
        _ values: ArraySlice<Int64>, _ orders: ClosedRange<Int>
    ) -> DenseFrameHead {
        differences.removeAll(keepingCapacity: true)
        differences.append(contentsOf: values)
        var candidates: [Candidate] = []
        let first = values[values.startIndex]
        for order in 0...min(orders.upperBound, values.count) {
            if order > 0 {
                var index = differences.count - 1
                while index >= order {
                    differences[index] &-= differences[index - 1]
                    index -= 1
                }
            }
            guard order >= orders.lowerBound else { continue }
            var head = DenseFrameHead()
            head.order = order
            head.base = first
            if order == 2 { head.slope = differences[1] }
            addCandidates(head, to: &candidates)
        }
        candidates.sort { $0.width < $1.width }
        var chosen = DenseFrameHead()
        var lowest = Int.max
        for candidate in candidates.prefix(2) {
            var head = candidate.head
            fold(values, head)
            let cost = price(&head)
            if cost < lowest {
                lowest = cost
                chosen = head
                swap(&best, &residuals)
            }
        }
        return chosen
    }

    /// What may be taken from the differences of an order: the least, nothing, their mean.
    private func addCandidates(_ head: DenseFrameHead, to candidates: inout [Candidate]) {
        let rest = differences[head.order...]
        guard let first = rest.first else {
            return candidates.append(Candidate(head: head, width: 0))
        }
        var least = first
        var most = first
        // Of the distances from the first, so that huge numbers do not overflow.
        var sum = 0.0
        for value in rest {
            least = min(least, value)
            most = max(most, value)
            sum += Double(value &- first)
        }
        let mean = (sum / Double(rest.count)).rounded()
        let centre = abs(mean) < 9e18 ? first &+ Int64(mean) : first
        func add(_ centre: Int64, isUnsigned: Bool) {
            var head = head
            head.centre = centre
            if head.order == 0 { head.base = centre }
            head.isUnsigned = isUnsigned
            var width = 0
            for value in rest {
                let residual = Self.residual(value, centre, isUnsigned)
                width &+= 64 &- residual.leadingZeroBitCount
            }
            candidates.append(Candidate(head: head, width: width))
        }
        if !most.subtractingReportingOverflow(least).overflow { add(least, isUnsigned: true) }
        if head.order > 0, centre != 0 { add(0, isUnsigned: false) }
        add(centre, isUnsigned: false)
    }

    @inline(__always)
    private static func residual(
        _ difference: Int64, _ centre: Int64, _ isUnsigned: Bool
    ) -> UInt64 {
        let residual = difference &- centre
        return isUnsigned ? UInt64(bitPattern: residual) : DenseFrame.folded(residual)
    }

    /// Puts the residuals of a form into `residuals`.
    private mutating func fold(_ values: ArraySlice<Int64>, _ head: DenseFrameHead) {
        residuals.removeAll(keepingCapacity: true)
        var last: Int64 = 0
        var slope: Int64 = 0
        for (place, value) in values.enumerated() {
            var difference = value
            if head.order > 0 { difference = value &- last }
            let step = difference
            if head.order > 1 { difference = step &- slope }
            (last, slope) = (value, step)
            guard place >= head.order else { continue }
            residuals.append(Self.residual(difference, head.centre, head.isUnsigned))
        }
    }

    // MARK: Prices, in bits

    /// The cheapest coding of the residuals, which is put into the head, and its price.
    private func price(_ head: inout DenseFrameHead) -> Int {
        var fixed = varintLength(head.centre) * 8
        if head.order > 0 { fixed += varintLength(head.base) * 4 }
        if head.order == 2 { fixed += varintLength(head.slope) * 8 }
        var count = 0
        var width = 0
        for residual in residuals where residual != 0 {
            count &+= 1
            width &+= 64 &- residual.leadingZeroBitCount
        }
        guard count > 0 else {
            head.coding = .zeros
            return fixed
        }
        // The mean length of a number is about its low bits and one.
        head.coding = .rice
        let rice = cheapest(around: width / residuals.count) { $0 }
        head.lowBits = rice.lowBits
        let zeros = residuals.count - count
        guard zeros * 8 > residuals.count else { return fixed + rice.price + 16 }
        let ofValues = cheapest(around: width / count) { $0 == 0 ? nil : $0 &- 1 }
        let mean = zeros / count
        let guess = mean == 0 ? 0 : Int.bitWidth - mean.leadingZeroBitCount
        var ofRuns = cheapestRuns(around: guess, usual: 0)
        head.coding = .runs
        let usual = usualRun()
        if usual > 0 {
            let others = cheapestRuns(around: 0, usual: usual)
            if others.price + 8 < ofRuns.price {
                ofRuns = (others.lowBits, others.price + 8)
                head.coding = .usualRuns
                head.usual = usual
            }
        }
        let runs = ofValues.price + ofRuns.price
        guard runs + 8 < rice.price else {
            head.coding = .rice
            return fixed + rice.price + 16
        }
        head.lowBits = ofValues.lowBits
        head.lowBitsOfRuns = ofRuns.lowBits
        return fixed + runs + 24
    }

    private func cheapestRuns(
        around guess: Int, usual: UInt64
    ) -> (lowBits: UInt8, price: Int) {
        var run: UInt64 = 0
        return cheapest(around: guess) { residual in
            if residual == 0 {
                run &+= 1
                return nil
            }
            defer { run = 0 }
            return DenseFrame.code(ofRun: run, usual: usual)
        }
    }

    /// The length that most of the runs before a value have.
    private func usualRun() -> UInt64 {
        var counts = [Int](repeating: 0, count: DenseFrame.capacity)
        var run = 0
        for residual in residuals {
            if residual == 0 {
                run += 1
            } else {
                counts[run] += 1
                run = 0
            }
        }
        let most = counts.indices.max { counts[$0] < counts[$1] } ?? 0
        return UInt64(most)
    }

    /// How many low bits make the Rice codes of some numbers shortest, and their length together.
    /// `number` gives the number to be coded at a residual, if there is one.
    @inline(__always)
    private func cheapest(
        around guess: Int, _ number: (UInt64) -> UInt64?
    ) -> (lowBits: UInt8, price: Int) {
        let lowest = UInt64(max(0, min(60, guess - 2)))
        var prices = (0, 0, 0, 0)
        for residual in residuals {
            guard let number = number(residual) else { continue }
            prices.0 &+= Self.price(number, lowest)
            prices.1 &+= Self.price(number, lowest &+ 1)
            prices.2 &+= Self.price(number, lowest &+ 2)
            prices.3 &+= Self.price(number, lowest &+ 3)
        }
        var best = (lowBits: UInt8(lowest), price: prices.0)
        for (offset, price) in [prices.1, prices.2, prices.3].enumerated() where price < best.price
        {
            best = (UInt8(lowest) + UInt8(offset) + 1, price)
        }
        return best
    }

    @inline(__always)
    private static func price(_ value: UInt64, _ lowBits: UInt64) -> Int {
        let upper = value &>> lowBits
        return upper < DenseFrame.escape
            ? Int(truncatingIfNeeded: upper &+ 1 &+ lowBits) : DenseFrame.escape &+ 64
    }

    private func varintLength(_ value: Int64) -> Int {
        (70 - (DenseFrame.folded(value) | 1).leadingZeroBitCount) / 7
    }

    // MARK: Payloads

    private mutating func encoded(_ head: DenseFrameHead) -> [UInt8] {
        bits.removeAll()
        switch head.coding {
        case .zeros: break
        case .rice:
            for residual in best { bits.put(residual, UInt64(head.lowBits)) }
        case .runs, .usualRuns:
            var run: UInt64 = 0
            func putRun() {
                bits.put(
                    DenseFrame.code(ofRun: run, usual: head.usual), UInt64(head.lowBitsOfRuns))
                run = 0
            }
            for residual in best {
                if residual == 0 {
                    run += 1
                    continue
                }
                putRun()
                bits.put(residual - 1, UInt64(head.lowBits))
            }
            if run > 0 { putRun() }
        }
        return bits.finish()
    }
}

/// Writes Rice codes into bytes, the highest bit first.
private struct RiceWriter {
    private var bytes = ByteWriter(capacity: 1024)
    /// The bits that are not in `bytes` yet, from the highest.
    private var word: UInt64 = 0
    private var filled: UInt64 = 0

    mutating func removeAll() {
        bytes.removeAll()
        word = 0
        filled = 0
    }

    mutating func put(_ value: UInt64, _ lowBits: UInt64) {
        let upper = value &>> lowBits
        if upper >= DenseFrame.escape {
            append(0, UInt64(DenseFrame.escape))
            append(value, 64)
        } else if upper &+ 1 &+ lowBits <= 64 {
            let low = value & ((1 &<< lowBits) &- 1)
            append(1 &<< lowBits | low, upper &+ 1 &+ lowBits)
        } else {
            append(1, upper &+ 1)
            append(value & ((1 &<< lowBits) &- 1), lowBits)
        }
    }

    /// `value` has no bits above the low `count`, which are 1...64.
    @inline(__always)
    private mutating func append(_ value: UInt64, _ count: UInt64) {
        let free = 64 &- filled
        if count < free {
            word |= value &<< (free &- count)
            filled &+= count
            return
        }
        let left = count &- free
        bytes.uint64BE(word | value &>> left)
        word = left == 0 ? 0 : value &<< (64 &- left)
        filled = left
    }

    /// All that was put, the last byte filled up with zeros.
    mutating func finish() -> [UInt8] {
        while filled > 0 {
            bytes.uint8(UInt8(truncatingIfNeeded: word &>> 56))
            word &<<= 8
            filled = filled > 8 ? filled &- 8 : 0
        }
        return bytes.bytes
    }
}
