// SPDX-License-Identifier: Apache-2.0

import Model
import Storage
import TSDB
import Testing

private let begin: Int64 = 1_767_225_600_000

/// What comes next in the history of a series: how long after the last sample, and what.
private enum Step: CaseIterable {
    case soon, gap, marker, nan
}

private func known(_ head: Head, _ labels: Labels) throws -> TimeRange? {
    let range = TimeRange(start: .min, end: .max)
    let matchers = labels.map { Matcher($0.name, equals: $0.value) }
    let querier = try head.querier(over: range)
    let set = try querier.select(matchers, hints: SelectHints(range: range))
    return set.count == 1 ? set.steadyRun(0) : nil
}

@Suite struct SteadyRunTests {
    @Test("A series is steady from the first sample behind its last gap or marker to its newest")
    func runs() throws {
        let folder = TemporaryFolder()
        let head = try openHead(folder)
        func add(_ seconds: Int64, _ value: Double = 1) throws {
            try head.add([1], at: begin + seconds * 1000, .skipFaulty) { _ in value }
        }
        func expectRun(_ seconds: ClosedRange<Int64>?) throws {
            let expected = seconds.map {
                TimeRange(start: begin + $0.lowerBound * 1000, end: begin + $0.upperBound * 1000)
            }
            #expect(try known(head, series(1)) == expected)
        }
        try add(0)
        // Whole seconds behind the first sample.
        try expectRun(nil)
        try add(15)
        try add(135)
        try expectRun(1...135)
        try add(255)
        try expectRun(1...255)
        try add(376)
        try add(380)
        try expectRun(377...380)
        try add(395, StaleMarker.value)
        try expectRun(nil)
        try add(410)
        try add(425, .nan)
        try expectRun(411...425)
        try head.close()
    }

    @Test(
        "What is known of random series without decoding is true, after a restart, too",
        arguments: 0..<6)
    func randomHistories(seed: Int) throws {
        let folder = TemporaryFolder()
        var head = try openHead(folder)
        var random = SeededGenerator(UInt64(seed) + 1)
        var times = [Int64](repeating: begin, count: 5)
        var isAnyKnown = false
        for round in 0..<300 {
            // Several samples of each series in one batch, next to one another or not.
            var batch = SampleBatch(sharedTimestamp: 0)
            let refs = try head.resolve((0..<5).map(series))
            for _ in 0..<Int.random(in: 1...12, using: &random) {
                let number = Int.random(in: 0..<5, using: &random)
                let isUsual = Int.random(in: 0..<8, using: &random) > 0
                let step = isUsual ? Step.soon : Step.allCases.randomElement(using: &random)!
                let distance = Int64.random(in: 1...20_000, using: &random)
                times[number] += step == .gap ? 121_000 : distance
                let value = step == .marker ? StaleMarker.value : step == .nan ? .nan : 1.5
                batch.append(refs[number], value, at: times[number])
            }
            _ = try head.commit(batch, .skipFaulty)
            if round % 10 == 0 {
                _ = try headContents(head)
                for number in 0..<5 {
                    if try known(head, series(number)) != nil { isAnyKnown = true }
                }
            }
            if round == 150 {
                try head.close()
                head = try openHead(folder)
            }
        }
        #expect(isAnyKnown)
        _ = try headContents(head)
        try head.close()
    }

    @Test("Where there are late samples, deletions or histograms, nothing is known")
    func exceptions() throws {
        let folder = TemporaryFolder()
        var options = HeadOptions()
        options.outOfOrderWindow = 3_600_000
        let head = try openHead(folder, options)
        for second in stride(from: Int64(0), to: 600, by: 15) {
            try head.add([1, 2, 3], at: begin + second * 1000) { Double($0) }
        }
        for number in 1...3 { #expect(try known(head, series(number)) != nil) }
        try head.add([1], at: begin + 5000) { _ in 7 }
        #expect(try known(head, series(1)) == nil)
        let times = TimeRange(start: begin + 100_000, end: begin + 200_000)
        try head.delete(times, [Matcher("__name__", equals: "metric_2")])
        #expect(try known(head, series(2)) == nil)
        var batch = SampleBatch(sharedTimestamp: begin + 700_000)
        let ref = try head.resolve([series(3)])[0]
        batch.histograms.append(
            HistogramSample(ref, .integer(customHistogram(1)), at: begin + 700_000))
        #expect(try head.commit(batch, .skipFaulty).stored == 1)
        #expect(try known(head, series(3)) == nil)
        try head.close()
    }
}
