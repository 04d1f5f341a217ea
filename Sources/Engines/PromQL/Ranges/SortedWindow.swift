// SPDX-License-Identifier: Apache-2.0

/// The values of a window in ascending order, while the window moves over a column. Neighbouring
/// windows share most of their samples: those that leave and arrive are found by bisection, which
/// is cheaper than sorting each window as long as few of them do.
struct SortedWindow: Sendable {
    private(set) var values: [Double] = []
    private var window = 0..<0

    /// Whether equal values of the column are the same: NaN and negative zero are not.
    static func canOrder(_ column: [Double]) -> Bool {
        let negativeZero = (-0.0).bitPattern
        return column.allSatisfy { !$0.isNaN && $0.bitPattern != negativeZero }
    }

    mutating func removeAll() {
        values.removeAll(keepingCapacity: true)
        window = 0..<0
    }

    /// Moves on to a window that begins and ends no earlier than the one before. Leaves the values
    /// in any order once `interruption` is due.
    mutating func move(
        to next: Range<Int>, over column: [Double], until interruption: Interruption?
    ) {
        let moved = next.lowerBound - window.lowerBound + next.upperBound - window.upperBound
        if moved > Self.fewest(of: next.count) || next.lowerBound >= window.upperBound {
            values.removeAll(keepingCapacity: true)
            values.append(contentsOf: column[next])
            values.sort(until: interruption, by: <)
        } else {
            for index in window.lowerBound..<next.lowerBound {
                values.remove(at: place(of: column[index]))
            }
            for index in window.upperBound..<next.upperBound {
                values.insert(column[index], at: place(of: column[index]))
            }
        }
        window = next
    }

    /// How many samples may move where that is to be cheaper than sorting: each moves half of the
    /// others, which is what makes it expensive in a long window.
    private static func fewest(of count: Int) -> Int {
        let logarithm = Int.bitWidth - count.leadingZeroBitCount
        return count <= 4096 ? count / 4 : 16 * logarithm
    }

    /// Where the first value stands that is not less.
    private func place(of value: Double) -> Int {
        var low = 0
        var high = values.count
        while low < high {
            let middle = (low + high) / 2
            if values[middle] < value { low = middle + 1 } else { high = middle }
        }
        return low
    }
}
