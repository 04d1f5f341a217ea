// SPDX-License-Identifier: Apache-2.0

import Bytes
import Model
import Storage
import TSDB
import Testing

/// Selections against a plain scan of all label sets.
struct MatchingTests {
    private func randomSets(_ random: inout SeededGenerator) -> [Labels] {
        var sets = Set<Labels>()
        for _ in 0..<400 {
            var builder = LabelsBuilder()
            builder.set("__name__", "m\(Int.random(in: 0..<5, using: &random))")
            for name in ["a", "b", "Z", "ü"] where Bool.random(using: &random) {
                builder.set(
                    name,
                    ["x", "xy", "é", "1"].randomElement(using: &random)!
                        + String(Int.random(in: 0..<4, using: &random)))
            }
            sets.insert(builder.labels())
        }
        return Array(sets)
    }

    @Test(arguments: [1, 2, 3, 4] as [UInt64])
    func allMatchersAgreeWithAScan(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        let sets = randomSets(&random)
        let head = try openHead(TemporaryFolder())
        // In two steps, so that some series are merged into a known order.
        for part in [sets[..<(sets.count - 20)], sets[(sets.count - 20)...]] {
            let refs = try head.resolve(Array(part))
            var batch = SampleBatch(sharedTimestamp: 1)
            for ref in refs { batch.append(ref, 1) }
            try head.commit(batch, .skipFaulty)
            _ = try headContents(head)
        }
        let operations: [Matcher.Operation] = [.equal, .notEqual, .regexMatch, .regexNoMatch]
        let values = ["", "x1", "é2", "none"]
        let patterns = ["", ".*", ".+", "x.*", "x1|é2", "x?", "(x1)?", "[^x].*"]
        for _ in 0..<rounds(300, usual: 80) {
            var matchers: [Matcher] = []
            for _ in 0..<Int.random(in: 1...3, using: &random) {
                let name = ["a", "b", "Z", "ü", "__name__", "absent"].randomElement(using: &random)!
                let operation = operations.randomElement(using: &random)!
                let value = (operation.isRegex ? patterns : values).randomElement(using: &random)!
                matchers.append(try Matcher(name, operation, value))
            }
            let expected = sets.filter { set in matchers.allSatisfy { $0.matches(set) } }.sorted()
            let found = try headContents(head, matchers)
            #expect(found.keys.sorted() == expected, "\(matchers)")

            let querier = try head.querier(over: TimeRange(start: 0, end: 10))
            let names = Set(expected.flatMap { $0.map(\.name) })
            #expect(try querier.labelNames(matchers) == names.sorted(by: isOrderedBytewise))
            let values = Set(expected.compactMap { $0["a"] })
            #expect(try querier.labelValues("a", matchers) == values.sorted(by: isOrderedBytewise))
        }
        let querier = try head.querier(over: TimeRange(start: 0, end: 10))
        #expect(
            try querier.labelNames([])
                == Set(sets.flatMap { $0.map(\.name) }).sorted(by: isOrderedBytewise))
        #expect(
            try querier.labelValues("ü", [])
                == Set(sets.compactMap { $0["ü"] }).sorted(by: isOrderedBytewise))
        #expect(try head.querier(over: TimeRange(start: 2, end: 10)).labelNames([]) == [])
    }
}
