// SPDX-License-Identifier: Apache-2.0

import PromQL
import Testing

@Suite struct LongSortTests {
    private func values(_ count: Int) -> [Double] {
        var state: UInt64 = 7
        return (0..<count).map { _ in
            state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
            // Many are equal but for their signs.
            return [0.0, -0.0, .nan, Double(state >> 40)][Int(state >> 60) % 4]
        }
    }

    private func isLess(_ left: Double, _ right: Double) -> Bool {
        left.isNaN ? !right.isNaN : left < right
    }

    @Test(
        "A list that is sorted in pieces comes out as one that is not",
        arguments: [0, 1, 65_536, 200_001])
    func order(_ count: Int) {
        var found = values(count)
        var expected = found
        found.sortInPieces(unless: { false }, by: isLess)
        expected.sort(by: isLess)
        #expect(found.map(\.bitPattern) == expected.map(\.bitPattern))
    }

    @Test("Sorting stops when it is told to, wherever it is", arguments: [1, 2, 4, 6, 8])
    func stop(_ turn: Int) {
        var list = values(200_000)
        var asked = 0
        var comparisons = 0
        var longest = 0
        list.sortInPieces(
            unless: {
                longest = max(longest, comparisons)
                comparisons = 0
                asked += 1
                return asked == turn
            },
            by: { left, right in
                comparisons += 1
                return isLess(left, right)
            })
        #expect(asked == turn)
        #expect(comparisons == 0)
        #expect(longest < 1 << 21)
    }
}
