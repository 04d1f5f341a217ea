// SPDX-License-Identifier: Apache-2.0
//
// Which series of a block fulfil a list of matchers.
//
// A matcher that refuses the empty string selects the series that have one of its values: the union
// of their posting lists. One that accepts it selects all series but those with a value that it
// refuses. So each matcher becomes a set of values to include or to exclude, and
//
//     answer = intersection of the included - union of the excluded
//
// from all series where nothing is included. Matchers that name their values come first, the
// shortest list at the head. A pattern has to be tried on each distinct value of its label; where
// fewer series than that are left, it is tried on the values of those series instead, once per
// distinct value.

internal import Bytes
internal import LinearRegex
internal import Model
internal import Platform
internal import Storage

/// What one matcher does to a selection.
private struct Condition {
    enum Values {
        /// Just these.
        case listed([String])
        /// All that the label has.
        case all
        /// Those for which the matcher's answer is this.
        case tested(Bool)
    }

    var matcher: Matcher
    var values: Values
    /// Whether series with one of the values are wanted, or unwanted.
    var keeping: Keeping

    /// Nil where the matcher accepts every series.
    init?(_ matcher: Matcher) {
        if matcher.operation == .regexMatch, matcher.value == ".*" { return nil }
        self.matcher = matcher
        let acceptsAbsence = matcher.matchesEmpty
        keeping = acceptsAbsence ? .missing : .shared
        switch matcher.operation {
        case .equal: values = matcher.value.isEmpty ? .all : .listed([matcher.value])
        case .notEqual: values = matcher.value.isEmpty ? .all : .listed([matcher.value])
        case .regexMatch, .regexNoMatch:
            if matcher.value == ".+" {
                values = .all
            } else if let texts = matcher.pattern?.texts, !texts.contains(""),
                acceptsAbsence == (matcher.operation == .regexNoMatch)
            {
                values = .listed(texts)
            } else {
                values = .tested(!acceptsAbsence)
            }
        }
    }

    /// Whether a series with this value stays.
    func accepts(_ value: RawSpan) -> Bool { matcher.matches(value) }
}

extension IndexReader {
    /// The refs of the series that fulfil all matchers, in label order.
    func series(matching matchers: [Matcher]) throws(StorageError) -> [UInt32] {
        let selection = SeriesSelection(index: self)
        return try selection.run(matchers)
    }
}

private struct SeriesSelection {
    let index: IndexReader

    /// A condition with what is known of its values.
    private struct Step {
        var condition: Condition
        var label: IndexedLabel?
        /// The lists of the values, where finding them took no test.
        var lists: [PostingList]?
        /// For the order: how many series the lists hold, or how many values are to be tested.
        var cost: Int
    }

    init(index: IndexReader) { self.index = index }

    func run(_ matchers: [Matcher]) throws(StorageError) -> [UInt32] {
        var included: [Step] = []
        var excluded: [Step] = []
        for matcher in matchers {
            guard let condition = Condition(matcher) else { continue }
            if matcher.operation == .regexNoMatch, matcher.value == ".*" { return [] }
            let step = try step(condition)
            if condition.keeping == .missing {
                if step.label != nil { excluded.append(step) }
            } else {
                guard step.label != nil, step.lists?.isEmpty != true else { return [] }
                included.append(step)
            }
        }
        included.sort { left, right in
            (left.lists == nil ? 1 : 0, left.cost) < (right.lists == nil ? 1 : 0, right.cost)
        }
        let file = index.file
        var refs: [UInt32] = []
        if let first = included.first {
            refs = union(try lists(of: first), universe: universe, file.bytes)
        } else {
            index.allPostings.appendAll(file.bytes, to: &refs)
        }
        for step in included.dropFirst() + excluded where !refs.isEmpty {
            try apply(step, to: &refs)
        }
        return refs
    }

    private var universe: Range<Int> {
        let unit = index.layout.seriesUnit
        let start = index.contents.series / unit
        return start..<(max(start, index.contents.labelIndices / unit) + 1)
    }

    private func step(_ condition: Condition) throws(StorageError) -> Step {
        guard let label = index.label(condition.matcher.name) else {
            return Step(condition: condition, label: nil, lists: nil, cost: 0)
        }
        switch condition.values {
        case .listed(let texts):
            var lists: [PostingList] = []
            for text in texts {
                guard let offset = try index.postingsOffset(of: text, in: label) else { continue }
                lists.append(try index.postings(at: offset))
            }
            let cost = lists.reduce(0) { $0 + $1.count }
            return Step(condition: condition, label: label, lists: lists, cost: cost)
        case .all, .tested:
            return Step(condition: condition, label: label, lists: nil, cost: label.valueCount)
        }
    }

    /// The lists of all values that the step includes or excludes.
    private func lists(of step: Step) throws(StorageError) -> [PostingList] {
        if let lists = step.lists { return lists }
        guard let label = step.label else { return [] }
        var lists: [PostingList] = []
        let condition = step.condition
        try index.forEachValue(of: label) { (value, offset) throws(StorageError) in
            let isTaken =
                switch condition.values {
                case .tested(let answer): condition.matcher.matches(value) == answer
                case .all, .listed: true
                }
            if isTaken { lists.append(try index.postings(at: offset)) }
            return true
        }
        return lists
    }

    private func apply(_ step: Step, to refs: inout [UInt32]) throws(StorageError) {
        if step.lists == nil, let label = step.label, refs.count < label.valueCount / 4 {
            return try filterByValues(&refs, label, step.condition)
        }
        let lists = try lists(of: step)
        let file = index.file
        if lists.count == 1 {
            filter(&refs, by: lists[0], step.condition.keeping, file.bytes)
        } else {
            let others = union(lists, universe: universe, file.bytes)
            filter(&refs, by: others, step.condition.keeping)
        }
    }

    /// Tries the matcher on the values of the series that are left.
    private func filterByValues(
        _ refs: inout [UInt32], _ label: IndexedLabel, _ condition: Condition
    ) throws(StorageError) {
        let file = index.file
        let bytes = file.bytes
        guard let name = index.symbols.symbol(bytes.extracting(label.name), in: bytes) else {
            throw damaged(file, "symbol table: a label name is missing", at: label.name.lowerBound)
        }
        let acceptsAbsence = condition.matcher.matchesEmpty
        var answers: [UInt32: Bool] = [:]
        var kept = 0
        for index in refs.indices {
            var symbol: UInt32?
            try self.index.forEachSymbolPair(of: refs[index]) { pairName, value in
                guard pairName == name else { return true }
                symbol = value
                return false
            }
            var isAccepted = acceptsAbsence
            if let symbol {
                if let known = answers[symbol] {
                    isAccepted = known
                } else if let range = self.index.symbols.range(of: symbol, in: bytes) {
                    isAccepted = condition.accepts(bytes.extracting(range))
                    answers[symbol] = isAccepted
                }
            }
            if isAccepted {
                refs[kept] = refs[index]
                kept += 1
            }
        }
        refs.removeLast(refs.count - kept)
    }
}
