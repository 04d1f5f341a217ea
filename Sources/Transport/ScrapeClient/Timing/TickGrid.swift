// SPDX-License-Identifier: Apache-2.0

/// Cuts the time of the monotonic clock into ticks that begin a little behind the multiples of a
/// tick of the wall clock. Scrapes are due at such multiples; so those that are due together begin
/// together, and so little after they are due that their samples get that very time.
///
/// The wall clock may be set or run faster: the grid follows it by the shortest way, at most half a
/// tick, and no tick is lost. Times are nanoseconds.
package struct TickGrid: Sendable {
    private let unit: UInt64
    /// What is added to the monotonic time.
    private var shift: Int64 = 0
    /// How far behind a multiple a tick begins, so that the wall clock, read then, has passed it.
    private static let margin: Int64 = 100_000
    /// A time that lies no further than this behind the beginning of a tick counts as on it.
    private static let tolerance: UInt64 = 500_000

    package init(milliseconds: Int64, monotonic: UInt64, wall: UInt64) {
        unit = UInt64(max(1, milliseconds)) * 1_000_000
        follow(monotonic: monotonic, wall: wall)
    }

    /// Moves the grid to where the wall clock, read together with the other, has its multiples.
    package mutating func follow(monotonic: UInt64, wall: UInt64) {
        let size = Int64(unit)
        let place = Int64(wall % unit) - Int64(monotonic % unit) - Self.margin - shift
        let distance = ((place % size) + size) % size
        shift += distance > size / 2 ? distance - size : distance
    }

    private func shifted(_ monotonic: UInt64) -> UInt64 {
        UInt64(max(0, Int64(clamping: monotonic) + shift))
    }

    /// The tick at a time.
    package func tick(at monotonic: UInt64) -> UInt64 { shifted(monotonic) / unit }

    /// The first tick that begins at a time or later.
    package func tick(notBefore monotonic: UInt64) -> UInt64 {
        (shifted(monotonic) + unit - 1) / unit
    }

    /// The tick for something that is due at a time: the one that begins then, or the next.
    package func tick(for monotonic: UInt64) -> UInt64 {
        tick(notBefore: monotonic > Self.tolerance ? monotonic - Self.tolerance : 0)
    }

    /// When a tick begins.
    package func start(of tick: UInt64) -> UInt64 {
        UInt64(max(0, Int64(clamping: tick * unit) - shift))
    }
}
