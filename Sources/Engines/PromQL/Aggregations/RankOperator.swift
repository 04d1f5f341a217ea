// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax
internal import Storage

/// `topk`, `bottomk`, `limitk` and `limit_ratio`: at each step some of the rows of each group, as
/// they are.
struct RankOperator: VectorOperator {
    let steps: Steps
    let rows: [RowLabels]
    private let result: Block

    init(
        _ evaluation: Evaluation, _ node: Aggregation, _ input: any VectorOperator,
        _ parameters: [Double]
    ) throws(QueryError) {
        steps = input.steps
        // The input is evaluated even where nothing of it is wanted: it may fail or warn.
        let input = try Block(input)
        let isEmpty = try Self.check(evaluation, node, parameters)
        let block = isEmpty ? Block(steps: steps) : input
        var ranking = Ranking(evaluation, node, block, parameters)
        result = try ranking.result()
        rows = result.rows
    }

    func run(_ consume: RowConsumer) throws(QueryError) { try result.run(consume) }

    /// Refuses parameters that make no sense; true where they ask for nothing at all.
    private static func check(
        _ evaluation: Evaluation, _ node: Aggregation, _ parameters: [Double]
    ) throws(QueryError) -> Bool {
        let least = parameters.reduce(.greatestFiniteMagnitude) { goMinimum($0, $1) }
        let greatest = parameters.reduce(-.greatestFiniteMagnitude) { goMaximum($0, $1) }
        let hasNaN = parameters.contains(where: \.isNaN)
        if node.operation == .limitRatio {
            if greatest == 0, least == 0 { return true }
            if hasNaN { throw .execution("Ratio value is NaN") }
            guard let source = node.parameter?.source else { return false }
            if greatest > 1 {
                evaluation.annotations.add(.invalidRatio(greatest, cappedTo: 1, source))
            }
            if least < -1 {
                evaluation.annotations.add(.invalidRatio(least, cappedTo: -1, source))
            }
            return false
        }
        if greatest < 1 { return true }
        if hasNaN { throw .execution("Parameter value is NaN") }
        if least <= -0x1p63 {
            throw .execution("Scalar value \(goText(least)) underflows int64")
        }
        if greatest >= 0x1p63 {
            throw .execution("Scalar value \(goText(greatest)) overflows int64")
        }
        return false
    }
}

/// Picks the rows of each group, step by step.
private struct Ranking {
    let evaluation: Evaluation
    let node: Aggregation
    let block: Block
    let parameters: [Double]
    private let members: [[Int]]
    private var chosen: [StepSet]
    /// The rows of a single step in the order in which they were ranked.
    private var order: [Int] = []

    init(_ evaluation: Evaluation, _ node: Aggregation, _ block: Block, _ parameters: [Double]) {
        self.evaluation = evaluation
        self.node = node
        self.block = block
        self.parameters = parameters
        let grouping = block.grouping(.of(node.grouping, without: node.isWithout))
        var members = [[Int]](repeating: [], count: grouping.groups.count)
        for (row, group) in grouping.groupOf.enumerated() { members[Int(group)].append(row) }
        self.members = members
        chosen = [StepSet](
            repeating: StepSet(capacity: block.steps.count), count: block.rows.count)
    }

    mutating func result() throws(QueryError) -> Block {
        for step in parameters.indices where step < block.steps.count {
            try evaluation.checkpoint()
            for group in members {
                switch node.operation {
                case .topk, .bottomk: rank(group, step)
                case .limitRatio: sample(group, step)
                default: limit(group, step)
                }
            }
        }
        let result = Block(steps: block.steps)
        let order = block.steps.isSingle ? order : Array(block.rows.indices)
        for index in order where !chosen[index].isEmpty {
            var row = block.data[index]
            row.keepOnly(chosen[index])
            result.append(block.rows[index], row)
        }
        return result
    }

    private mutating func choose(_ row: Int, _ step: Int) {
        chosen[row].insert(step)
        if block.steps.isSingle { order.append(row) }
    }

    private func limit(at step: Int) -> Int { min(Int(parameters[step]), block.rows.count) }

