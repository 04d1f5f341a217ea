// SPDX-License-Identifier: Apache-2.0

import Model
import TSDB
import Testing

struct RefExpiriesTests {
    private func contents(_ expiries: RefExpiries) -> [UInt64: Timestamp] {
        var found: [UInt64: Timestamp] = [:]
        var refs: [UInt64] = []
        expiries.forEach { ref, time in
            refs.append(ref)
            found[ref] = time
        }
        #expect(refs == refs.sorted())
        #expect(expiries.count == found.count)
        return found
    }

    @Test("Refs come one by one or in groups, and none expires before its time", arguments: 1...8)
    func refsStayUntilTheyExpire(seed: UInt64) {
        var random = SeededGenerator(seed)
        var expiries = RefExpiries()
        var model: [UInt64: Timestamp] = [:]
        var now: Timestamp = 1_767_225_600_000
        for _ in 0..<100 {
            now += Timestamp.random(in: 0..<30_000, using: &random)
            let first = UInt64.random(in: 1...400, using: &random)
            let group = (first..<(first + UInt64.random(in: 1...30, using: &random)))
                .map { ($0, now - Timestamp.random(in: 0..<90_000, using: &random)) }
                .filter { _ in Int.random(in: 0..<4, using: &random) > 0 }
                .shuffled(using: &random)
            for (ref, time) in group { model[ref] = max(model[ref] ?? .min, time) }
            if Bool.random(using: &random) {
                expiries.note(group)
            } else {
                for (ref, time) in group { expiries.note(ref, through: time) }
            }
            if Int.random(in: 0..<20, using: &random) == 0 {
                let border = now - 600_000
                expiries.removeAll(before: border)
                model = model.filter { $0.value >= border }
                let kept = contents(expiries)
                #expect(kept.values.allSatisfy { $0 >= border })
                // What stays a little longer is known from here on.
                model.merge(kept) { known, _ in known }
            }
            let found = contents(expiries)
            #expect(Set(found.keys) == Set(model.keys))
            #expect(model.allSatisfy { ref, time in found[ref].map { $0 >= time } == true })
        }
    }

    @Test("Neighbours that expire in the same minute do not mix with others")
    func timesAreRoundedUp() {
        var expiries = RefExpiries()
        expiries.note([(7, 60_001), (5, 60_000), (6, 1), (9, .min), (8, .max)])
        #expect(contents(expiries)[5] == 60_000)
        #expect(contents(expiries)[6] == 60_000)
        #expect(contents(expiries)[7] == 120_000)
        #expect(contents(expiries)[8] == .max)
        expiries.removeAll(before: 60_001)
        #expect(contents(expiries) == [7: 120_000, 8: .max])
    }
}
