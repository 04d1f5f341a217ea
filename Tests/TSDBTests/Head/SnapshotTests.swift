// SPDX-License-Identifier: Apache-2.0

import Bytes
import Instrumentation
import Model
import Platform
import Storage
import TSDB
import Testing

private let snapshotPath = "narthex/head.snapshot"

/// Options under which a head takes snapshots at each clean end, or never by itself.
private func options(tail: Int = 1) -> HeadOptions {
    var options = HeadOptions()
    options.snapshotTail = tail
    options.segmentSize = 131_072
    return options
}

/// Opens a folder, and tells what was logged, to see whether the snapshot was used.
private func openTelling(
    _ folder: TemporaryFolder, minValidTime: Timestamp = .min
) throws -> (head: Head, complaints: [String]) {
    let lines = LogLines()
    var options = options(tail: .max)
    options.log = lines.logger
    let head = try openHead(folder, options, minValidTime: minValidTime)
    return (head, lines.all.filter { $0.contains("snapshot") })
}

struct SnapshotTests {
    /// The model is the same head without snapshots.
    @Test(arguments: Array(1...8) as [UInt64])
    func randomHistoriesLookTheSameWithSnapshots(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        var folder = TemporaryFolder()
        let plainFolder = TemporaryFolder()
        var head = try openHead(folder, options(tail: seed % 2 == 0 ? 1 : .max))
        let plain = try openHead(plainFolder, options(tail: .max))
        var time: Int64 = 1_700_000_000_000
        // The end of the blocks, as they would be.
        var minValidTime = Int64.min
        func reopen() throws -> Head {
            try openHead(folder, options(), minValidTime: minValidTime)
        }
        for _ in 0..<rounds(400, usual: 150) {
            time += Int64.random(in: 0...60_000, using: &random)
            let first = Int.random(in: 0..<60, using: &random)
            let numbers = Array(first..<(first + Int.random(in: 1...40, using: &random)))
            let scale = Double.random(in: -10...10, using: &random)
            for target in [head, plain] {
                try target.add(numbers, at: time) { ($0 % 3 == 0 ? 1 : scale) * Double($0) }
            }
            switch Int.random(in: 0..<60, using: &random) {
            case 0...2: head.takeSnapshot()
            case 3:
                try head.close()
                head = try reopen()
            case 4, 5:
                folder = try folder.copy()
                head = try reopen()
                #expect(try headContents(head) == headContents(plain))
            case 6 where time > 1_700_002_000_000:
                minValidTime = time - 2_000_000
                for target in [head, plain] { try target.truncateWithLog(before: minValidTime) }
                #expect(try headContents(head) == headContents(plain))
            default: break
            }
        }
        folder = try folder.copy()
        head = try reopen()
        #expect(try headContents(head) == headContents(plain))
        // The log is complete without the snapshot.
        let bare = try folder.copy()
        try LocalFileSystem().remove("\(bare.path)/narthex")
        let expected = try headContents(plain)
        let matchers = [try Matcher("instance", .regexMatch, "host-[13]")]
        folder = bare
        #expect(try headContents(try reopen()) == expected)
        let selected = try headContents(plain, matchers)
        #expect(try headContents(head, matchers) == selected)
    }

