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

    /// Moves on to a window that begins and ends no earlier than the one before.
    mutating func move(to next: Range<Int>, over column: [Double]) {
        let moved = next.lowerBound - window.lowerBound + next.upperBound - window.upperBound
        if moved > next.count / 4 || next.lowerBound >= window.upperBound {
            values.removeAll(keepingCapacity: true)
            values.append(contentsOf: column[next])
            values.sort()
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
