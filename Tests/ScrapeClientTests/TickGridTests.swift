// SPDX-License-Identifier: Apache-2.0

import ScrapeClient
import Testing

@Suite struct TickGridTests {
    private static let millisecond: UInt64 = 1_000_000
    private static let epoch: UInt64 = 1_795_545_480 * 1_000 * millisecond

    /// What the monotonic clock may show at a multiple of ten milliseconds of the wall clock.
    @Test(arguments: [7_000_000_000, 7_003_456_789, 7_009_999_999, 12_345] as [UInt64])
    func whatIsDueAtAMultipleBeginsThen(_ monotonic: UInt64) {
        let grid = TickGrid(milliseconds: 10, monotonic: monotonic, wall: Self.epoch)
        for tens in 0..<100 as Range<UInt64> {
            let due = monotonic + tens * 10 * Self.millisecond
            let start = grid.start(of: grid.tick(for: due))
            #expect(start >= due && start - due < Self.millisecond / 2)
        }
    }

    @Test func whatIsDueBetweenBeginsAtTheNextTick() {
        let grid = TickGrid(milliseconds: 10, monotonic: 5_004_000_000, wall: Self.epoch)
        for after in 1..<10 as Range<UInt64> {
            let due = 5_004_000_000 + after * Self.millisecond
            let start = grid.start(of: grid.tick(for: due))
            #expect(start > due && start - due <= (10 - after) * Self.millisecond + 100_000)
            #expect(grid.start(of: grid.tick(notBefore: due)) >= due)
        }
    }

    @Test func theGridFollowsAClockThatRunsFasterWithoutLosingATick() {
        var grid = TickGrid(milliseconds: 10, monotonic: 1 << 40, wall: Self.epoch)
        var last = grid.tick(at: 1 << 40)
        for second in 1..<400 as Range<UInt64> {
            // A second of ours is 1.0005 seconds of the wall clock.
            let monotonic = 1 << 40 + second * 1000 * Self.millisecond
            grid.follow(
                monotonic: monotonic, wall: Self.epoch + second * 1_000_500 * 1000)
            let tick = grid.tick(at: monotonic)
            #expect((99...101).contains(tick - last))
            last = tick
            let behind = (Self.epoch + second * 1_000_500 * 1000) % (10 * Self.millisecond)
            let due = monotonic - behind + 10 * Self.millisecond
            #expect(grid.start(of: grid.tick(for: due)) - due < Self.millisecond / 2)
        }
    }

    @Test func aClockThatIsSetMovesTheGridByHalfATickAtMost() {
        for step in [-3_600_004, -7, 3, 86_400_006] as [Int64] {
            var grid = TickGrid(milliseconds: 10, monotonic: 1 << 40, wall: Self.epoch)
            let before = grid.start(of: 200_000)
            let wall = UInt64(Int64(Self.epoch) + step * Int64(Self.millisecond))
            grid.follow(monotonic: 1 << 40, wall: wall)
            let after = grid.start(of: 200_000)
            #expect(max(before, after) - min(before, after) <= 5 * Self.millisecond)
        }
    }
}
