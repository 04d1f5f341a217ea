// SPDX-License-Identifier: Apache-2.0
//
// From matchers to slots. A series that lacks a label has the empty value for it, so matchers come
// in two kinds. One that does not match the empty value picks series: those in the postings of the
// values that it matches. One that does match it takes away: the series in the postings of the
// values that it does not match. A regex is evaluated once for each distinct value.
//
// The cheapest picking matcher goes first. The others narrow its result: through their postings,
// or, where few series are left and the postings are long, by looking at the labels of each.

internal import Bytes
internal import LinearRegex
internal import Model
internal import Storage

/// The pairs whose series a matcher picks or takes away.
private struct PairChoice {
    var name: UInt32?
    var pairs: [UInt32]
    var takesAway: Bool
    /// Words of postings to read.
    var cost: Int
}

extension LabelIndex {
    /// The slots of the series that fulfil all matchers.
    mutating func slots(_ matchers: [Matcher]) -> SlotSet {
        var choices = matchers.map { choice($0) }
        choices.sort { ($0.takesAway ? 1 : 0, $0.cost) < ($1.takesAway ? 1 : 0, $1.cost) }
        var result: SlotSet
        var rest = choices[...]
        if let first = choices.first, !first.takesAway {
            result = SlotSet(capacity: live.words.count * 64)
            for pair in first.pairs { postings.forEachRun(pair) { result.insert($0, $1) } }
            rest = rest.dropFirst()
        } else {
            result = live
        }
        for choice in rest {
            let count = result.count
            if count == 0 { break }
            if choice.cost > count * 8 {
                narrowByLabels(&result, choice)
            } else if choice.takesAway {
                for pair in choice.pairs { postings.forEachRun(pair) { result.remove($0, $1) } }
            } else {
                var picked = SlotSet(capacity: live.words.count * 64)
                for pair in choice.pairs { postings.forEachRun(pair) { picked.insert($0, $1) } }
                result.formIntersection(picked)
            }
        }
        return result
    }

    private func choice(_ matcher: Matcher) -> PairChoice {
        let takesAway = matcher.matchesEmpty
        let name = pairs.names.number(matcher.name)
        var chosen: [UInt32] = []
        if matcher.operation == .equal, !takesAway {
            if let pair = pairs.find(name: matcher.name, value: matcher.value) { chosen = [pair] }
        } else if matcher.operation == .notEqual, takesAway {
            if let pair = pairs.find(name: matcher.name, value: matcher.value) { chosen = [pair] }
        } else if matcher.operation == .regexMatch, !takesAway, let texts = matcher.pattern?.texts {
            chosen = texts.compactMap { pairs.find(name: matcher.name, value: $0) }
        } else if let name {
            chosen = pairs.names.pairs(name).filter {
                matcher.matches(pairs.value($0)) != takesAway
            }
        }
        let cost = chosen.reduce(0) { $0 + postings.cost($1) }
        return PairChoice(name: name, pairs: chosen, takesAway: takesAway, cost: cost)
    }

    private func narrowByLabels(_ result: inout SlotSet, _ choice: PairChoice) {
        let chosen = Set(choice.pairs)
        var dropped: [UInt32] = []
        result.forEach { slot in
            let numbers = pairs(of: slot)
            var isChosen = false
            for index in numbers.indices
            where pairs[numbers[index]].name == choice.name && chosen.contains(numbers[index]) {
                isChosen = true
            }
            if isChosen == choice.takesAway { dropped.append(slot) }
        }
        for slot in dropped { result.remove(slot) }
    }

    /// The sorted names of the labels that series of the set have; of all series for nil.
    mutating func names(_ slots: SlotSet?) -> [String] {
        var found: [String] = []
        if let slots {
            var seen = Set<UInt32>()
            slots.forEach { slot in
                let numbers = pairs(of: slot)
                for index in numbers.indices { seen.insert(pairs[numbers[index]].name) }
            }
            found = seen.map { pairs.names.text($0) }
        } else {
            for name in 0..<UInt32(pairs.names.end) where !pairs.names.pairs(name).isEmpty {
                found.append(pairs.names.text(name))
            }
        }
        return found.sorted(by: isOrderedBytewise)
    }

    /// The sorted values of a label among the series of the set; among all for nil.
    mutating func values(_ name: String, _ slots: SlotSet?) -> [String] {
        guard let number = pairs.names.number(name) else { return [] }
        var found: [UInt32] = []
        for pair in pairs.names.pairs(number) {
            guard let slots else {
                found.append(pair)
                continue
            }
            var isThere = false
            postings.forEachRun(pair) { start, count in
                if isThere { return }
                isThere = (start..<(start + count)).contains { slots.contains($0) }
            }
            if isThere { found.append(pair) }
        }
        found.sort { pairs.compare($0, $1) < 0 }
        return found.map { pairs.valueText($0) }
    }
}
