// SPDX-License-Identifier: Apache-2.0

internal import Model

/// One series over the steps of an evaluation: at each step a float, a histogram or nothing.
///
/// Rows are scratch memory: an operator lends its row to the next one for a call, which may change
/// it or swap it against another of the same width, and fills it anew for the next series.
struct Row {
    /// One value a step; undefined at steps outside `floats`.
    var values: [Double]
    /// The steps that have a float.
    var floats: StepSet
    /// Empty where the row has no histogram, else one entry a step, nil at steps of floats.
    var histograms: [FloatHistogram?] = []
    /// What `fill` is to look at before every step: for windows so long that a row takes seconds.
    var interruption: Interruption?

    init(width: Int) {
        values = [Double](repeating: 0, count: width)
        floats = StepSet(capacity: width)
    }

    var width: Int { values.count }
    var hasHistograms: Bool { !histograms.isEmpty }

    /// Whether no step has a sample.
    var isEmpty: Bool { floats.isEmpty && histograms.isEmpty }

    mutating func clear() {
        floats.removeAll()
        histograms.removeAll()
    }

    mutating func setFloat(_ value: Double, at step: Int) {
        values[step] = value
        floats.insert(step)
        if hasHistograms { histograms[step] = nil }
    }

    mutating func setHistogram(_ histogram: FloatHistogram, at step: Int) {
        if histograms.isEmpty { histograms = [FloatHistogram?](repeating: nil, count: width) }
        histograms[step] = histogram
        floats.remove(step)
    }

    mutating func remove(_ step: Int) {
        floats.remove(step)
        if hasHistograms { histograms[step] = nil }
    }

    /// The steps that have a histogram.
    var histogramSteps: StepSet {
        var steps = StepSet(capacity: width)
        for (step, histogram) in histograms.enumerated() where histogram != nil {
            steps.insert(step)
        }
        return steps
    }

    /// The steps that have a sample.
    var present: StepSet { hasHistograms ? floats.union(histogramSteps) : floats }

    /// Takes all samples outside `steps` away.
    mutating func keepOnly(_ steps: StepSet) {
        floats.formIntersection(steps)
        guard hasHistograms else { return }
        for step in histograms.indices where !steps.contains(step) { histograms[step] = nil }
        dropEmptyHistograms()
    }

    mutating func removeHistograms() { histograms.removeAll() }

    /// Returns to the form without a histogram column where none is left.
    mutating func dropEmptyHistograms() {
        if histograms.allSatisfy({ $0 == nil }) { histograms.removeAll() }
    }

    /// What the row counts against the limit of samples: a histogram by its size.
    var sampleCount: Int {
        var count = floats.count
        for case let histogram? in histograms { count += histogram.sampleCount }
        return count
    }

    /// Adds the samples of a row that shares no step with this one.
    mutating func merge(_ other: Row) {
        other.floats.forEach { setFloat(other.values[$0], at: $0) }
        for (step, histogram) in other.histograms.enumerated() {
            if let histogram { setHistogram(histogram, at: step) }
        }
    }
}

extension FloatHistogram {
    /// The size of a histogram in units of a float sample (16 bytes), with its timestamp, as
    /// upstream counts it.
    var sampleCount: Int {
        let buckets = positiveBuckets.count + negativeBuckets.count + customBounds.count
        let spans = positiveSpans.count + negativeSpans.count
        return (168 + buckets * 8 + spans * 8 + 8) / 16
    }
}
