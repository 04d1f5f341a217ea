// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import PromQLSyntax

/// `sort`, `sort_desc`, `sort_by_label`, `sort_by_label_desc`. They order the rows of a single
/// step; results over several steps are always ordered by labels.
extension Planner {
    func sort(_ function: Function, _ arguments: [Expression], _ steps: Steps)
        throws(QueryError) -> any VectorOperator
    {
        let block = try Block(try vector(arguments[0], steps))
        let byValue = function == .sort || function == .sortDescending
        let descending = function == .sortDescending || function == .sortByLabelDescending
        if byValue {
            // Histograms have no order.
            let floats = Block(steps: steps)
            for (labels, var row) in zip(block.rows, block.data) {
                row.removeHistograms()
                if !row.isEmpty { floats.append(labels, row) }
            }
            guard steps.isSingle else { return floats }
            return ordered(floats) { left, right in
                let (left, right) = (floats.data[left].values[0], floats.data[right].values[0])
                if left.isNaN || right.isNaN { return !left.isNaN }
                return descending ? left > right : left < right
            }
        }
        guard steps.isSingle else { return block }
        let names = arguments[1...].map(\.text)
        return ordered(block) { left, right in
            let (left, right) = (block.rows[left].labels, block.rows[right].labels)
            return descending
                ? Self.isOrdered(right, left, by: names) : Self.isOrdered(left, right, by: names)
        }
    }

    private func ordered(_ block: Block, _ precedes: (Int, Int) -> Bool) -> Block {
        let result = Block(steps: block.steps)
        for index in block.rows.indices.sorted(by: precedes) {
            result.append(block.rows[index], block.data[index])
        }
        return result
    }

    /// By the values of some labels in natural order (`a2` before `a10`), then by all labels.
    private static func isOrdered(_ left: Labels, _ right: Labels, by names: [String]) -> Bool {
        for name in names {
            let leftValue = left[name] ?? ""
            let rightValue = right[name] ?? ""
            if isEqualBytewise(leftValue, rightValue) { continue }
            return NaturalOrder.precedes(leftValue, rightValue)
        }
        return left < right
    }
}

/// The order of texts in which runs of digits count as numbers, as the library `natsort` has it:
/// both texts are cut into runs of digits and runs of other characters, and compared run by run.
enum NaturalOrder {
    private static func isDigit(_ byte: UInt8) -> Bool {
        byte >= UInt8(ascii: "0") && byte <= UInt8(ascii: "9")
    }

    private static func runs(_ text: String) -> [[UInt8]] {
        var runs: [[UInt8]] = []
        var wasDigit: Bool?
        for byte in text.utf8 {
            let digit = isDigit(byte)
            if wasDigit == digit {
                runs[runs.count - 1].append(byte)
            } else {
                runs.append([byte])
            }
            wasDigit = digit
        }
        return runs
    }

    static func precedes(_ left: String, _ right: String) -> Bool {
        let leftRuns = runs(left)
        let rightRuns = runs(right)
        for (index, leftRun) in leftRuns.enumerated() {
            guard index < rightRuns.count else { return false }
            let rightRun = rightRuns[index]
            if leftRun == rightRun { continue }
            guard isDigit(leftRun[0]), isDigit(rightRun[0]) else {
                return leftRun.lexicographicallyPrecedes(rightRun)
            }
            let leftNumber = leftRun.drop { $0 == UInt8(ascii: "0") }
            let rightNumber = rightRun.drop { $0 == UInt8(ascii: "0") }
            if leftNumber.count != rightNumber.count {
                return leftNumber.count < rightNumber.count
            }
            if leftNumber != rightNumber {
                return leftNumber.lexicographicallyPrecedes(rightNumber)
            }
            // Equal numbers, however many zeros lead them.
            if index == rightRuns.count - 1, index < leftRuns.count - 1 { return false }
        }
        return leftRuns.count <= rightRuns.count
    }
}
