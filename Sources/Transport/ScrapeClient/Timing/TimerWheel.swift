// SPDX-License-Identifier: Apache-2.0
//
// A hashed timer wheel: time is cut into ticks, a timer lies in the slot `tick mod 1024`, and the
// slot of every tick that passes is looked through. A timer further off than a turn of the wheel is
// passed over once a turn. Setting one costs an append, and taking one out a search through its
// slot.

/// Something that shall happen to a target at a tick.
struct Timer: Sendable, Hashable {
    enum Kind: UInt8, Sendable {
        /// The scrape with this serial has taken too long.
        case timeout
        /// The target is to be scraped.
        case due
    }

    var tick: UInt64
    var target: UInt64
    var serial: UInt32
    var kind: Kind
}

struct TimerWheel {
    private static let slotCount = 1024
    private var slots = [[Timer]](repeating: [], count: TimerWheel.slotCount)
    private(set) var count = 0
    /// All timers at ticks up to this one have been handed out.
    private(set) var current: UInt64

    init(at tick: UInt64) { current = tick }

    /// A tick that has passed already counts as the next one. Returns the timer as it was set.
    @discardableResult
    mutating func set(_ timer: Timer) -> Timer {
        var timer = timer
        timer.tick = max(timer.tick, current + 1)
        slots[Int(timer.tick % UInt64(Self.slotCount))].append(timer)
        count += 1
        return timer
    }

    /// Takes out a timer that `set` has returned; one that has been handed out is not missed.
    mutating func cancel(_ timer: Timer) {
        let slot = Int(timer.tick % UInt64(Self.slotCount))
        guard let index = slots[slot].firstIndex(of: timer) else { return }
        slots[slot].swapAt(index, slots[slot].count - 1)
        slots[slot].removeLast()
        count -= 1
    }

    /// Appends the timers up to `tick` to `due`, timeouts first.
    mutating func advance(to tick: UInt64, into due: inout [Timer]) {
        guard tick > current else { return }
        let start = due.count
        // After a long sleep each slot needs to be seen only once.
        let steps = min(tick - current, UInt64(Self.slotCount))
        for step in 0..<steps {
            let slot = Int((tick - step) % UInt64(Self.slotCount))
            if slots[slot].isEmpty { continue }
            due += slots[slot].filter { $0.tick <= tick }
            slots[slot].removeAll { $0.tick <= tick }
        }
        current = tick
        count -= due.count - start
        if due.count - start > 1 {
            due[start...].sort {
                ($0.kind.rawValue, $0.tick, $0.target) < ($1.kind.rawValue, $1.tick, $1.target)
            }
        }
    }

    /// How many ticks may pass until a slot with timers comes up; nil where there are none.
    var ticksToNext: UInt64? {
        guard count > 0 else { return nil }
        for step in 1...UInt64(Self.slotCount)
        where !slots[Int((current + step) % UInt64(Self.slotCount))].isEmpty {
            return step
        }
        return nil
    }
}
