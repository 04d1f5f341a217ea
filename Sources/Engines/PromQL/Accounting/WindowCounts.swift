// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage

/// How many samples the windows of one series cover, a histogram counted by its size.
struct WindowCounts {
    /// The samples of the widest window and of the last one.
    private(set) var widest: Int
    private(set) var last: Int
    /// The samples of all windows together, and without those that the window before has too.
    private(set) var covered: Int
    private(set) var distinct: Int
    private let floats: WindowIndex
    private let histograms: WindowIndex
    /// The sizes of the first histograms together, for each number of them; empty where there is
    /// none.
    private let sizes: [Int]

    init(_ floats: WindowIndex, _ histograms: WindowIndex, _ columns: borrowing SampleColumns) {
        self.floats = floats
        self.histograms = histograms
        widest = floats.widestWindow
        last = floats.lastWindow
        covered = floats.coveredSamples
        distinct = floats.distinctSamples
        var sizes: [Int] = []
        if !columns.histograms.isEmpty {
            sizes.append(0)
            for index in columns.histograms.indices {
                sizes.append(sizes[index] + columns.histograms[index].sampleCount)
            }
        }
        self.sizes = sizes
        if sizes.isEmpty { return }
        (widest, last, covered, distinct) = (0, 0, 0, 0)
        for step in 0..<floats.times.count {
            let (all, fresh) = counts(at: step)
            widest = max(widest, all)
            last = all
            covered += all
            distinct += fresh
        }
    }

    /// The samples of a window, and those of them that the window before does not have.
    func counts(at step: Int) -> (covered: Int, fresh: Int) {
        let window = floats.window(step)
        let fresh = floats.freshWindow(step)
        if sizes.isEmpty { return (window.count, fresh.count) }
        let other = histograms.window(step)
        let otherFresh = histograms.freshWindow(step)
        return (
            window.count + sizes[other.upperBound] - sizes[other.lowerBound],
            fresh.count + sizes[otherFresh.upperBound] - sizes[otherFresh.lowerBound]
        )
    }
}
