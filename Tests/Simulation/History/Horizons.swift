// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import TSDB

/// What retention may have taken of the series, and what it must hide.
struct Horizons: Sendable {
    private let retention: RetentionSettings
    /// The highest end of blocks that there ever was.
    private var highestEnd = Timestamp.min
    /// The end of the newest block now.
    private var end = Timestamp.min
    /// Before this time the head shows nothing, but for late samples.
    private var startOfHead = Timestamp.min

    init(_ retention: RetentionSettings) { self.retention = retention }

    /// Blocks have these ends now, and the head begins at `startOfHead`.
    mutating func move(to ends: [Timestamp], startOfHead: Timestamp) {
        end = ends.max() ?? .min
        self.startOfHead = startOfHead
        highestEnd = max(highestEnd, end)
    }

    /// The head begins at another time, or at last: it may have been empty.
    mutating func beginHead(at time: Timestamp) { startOfHead = time }

    /// Whether what is hidden may be seen again, when the end of blocks goes back: it stays on disk
    /// for a while.
    var mayReturn: Bool { !retention.series.isEmpty }

    private func rule(of labels: Labels) -> SeriesRetention? {
        retention.series.first { rule in
            rule.selectors.contains { $0.allSatisfy { $0.matches(labels) } }
        }
    }

    /// How long a series is kept; zero for ever.
    private func time(of labels: Labels) -> Milliseconds {
        rule(of: labels)?.time ?? retention.time
    }

    /// Before this time samples of a series may be gone.
    func horizon(of labels: Labels) -> Timestamp {
        let time = time(of: labels)
        return time == 0 || highestEnd == .min ? .min : highestEnd - time
    }

    /// Whether a sample must not be seen any more: times of single series are kept exactly.
    func mustHide(_ entry: Expectation.Entry, of labels: Labels) -> Bool {
        guard !entry.isLate, entry.time < min(startOfHead, end), let rule = rule(of: labels),
            rule.time > 0
        else { return false }
        return entry.time < end - rule.time
    }
}
