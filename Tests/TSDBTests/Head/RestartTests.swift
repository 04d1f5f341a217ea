// SPDX-License-Identifier: Apache-2.0

import Model
import Platform
import Storage
import TSDB
import Testing

/// What the head should hold, kept the simple way.
private struct SimpleHead {
    var columns: [Int: SeriesColumn] = [:]
    var newest: Int64?

    mutating func add(_ number: Int, _ time: Int64, _ value: Double, bound: Int64) {
        var column = columns[number] ?? SeriesColumn()
        guard time >= bound else { return }
        if let last = column.times.last, time <= last { return }
        column.times.append(time)
        column.bits.append(value.bitPattern)
        columns[number] = column
        newest = max(newest ?? time, time)
    }

    var contents: [Labels: SeriesColumn] {
        var found: [Labels: SeriesColumn] = [:]
        for (number, column) in columns { found[series(number)] = column }
        return found
    }
}

struct RestartTests {
    @Test(arguments: Array(1...6) as [UInt64])
    func randomHistoriesSurviveRestartsAtAnyMoment(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        var folder = TemporaryFolder()
        var options = HeadOptions()
        options.segmentSize = seed % 2 == 0 ? 32_768 : 131_072
        options.compression = [.none, .snappy, .zstd][Int(seed % 3)]
        var head = try openHead(folder, options)
        var model = SimpleHead()
        var time: Int64 = 1_700_000_000_000
        for _ in 0..<rounds(400, usual: 150) {
            time += Int64.random(in: 0...40_000, using: &random)
            let batchTime = time - (Int.random(in: 0..<10, using: &random) == 0 ? 50_000 : 0)
            let first = Int.random(in: 0..<30, using: &random)
            let numbers = Array(first..<(first + Int.random(in: 1...40, using: &random)))
            let scale = Double.random(in: -10...10, using: &random)
            let bound = (model.newest ?? batchTime) - 3_600_000
            try head.add(numbers, at: batchTime) { ($0 % 3 == 0 ? 1 : scale) * Double($0) }
            for number in numbers {
                let value = (number % 3 == 0 ? 1 : scale) * Double(number)
                model.add(number, batchTime, value, bound: bound)
            }
            switch Int.random(in: 0..<100, using: &random) {
            case 0:
                try head.close()
                head = try openHead(folder, options)
                #expect(try headContents(head) == model.contents)
            case 1:
                folder = try folder.copy()
                head = try openHead(folder, options)
                #expect(try headContents(head) == model.contents)
            default: break
            }
        }
        #expect(try headContents(head) == model.contents)
        folder = try folder.copy()
        #expect(try headContents(try openHead(folder, options)) == model.contents)
    }

    @Test(arguments: [WALCompression.none, .snappy, .zstd])
    func aTornTailLosesOnlyWhatItTore(compression: WALCompression) throws {
        let folder = TemporaryFolder()
        var options = HeadOptions()
        options.compression = compression
        let head = try openHead(folder, options)
        var states: [(size: Int, contents: [Labels: SeriesColumn])] = [(0, [:])]
        for step in 0..<rounds(30, usual: 14) {
            try head.add(Array(0..<(20 + step * 30)), at: Int64(step) * 1000) { Double($0 ^ step) }
            states.append((try folder.contents("wal/00000000").count, try headContents(head)))
        }
        let whole = try folder.contents("wal/00000000")
        var random = SeededGenerator(7)
        for _ in 0..<rounds(25, usual: 8) {
            let torn = try folder.copy()
            let size = Int.random(in: 0..<whole.count, using: &random)
            try torn.write(Array(whole[..<size]), "wal/00000000")
            let expected = states.last { $0.size <= size }!.contents
            let reopened = try openHead(torn, options)
            #expect(try headContents(reopened) == expected)
            // What was repaired takes samples and survives the next start.
            try reopened.add([0], at: 1_000_000) { _ in 5 }
            let after = try headContents(reopened)
            #expect(try headContents(try openHead(try torn.copy(), options)) == after)
        }
    }

    /// The message says which, and everything else stays as it is.
    @Test func withoutASegmentInTheMiddleTheLogIsNotRead() throws {
        let folder = TemporaryFolder()
        var options = HeadOptions()
        options.segmentSize = 32_768
        options.compression = .none
        let head = try openHead(folder, options)
        for step in 0..<60 { try head.add(Array(0..<200), at: Int64(step)) { Double($0) } }
        let broken = try folder.copy()
        let segments = broken.files(in: "wal")
        #expect(segments.count > 3)
        try LocalFileSystem().remove("\(broken.path)/wal/00000001")
        let error = #expect(throws: StorageError.self) { _ = try openHead(broken, options) }
        #expect(
            error?.message == "get segment range: segments are not sequential: the one before "
                + "\(broken.path)/wal/00000002 is missing")
        #expect(broken.files(in: "wal") == segments.filter { $0 != "00000001" })
    }

    @Test func aFlippedBitCostsWhatComesAfterIt() throws {
        let folder = TemporaryFolder()
        var options = HeadOptions()
        options.segmentSize = 32_768
        options.compression = .none
        let head = try openHead(folder, options)
        for step in 0..<40 { try head.add(Array(0..<200), at: Int64(step)) { Double($0) } }
        #expect(folder.files(in: "wal").count > 2)
        let broken = try folder.copy()
        var bytes = try broken.contents("wal/00000001")
        bytes[5000] ^= 4
        try broken.write(bytes, "wal/00000001")
        let reopened = try openHead(broken, options)
        let count = try headContents(reopened)[series(0)]?.times.count ?? 0
        #expect(count > 0 && count < 40)
        #expect(broken.files(in: "wal") == ["00000000", "00000001", "00000002"])
    }

    @Test func damagedHeadChunkFilesCostNothing() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder)
        for step in 0..<1000 {
            try head.add(Array(0..<50), at: Int64(step) * 1000) { Double($0 ^ step) }
        }
        let expected = try headContents(head)
        try head.close()
        #expect(folder.files(in: "chunks_head") == ["000001"])
        let bytes = try folder.contents("chunks_head/000001")
        #expect(try headContents(try openHead(try folder.copy())) == expected)
        for size in [0, 3, 8, 100, bytes.count / 2, bytes.count - 1] {
            let torn = try folder.copy()
            try torn.write(Array(bytes[..<size]), "chunks_head/000001")
            #expect(try headContents(try openHead(torn)) == expected, "cut to \(size)")
        }
        var flipped = bytes
        flipped[bytes.count / 3] ^= 1
        let broken = try folder.copy()
        try broken.write(flipped, "chunks_head/000001")
        #expect(try headContents(try openHead(broken)) == expected)
        // A file in front of others: those after it go too.
        let middle = try folder.copy()
        try middle.write(flipped, "chunks_head/000001")
        try middle.write(bytes, "chunks_head/000002")
        #expect(try headContents(try openHead(middle)) == expected)
    }
}
