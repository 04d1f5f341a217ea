// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model
internal import Synchronization
internal import TSDB

/// What a simulated database stands on: a disk in memory, a clock that is set, chance from a seed.
final class Surroundings: Sendable {
    let disk = MemoryDisk()
    private let time = Mutex(Timestamp(0))
    private let random = Mutex(RandomNumbers(seed: 0))
    private let memory = Mutex(0)
    private let monotonic = Mutex<UInt64>(0)

    var clock: Timestamp {
        get { time.withLock { $0 } }
        set { time.withLock { $0 = newValue } }
    }

    /// How many bytes the process holds.
    var memoryInUse: Int {
        get { memory.withLock { $0 } }
        set { memory.withLock { $0 = newValue } }
    }

    /// A budget for that; whenever its clock is looked at, half a minute has passed.
    func budget(_ limit: Int) -> MemoryBudget {
        MemoryBudget(
            limit: limit, meter: { [unowned self] in memoryInUse },
            now: { [unowned self] in
                monotonic.withLock {
                    $0 += 30_000_000_000
                    return $0
                }
            })
    }

    func reseed(_ seed: UInt64) {
        random.withLock { $0 = RandomNumbers(seed: seed) }
        disk.reseed(seed ^ 0xD15C)
    }

    var environment: DatabaseEnvironment {
        DatabaseEnvironment(
            fileSystem: disk, registry: Registry(), log: .silent,
            now: { [unowned self] in clock },
            randomNumber: { [unowned self] in random.withLock { $0.next() } })
    }
}