    private mutating func rank(_ group: [Int], _ step: Int) {
        let limit = limit(at: step)
        if limit < 1 { return }
        var heap = RankingHeap(keepsGreatest: node.operation == .topk)
        for row in group {
            if block.data[row].hasHistograms, block.data[row].histograms[step] != nil {
                evaluation.annotations.add(
                    .ignoredHistogram(in: node.operation.rawValue, node.source))
            }
            guard block.data[row].floats.contains(step) else { continue }
            heap.offer(RankingHeap.Entry(value: block.data[row].values[step], row: row), limit)
        }
        for entry in heap.ranked() { choose(entry.row, step) }
    }

    private mutating func limit(_ group: [Int], _ step: Int) {
        var left = limit(at: step)
        var heap = RankingHeap(keepsGreatest: true)
        for row in group where left > 0 && hasSample(row, step) {
            heap.add(entry(row, step))
            left -= 1
        }
        for entry in heap.entries { choose(entry.row, step) }
    }

    /// A histogram counts as 0.
    private func entry(_ row: Int, _ step: Int) -> RankingHeap.Entry {
        let isFloat = block.data[row].floats.contains(step)
        return RankingHeap.Entry(value: isFloat ? block.data[row].values[step] : 0, row: row)
    }

    /// Takes the part of the rows whose label hashes lie below the ratio, or, where it is negative,
    /// the complement.
    private mutating func sample(_ group: [Int], _ step: Int) {
        let ratio = max(-1, min(1, parameters[step]))
        if ratio == 0 { return }
        var heap = RankingHeap(keepsGreatest: true)
        for row in group where hasSample(row, step) {
            let offset = Double(block.rows[row].labels.stableHash) / Double(UInt64.max)
            if ratio > 0 ? offset < ratio : offset >= 1 + ratio { heap.add(entry(row, step)) }
        }
        for entry in heap.entries { choose(entry.row, step) }
    }

    private func hasSample(_ row: Int, _ step: Int) -> Bool {
        block.data[row].floats.contains(step)
            || block.data[row].hasHistograms && block.data[row].histograms[step] != nil
    }
}

/// The best few of many values. A binary heap with the weakest kept value on top, moved exactly as
/// Go's `container/heap` moves it, so that ties are broken as upstream breaks them.
struct RankingHeap {
    struct Entry {
        var value: Double
        var row: Int
    }

    /// In the order of the heap, which is that of the answer where nothing is ranked.
    private(set) var entries: [Entry] = []
    private let keepsGreatest: Bool

    init(keepsGreatest: Bool) { self.keepsGreatest = keepsGreatest }

    /// NaN is always the weakest.
    private func isWeaker(_ left: Entry, _ right: Entry) -> Bool {
        if left.value.isNaN { return true }
        return keepsGreatest ? left.value < right.value : left.value > right.value
    }

    mutating func add(_ entry: Entry) {
        entries.append(entry)
        siftUp(entries.count - 1)
    }

    mutating func offer(_ entry: Entry, _ limit: Int) {
        if entries.count < limit { return add(entry) }
        let top = entries[0].value
        let isBetter = keepsGreatest ? top < entry.value : top > entry.value
        if isBetter || (top.isNaN && !entry.value.isNaN) {
            entries[0] = entry
            siftDown(0)
        }
    }

    private mutating func siftUp(_ start: Int) {
        var child = start
        while child > 0 {
            let parent = (child - 1) / 2
            if !isWeaker(entries[child], entries[parent]) { return }
            entries.swapAt(child, parent)
            child = parent
        }
    }

    private mutating func siftDown(_ start: Int) {
        var parent = start
        while parent * 2 + 1 < entries.count {
            var child = parent * 2 + 1
            if child + 1 < entries.count, isWeaker(entries[child + 1], entries[child]) {
                child += 1
            }
            if !isWeaker(entries[child], entries[parent]) { return }
            entries.swapAt(parent, child)
            parent = child
        }
    }

    /// The kept entries, the best first.
    func ranked() -> [Entry] {
        var sorted = entries
        if sorted.count <= 12 {
            for end in sorted.indices {
                var at = end
                while at > 0, isWeaker(sorted[at - 1], sorted[at]) {
                    sorted.swapAt(at - 1, at)
                    at -= 1
                }
            }
        } else {
            sorted.sort { !$0.value.isNaN && ($1.value.isNaN || isWeaker($1, $0)) }
        }
        return sorted
    }
}
