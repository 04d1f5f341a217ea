// SPDX-License-Identifier: Apache-2.0
//
// Sorting fifty million values takes ten seconds, through which nobody could stop a query. So long
// lists are sorted in pieces, which are merged: bottom up, from the left, equal values in the order
// in which they stood.

extension [Double] {
    private static var piece: Int { 1 << 16 }

    /// Sorts, but leaves the values in any order once `interruption` is due.
    mutating func sort(
        until interruption: Interruption?, by isLess: (Double, Double) -> Bool
    ) {
        guard let interruption, count > Self.piece else { return sort(by: isLess) }
        sortInPieces(unless: { interruption.isDue }, by: isLess)
    }

    /// The same for any reason to stop, which is asked for after some million comparisons at most.
    package mutating func sortInPieces(
        unless isDue: () -> Bool, by isLess: (Double, Double) -> Bool
    ) {
        for start in stride(from: 0, to: count, by: Self.piece) {
            if isDue() { return }
            self[start..<Swift.min(count, start + Self.piece)].sort(by: isLess)
        }
        var merged = self
        var width = Self.piece
        while width < count {
            for start in stride(from: 0, to: count, by: 2 * width) {
                let middle = Swift.min(count, start + width)
                let end = Swift.min(count, middle + width)
                let isDone = Self.merge(
                    span, start..<middle, middle..<end, into: &merged, isDue, isLess)
                if !isDone { return }
            }
            swap(&self, &merged)
            width *= 2
        }
    }

    /// Merges two neighbouring runs into the same place of another list; false where there was no
    /// time for it.
    private static func merge(
        _ values: Span<Double>, _ left: Range<Int>, _ right: Range<Int>,
        into merged: inout [Double], _ isDue: () -> Bool,
        _ isLess: (Double, Double) -> Bool
    ) -> Bool {
        var (leftAt, rightAt) = (left.lowerBound, right.lowerBound)
        var output = merged.mutableSpan
        for place in left.lowerBound..<right.upperBound {
            if place % piece == 0, isDue() { return false }
            let takesRight =
                rightAt < right.upperBound
                && (leftAt == left.upperBound || isLess(values[rightAt], values[leftAt]))
            if takesRight {
                output[place] = values[rightAt]
                rightAt += 1
            } else {
                output[place] = values[leftAt]
                leftAt += 1
            }
        }
        return true
    }
}
