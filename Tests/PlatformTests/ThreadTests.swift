// SPDX-License-Identifier: Apache-2.0

import Foundation
import Platform
import Synchronization
import Testing

@Suite struct ThreadTests {
    @Test func aThreadRunsItsBodyAndIsJoined() throws {
        let ran = Monitor(0)
        let thread = try SystemThread("worker") { ran.withLock { $0 = 7 } }
        thread.join()
        thread.join()
        #expect(ran.withLock { $0 } == 7)
    }

    @Test func aMonitorWakesThoseWhoWait() throws {
        let number = Monitor(0)
        let thread = try SystemThread("waiter") {
            number.wait { $0 == 1 ? () : nil }
            number.withLock { $0 = 2 }
            number.notifyAll()
        }
        number.withLock { $0 = 1 }
        number.notifyAll()
        number.wait { $0 == 2 ? () : nil }
        thread.join()
        let late: Int? = number.wait(deadline: monotonicNanoseconds() + 1_000_000) {
            $0 == 3 ? $0 : nil
        }
        #expect(late == nil)
    }

    @Test func aPoolRunsAllItTookAndRefusesWhenFull() throws {
        let pool = try BoundedPool("pool", threads: 2, queueLimit: 3)
        let gate = Monitor(false)
        let done = Monitor(0)
        let job: BoundedPool.Job = {
            gate.wait { $0 ? () : nil }
            done.withLock { $0 += 1 }
        }
        var taken = 0
        // Two may run and three wait; how soon the threads take theirs is not ours to say.
        for _ in 0..<2 where pool.submit(job) { taken += 1 }
        while pool.load.running < 2 {}
        for _ in 0..<10 where pool.submit(job) { taken += 1 }
        #expect(taken == 5)
        #expect(pool.load == (waiting: 3, running: 2))
        gate.withLock { $0 = true }
        gate.notifyAll()
        pool.close()
        #expect(done.withLock { $0 } == 5)
        #expect(!pool.submit(job))
    }

    @Test func aPoolWithLittleToDoKeepsToOneThread() throws {
        let pool = try BoundedPool("pool", threads: 8, queueLimit: 8)
        let used = Monitor<[UInt]>([])
        func waitForRest() { while pool.load != (waiting: 0, running: 0) {} }
        // All have begun once all have worked at the same time.
        let gate = Monitor(false)
        for _ in 0..<8 { #expect(pool.submit { gate.wait { $0 ? () : nil } }) }
        while pool.load.running < 8 {}
        gate.withLock { $0 = true }
        gate.notifyAll()
        waitForRest()
        for _ in 0..<100 {
            #expect(pool.submit { used.withLock { $0.append(UInt(pthread_self())) } })
            waitForRest()
        }
        pool.close()
        let threads = used.withLock { $0 }
        #expect(threads.count == 100)
        #expect(Set(threads).count == 1)
    }
}
