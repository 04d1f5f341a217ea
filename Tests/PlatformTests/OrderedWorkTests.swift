// SPDX-License-Identifier: Apache-2.0

import Platform
import Synchronization
import Testing

@Suite struct OrderedWorkTests {
    private struct Stop: Error {}

    private func squares(_ made: Monitor<Int>? = nil) -> OrderedWork<Int, [Int]> {
        OrderedWork(
            makeWorker: { _ in 0 },
            makeResult: {
                made?.withLock { $0 += 1 }
                return []
            },
            work: { done, piece, result in
                done += 1
                result = [piece, piece * piece]
            })
    }

    @Test("Results come in order, however many threads help", arguments: [0, 1, 3])
    func order(_ threads: Int) throws {
        let helpers = threads == 0 ? nil : try Helpers("helper", threads: threads)
        let made = Monitor(0)
        for count in [0, 1, 2, 500] {
            var seen: [[Int]] = []
            squares(made).run(count: count, helpers: helpers) { piece, result in
                #expect(result[0] == piece)
                seen.append(result)
            }
            #expect(seen == (0..<count).map { [$0, $0 * $0] })
        }
        // Four runs, each with no more results than may be ahead and in work.
        #expect(made.withLock { $0 } <= 4 * (3 * threads + 4))
        helpers?.close()
    }

    @Test func anErrorOfTheCallerEndsTheWork() throws {
        let helpers = try Helpers("helper", threads: 2)
        var delivered = 0
        #expect(throws: Stop.self) {
            try squares().run(count: 100, helpers: helpers) { (piece, _) throws(Stop) in
                if piece == 7 { throw Stop() }
                delivered += 1
            }
        }
        #expect(delivered == 7)
        helpers.close()
    }

    @Test func helpersThatAreBusyAreNotWaitedFor() throws {
        let helpers = try Helpers("helper", threads: 1)
        let gate = Monitor((isBusy: false, isOpen: false))
        while !helpers.help({
            gate.withLock { $0.isBusy = true }
            gate.notifyAll()
            gate.wait { $0.isOpen ? () : nil }
        }) {}
        gate.wait { $0.isBusy ? () : nil }
        #expect(!helpers.help {})
        var sum = 0
        squares().run(count: 10, helpers: helpers) { _, result in sum += result[1] }
        #expect(sum == 285)
        gate.withLock { $0.isOpen = true }
        gate.notifyAll()
        helpers.close()
    }
}
