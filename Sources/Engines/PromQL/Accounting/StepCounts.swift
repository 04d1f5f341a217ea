// SPDX-License-Identifier: Apache-2.0

internal import Model

/// How many samples there are at each step. Rows without gaps, which most are, cost one addition.
struct StepCounts {
    private var everywhere = 0
    private var counts: [Int]

    init(steps: Int) { counts = [Int](repeating: 0, count: steps) }

    subscript(step: Int) -> Int { everywhere + counts[step] }

    /// Counts each sample of a row, a histogram as `weight` says.
    mutating func add(_ row: borrowing Row, weight: (FloatHistogram) -> Int) {
        if row.floats.isFull {
            everywhere += 1
        } else {
            row.floats.forEach { counts[$0] += 1 }
        }
        for step in row.histograms.indices {
            if let histogram = row.histograms[step] { counts[step] += weight(histogram) }
        }
    }

    mutating func add(_ count: Int, at step: Int) { counts[step] += count }

    mutating func add(atEveryStep count: Int) { everywhere += count }

    mutating func add(_ other: StepCounts) {
        everywhere += other.everywhere
        for step in counts.indices { counts[step] += other.counts[step] }
    }

    /// The numbers step by step.
    var all: [Int] { counts.map { $0 + everywhere } }
}