    @Test func onlyTheLogBehindTheSnapshotIsRead() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options(tail: .max))
        for step in 0..<400 {
            try head.add(Array(0..<50), at: Int64(step) * 15_000) { Double($0 * step) }
            if step == 300 { head.takeSnapshot() }
        }
        let contents = try headContents(head)
        let crashed = try folder.copy()
        // Whatever stands well in front of the place: it is not looked at.
        let rest = try crashed.contents("wal/00000000").dropFirst(32_768)
        #expect(rest.count > 8192)
        try crashed.write([UInt8](repeating: 0xFF, count: 32_768) + rest, "wal/00000000")
        let (reopened, complaints) = try openTelling(crashed)
        #expect(complaints.isEmpty)
        #expect(try headContents(reopened) == contents)
    }

    /// New series, and samples in the chunks that were open, go on from it.
    @Test func aHeadFromASnapshotGoesOn() throws {
        let folder = TemporaryFolder()
        let (first, second) = (TemporaryFolder(), TemporaryFolder())
        let head = try openHead(folder, options())
        for step in 0..<130 {
            try head.add(Array(0..<20), at: Int64(step) * 15_000) { Double($0 ^ step) }
        }
        try head.close()
        #expect(folder.files(in: "narthex") == ["head.snapshot"])
        for target in [first, second] {
            try LocalFileSystem().remove(target.path)
            let copy = try folder.copy()
            try LocalFileSystem().rename(copy.path, to: target.path)
        }
        try LocalFileSystem().remove("\(second.path)/narthex")
        let (with, complaints) = try openTelling(first)
        #expect(complaints.isEmpty)
        let without = try openHead(second, options(tail: .max))
        for head in [with, without] {
            for step in 130..<400 {
                try head.add(Array(10..<40), at: Int64(step) * 15_000) { Double($0 ^ step) }
            }
        }
        #expect(try headContents(with) == headContents(without))
        for (head, folder) in [(with, first), (without, second)] {
            try head.close()
            try LocalFileSystem().remove("\(folder.path)/narthex")
        }
        let both = try [first, second].map { try headContents(try openHead($0, options())) }
        #expect(both[0] == both[1])
        #expect(both[0].count == 40)
    }

    @Test func aDamagedSnapshotIsLeftOut() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options(tail: .max))
        for step in 0..<150 {
            try head.add(Array(0..<60), at: Int64(step) * 15_000) { Double($0 * step) }
            if step == 140 { head.takeSnapshot() }
        }
        let contents = try headContents(head)
        let whole = try folder.contents(snapshotPath)
        var random = SeededGenerator(3)
        for round in 0..<rounds(120, usual: 40) {
            let crashed = try folder.copy()
            var bytes = whole
            let at = Int.random(in: 0..<bytes.count, using: &random)
            if round % 4 == 0 { bytes.removeLast(bytes.count - at) } else { bytes[at] ^= 0x20 }
            try crashed.write(bytes, snapshotPath)
            let (reopened, complaints) = try openTelling(crashed)
            #expect(complaints.count == 1)
            #expect(try headContents(reopened) == contents)
        }
    }

    /// Wrong bytes behind right checksums lead to an error or to wrong answers, not to a trap.
    @Test func whateverItHoldsNothingTraps() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options(tail: .max))
        for step in 0..<150 {
            try head.add(Array(0..<12), at: Int64(step) * 15_000) { Double($0 * step) }
        }
        try head.add([13], at: 3_000_000) { Double($0) }
        head.takeSnapshot()
        let whole = try folder.contents(snapshotPath)
        var random = SeededGenerator(11)
        for _ in 0..<rounds(2000, usual: 60) {
            let crashed = try folder.copy()
            try crashed.write(spoilt(whole, &random), snapshotPath)
            let reopened = try openHead(crashed, options(tail: .max))
            readAll(reopened)
            for step in 0..<3 {
                _ = try? reopened.add(Array(0..<14), at: 3_100_000 + Int64(step)) { Double($0) }
            }
        }
    }

    private func readAll(_ head: Head) {
        let range = TimeRange(start: .min, end: .max)
        guard let querier = try? head.querier(over: range),
            let set = try? querier.select([], hints: SelectHints(range: range))
        else { return }
        var columns = SampleColumns()
        for index in 0..<set.count {
            _ = set.labels(at: index).description
            try? set.read(index, range, into: &columns)
        }
    }

    /// The bytes of a snapshot with some in one of its frames replaced, and its checksum right.
    private func spoilt(_ whole: [UInt8], _ random: inout SeededGenerator) -> [UInt8] {
        var starts: [Int] = []
        var at = 8
        func length(_ at: Int) -> Int {
            (0..<4).reduce(0) { $0 | Int(whole[at + 1 + $1]) << ($1 * 8) }
        }
        while at + 9 <= whole.count {
            if length(at) > 0 { starts.append(at) }
            at += 9 + length(at)
        }
        var bytes = whole
        let frame = starts.randomElement(using: &random) ?? 8
        let data = (frame + 9)..<(frame + 9 + length(frame))
        for _ in 0..<Int.random(in: 1...3, using: &random) {
            let place = Int.random(in: data, using: &random)
            bytes[place] = [0, 1, 0x7F, 0x80, 0xFF, bytes[place] ^ 8].randomElement(using: &random)!
        }
        let checksum = crc32c(Array(bytes[data])) ^ (UInt32(bytes[frame]) &* 0x9E37_79B1)
        for index in 0..<4 {
            bytes[frame + 5 + index] = UInt8(truncatingIfNeeded: checksum >> UInt32(index * 8))
        }
        return bytes
    }

    /// What stands beside the snapshot may be another one's, after a folder was put together from
    /// parts or another program wrote to it.
    @Test(arguments: ["wal/00000000", "chunks_head/000001"])
    func aSnapshotThatDoesNotFitIsLeftOut(file: String) throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options())
        for step in 0..<140 {
            try head.add(Array(0..<20), at: Int64(step) * 15_000) { Double($0 * step) }
        }
        try head.close()
        let other = TemporaryFolder()
        let otherHead = try openHead(other, options(tail: .max))
        for step in 0..<150 {
            try otherHead.add(Array(5..<25), at: Int64(step) * 15_000) { Double($0 + step) }
        }
        try otherHead.close()
        let mixed = try other.copy()
        if file.hasPrefix("chunks") {
            try mixed.write(try folder.contents("wal/00000000"), "wal/00000000")
        } else {
            try mixed.write(try folder.contents("chunks_head/000001"), "chunks_head/000001")
        }
        let bare = try mixed.copy()
        try mixed.write(try folder.contents(snapshotPath), snapshotPath)
        let (reopened, complaints) = try openTelling(mixed)
        #expect(complaints.count == 1)
        #expect(try headContents(reopened) == headContents(try openHead(bare, options())))
    }

    /// The log has what the damaged file held.
    @Test func damageInHeadChunkFilesIsFoundAndRepaired() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options())
        for step in 0..<300 {
            try head.add(Array(0..<20), at: Int64(step) * 15_000) { Double($0 * step) }
        }
        let contents = try headContents(head)
        try head.close()
        var bytes = try folder.contents("chunks_head/000001")
        bytes[bytes.count / 2] ^= 4
        try folder.write(bytes, "chunks_head/000001")
        let (reopened, complaints) = try openTelling(folder)
        #expect(complaints.count == 1)
        #expect(try headContents(reopened) == contents)
    }

    @Test func blocksThatWereCutSinceHideWhatTheyHold() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options())
        for step in 0..<1000 {
            try head.add(Array(0..<10), at: Int64(step) * 15_000) { Double($0 * step) }
        }
        try head.close()
        let end: Int64 = 2 * 3_600_000
        let (reopened, complaints) = try openTelling(try folder.copy(), minValidTime: end)
        #expect(complaints.isEmpty)
        let times = try headContents(reopened).values.flatMap(\.times)
        #expect(times.min() == end && times.max() == 999 * 15_000)
        #expect(reopened.timeRange?.start == end)
    }

    @Test("A start that wants more than the head had when it was taken reads the log instead")
    func snapshotsOfWhatIsGoneAreLeftOut() throws {
        let folder = TemporaryFolder()
        let end: Int64 = 2 * 3_600_000
        let head = try openHead(folder, options())
        for step in 0..<1000 {
            try head.add(Array(0..<10), at: Int64(step) * 15_000) { Double($0 * step) }
        }
        try head.truncateWithLog(before: end)
        try head.add(Array(0..<10), at: 15_000_000) { Double($0) }
        try head.close()
        let complaints = try openTelling(try folder.copy(), minValidTime: end).complaints
        #expect(complaints.isEmpty)
        // As where the block that ends there is damaged.
        let (earlier, found) = try openTelling(folder)
        #expect(found.count == 1 && found[0].contains("a block from before it cannot be read"))
        try earlier.close()
    }

    @Test func nothingIsWrittenWhereNothingWasLogged() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options(tail: 1 << 16))
        try head.add([1, 2, 3], at: 1000) { Double($0) }
        head.takeSnapshot()
        try head.close()
        let path = "\(folder.path)/\(snapshotPath)"
        try LocalFileSystem().link(path, as: "\(path).kept")
        try openHead(folder, options(tail: 1 << 16)).close()
        // Both names still name one file.
        try LocalFileSystem().open("\(path).kept", .readWrite).truncate(to: 1)
        #expect(try folder.contents(snapshotPath).count == 1)
    }

    @Test func aFullDiskCostsTheSnapshotAlone() throws {
        let folder = TemporaryFolder()
        let disk = FullDisk()
        let head = try openHead(folder, options(tail: .max), disk)
        for step in 0..<30 {
            try head.add(Array(0..<40), at: Int64(step) * 15_000) { Double($0 * step) }
        }
        disk.isFull.withLock { $0 = true }
        head.takeSnapshot()
        #expect(folder.files(in: "narthex") == [])
        disk.isFull.withLock { $0 = false }
        try head.add([1], at: 600_000) { _ in 4 }
        let contents = try headContents(head)
        #expect(try headContents(try openHead(try folder.copy(), options())) == contents)
    }

    @Test func whatWasDeletedStaysAway() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, options(tail: .max))
        for step in 0..<200 {
            try head.add(Array(0..<10), at: Int64(step) * 15_000) { Double($0 * step) }
            let host = [Matcher("instance", equals: "host-1")]
            if step == 80 { try head.delete(TimeRange(start: 150_000, end: 600_000), host) }
            if step == 120 { head.takeSnapshot() }
            if step == 150 { try head.delete(TimeRange(start: 1_500_000, end: 9_000_000), host) }
        }
        let contents = try headContents(head)
        #expect(contents[series(8)]?.times.count == 200 - 31 - 51)
        let (reopened, complaints) = try openTelling(try folder.copy())
        #expect(complaints.isEmpty)
        #expect(folder.files(in: "narthex") == ["head.snapshot"])
        #expect(try headContents(reopened) == contents)
    }

    @Test func lateSamplesComeFromTheirOwnLogBesideASnapshot() throws {
        let folder = TemporaryFolder()
        var late = options(tail: .max)
        late.outOfOrderWindow = 10_000_000
        let head = try openHead(folder, late)
        // More than an open chunk of late samples takes, before and behind the snapshot.
        for step in 0..<50 as Range<Int64> {
            try head.add([1, 2], at: 5_000_000 + step * 1000) { Double($0) }
            try head.add([2, 3], at: 4_000_000 - step * 1000) { Double($0) }
            if step == 40 { head.takeSnapshot() }
        }
        let expected = try headContents(head)
        #expect(expected[series(2)]?.times.count == 100)
        let (reopened, complaints) = try openTelling(try folder.copy())
        #expect(complaints.isEmpty)
        #expect(try headContents(reopened) == expected)
    }

    /// A series that left the head and came back has two refs in the log. The first is used from
    /// the next start on; the write-behind log goes on having samples under the second.
    @Test func lateSamplesUnderASecondRefAreFound() throws {
        var folder = TemporaryFolder()
        var late = options(tail: .max)
        late.outOfOrderWindow = 100_000_000
        var head = try openHead(folder, late)
        try head.add([1, 2], at: 1_000_000) { Double($0) }
        try head.add([2], at: 50_000_000) { Double($0) }
        try head.truncateWithLog(before: 20_000_000)
        try head.add([1], at: 60_000_000) { Double($0) }
        try head.add([1], at: 55_000_000) { Double($0) }
        let expected = try headContents(head)
        #expect(expected[series(1)]?.times == [55_000_000, 60_000_000])
        folder = try folder.copy()
        head = try openHead(folder, late, minValidTime: 20_000_000)
        #expect(try headContents(head) == expected)
        for round in 1...2 as ClosedRange<Int64> {
            try head.add([2], at: 60_000_000 + round) { Double($0) }
            let expected = try headContents(head)
            head.takeSnapshot()
            folder = try folder.copy()
            #expect(folder.files(in: "narthex") == ["head.snapshot", "start"])
            head = try openHead(folder, late, minValidTime: 20_000_000)
            #expect(try headContents(head) == expected)
        }
    }
}
