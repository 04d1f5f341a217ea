// SPDX-License-Identifier: Apache-2.0

/// The times at which a target is due: every `interval`, `phase` behind the multiples of it. All in
/// milliseconds since the Unix epoch. Because the times hang on the epoch and not on the start of
/// the program, a restart keeps them.
struct Schedule: Sendable, Hashable {
    let interval: Int64
    let phase: Int64

    init(interval: Int64, phase: Int64) {
        self.interval = interval
        self.phase = ((phase % interval) + interval) % interval
    }

    /// The first time at or after `time`.
    func first(notBefore time: Int64) -> Int64 {
        let past = (((time - phase) % interval) + interval) % interval
        return past == 0 ? time : time - past + interval
    }

    /// The time after `last`, seen at `now`. Times that went by unused are left out; where the
    /// clock was set back the schedule starts anew.
    func next(after last: Int64, now: Int64) -> Int64 {
        let next = last + interval
        return next < now || next > now + 2 * interval ? first(notBefore: now + 1) : next
    }
}
