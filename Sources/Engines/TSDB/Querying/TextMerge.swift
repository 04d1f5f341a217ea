// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Distinct texts in bytewise order, to which the texts of a further list in that order are added.
/// Blocks mostly have the same names and values, so a text that is known costs a comparison and
/// neither memory nor a hash.
struct TextMerge {
    private let known: [String]
    private var at = 0
    private var merged: [String] = []

    /// `known` is in order, each text once.
    init(_ known: [String]) {
        self.known = known
        merged.reserveCapacity(known.count)
    }

    /// Adds the next text of the list, which is behind the one before it.
    mutating func add(_ text: RawSpan) {
        while at < known.count {
            let order = known[at].withRawSpan { compareBytes($0, text) }
            if order > 0 { break }
            merged.append(known[at])
            at += 1
            if order == 0 { return }
        }
        merged.append(text.text)
    }

    /// All texts, the list being at its end.
    consuming func finish() -> [String] {
        merged += known[at...]
        return merged
    }

    /// The texts of two lists.
    static func merge(_ known: [String], _ other: [String]) -> [String] {
        if known.isEmpty { return other }
        var merge = TextMerge(known)
        for text in other { text.withRawSpan { merge.add($0) } }
        return merge.finish()
    }
}
