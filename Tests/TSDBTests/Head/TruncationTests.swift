// SPDX-License-Identifier: Apache-2.0

import ChunkEncoding
import Model
import Platform
import Storage
import TSDB
import Testing

struct TruncationTests {
    private let hour: Int64 = 3_600_000

    /// Four hours at 30 s; some series end after one hour, others begin in the third.
    private func fill(_ head: Head) throws {
        for step in 0..<480 {
            let time = Int64(step) * 30_000
            let numbers = Array(0..<40).filter {
                $0 % 4 == 0 ? time < hour : $0 % 4 == 1 ? time >= 2 * hour : true
            }
            try head.add(numbers, at: time) { Double($0) * Double(step % 10) }
        }
    }

    private func smallSegments() -> HeadOptions {
        var options = HeadOptions()
        options.segmentSize = 32_768
        options.compression = .none
        return options
    }

    private func later(_ all: [Labels: SeriesColumn], than time: Int64) -> [Labels: SeriesColumn] {
        var kept: [Labels: SeriesColumn] = [:]
        for (labels, column) in all {
            let first = column.times.firstIndex { $0 >= time } ?? column.times.count
            guard first < column.times.count else { continue }
            kept[labels] = SeriesColumn(
                times: Array(column.times[first...]), bits: Array(column.bits[first...]))
        }
        return kept
    }

    @Test func truncationKeepsWhatIsYoungerAndDropsSeries() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder, smallSegments())
        try fill(head)
        let all = try headContents(head)
        #expect(head.seriesCount == 40)
        try head.truncateWithLog(before: 2 * hour)
        #expect(try headContents(head) == later(all, than: 2 * hour))
        #expect(head.seriesCount == 30)
        #expect(head.timeRange == TimeRange(start: 2 * hour, end: 479 * 30_000))
        #expect(folder.files(in: "wal").contains { $0.hasPrefix("checkpoint.") })
        #expect(!folder.files(in: "wal").contains("00000000"))
        // What is gone comes back under a new ref, in a slot that was used before.
        try head.add([0, 4, 100], at: 4 * hour) { Double($0) }
        let now = try headContents(head)
        #expect(now[series(0)]?.times == [4 * hour])
        let reopened = try openHead(try folder.copy(), smallSegments(), minValidTime: 2 * hour)
        #expect(try headContents(reopened) == now)
        try reopened.truncateWithLog(before: 4 * hour)
        #expect(try headContents(reopened) == later(now, than: 4 * hour))
        let again = try openHead(try folder.copy(), smallSegments(), minValidTime: 4 * hour)
        #expect(try headContents(again) == later(now, than: 4 * hour))
    }

    @Test func staleRefsAreRefusedAfterTruncation() throws {
        let head = try openHead(TemporaryFolder())
        let old = try head.resolve([series(0)])[0]
        try fill(head)
        try head.truncateWithLog(before: 2 * hour)
        var batch = SampleBatch(sharedTimestamp: 5 * hour)
        batch.append(old, 1)
        #expect(try head.commit(batch, .skipFaulty).faults.map(\.fault) == [.staleRef])
        #expect(try head.resolve([series(0)])[0] != old)
    }

    @Test(arguments: [1, 2, 3] as [UInt64])
    func truncationAtRandomMomentsAgreesWithTheModel(seed: UInt64) throws {
        var random = SeededGenerator(seed)
        let folder = TemporaryFolder()
        var head = try openHead(folder, smallSegments())
        var expected: [Labels: SeriesColumn] = [:]
        var lower: Int64 = 0
        for step in 0..<rounds(1200, usual: 600) {
            let time = Int64(step) * 60_000
            let first = (step / 100) * 10 + Int.random(in: 0..<10, using: &random)
            let numbers = Array(first..<(first + 25))
            try head.add(numbers, at: time) { Double($0 * step) }
            for number in numbers {
                expected[series(number), default: SeriesColumn()].times.append(time)
                expected[series(number)]!.bits.append(Double(number * step).bitPattern)
            }
            guard Int.random(in: 0..<60, using: &random) == 0 else { continue }
            if time - lower > 3 * hour {
                lower = (time - hour) / (2 * hour) * 2 * hour
                try head.truncateWithLog(before: lower)
                expected = later(expected, than: lower)
            } else {
                try head.close()
                head = try openHead(folder, smallSegments(), minValidTime: lower)
            }
            #expect(try headContents(head) == expected)
        }
    }

    @Test func aBlockSourceHandsOutARangeInLabelOrder() throws {
        let head = try openHead(TemporaryFolder())
        try fill(head)
        let all = try headContents(head)
        for range in [
            TimeRange(start: 0, end: 2 * hour - 1), TimeRange(start: 17, end: hour + 15_001),
            TimeRange(start: 0, end: 4 * hour),
        ] {
            var found: [Labels: SeriesColumn] = [:]
            var previous: Labels?
            try head.blockSource(range).forEachSeries { labels, chunks in
                if let previous { #expect(previous < labels) }
                previous = labels
                var column = SeriesColumn()
                for chunk in chunks {
                    #expect(chunk.range.start >= range.start && chunk.range.end <= range.end)
                    var values: [Double] = []
                    let count = column.times.count
                    try! decodeFloats(
                        chunk.bytes.span.bytes, chunk.encoding,
                        within: TimeRange(start: .min, end: .max), &column.times, &values)
                    column.bits += values.map(\.bitPattern)
                    #expect(column.times.count - count == chunk.sampleCount)
                    #expect(column.times[count] == chunk.range.start)
                    #expect(column.times.last == chunk.range.end)
                }
                found[labels] = column
            }
            var expected: [Labels: SeriesColumn] = [:]
            for (labels, column) in all {
                let inside = column.times.indices.filter {
                    column.times[$0] >= range.start && column.times[$0] <= range.end
                }
                guard !inside.isEmpty else { continue }
                expected[labels] = SeriesColumn(
                    times: inside.map { column.times[$0] }, bits: inside.map { column.bits[$0] })
            }
            #expect(found == expected)
        }
    }

    @Test func statusCountsLabels() throws {
        let head = try openHead(TemporaryFolder())
        try head.add(Array(0..<21), at: 1) { Double($0) }
        let status = head.status(limit: 2)
        #expect(status.seriesCount == 21)
        #expect(status.labelPairCount == 7 + 3 + 1)
        #expect(status.chunkCount == 21)
        #expect(status.seriesCountByMetricName == [.init("metric_0", 3), .init("metric_1", 3)])
        #expect(status.labelValueCountByLabelName == [.init("__name__", 7), .init("instance", 3)])
        #expect(status.seriesCountByLabelValuePair.first == .init("job=test", 21))
        #expect(status.memoryInBytesByLabelName.first == .init("__name__", 21 * 18))
    }
}
