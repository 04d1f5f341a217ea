// SPDX-License-Identifier: Apache-2.0

package import Model

/// Something that answers which exemplars there are.
package protocol ExemplarQueryable: Sendable {
    /// The exemplars within the closed range of all series that fulfil one of the sets of matchers:
    /// series in label order, exemplars in time order.
    func exemplars(
        over range: TimeRange, _ matcherSets: [[Matcher]]
    ) throws(StorageError) -> [SeriesExemplars]
}

/// The exemplars of one series.
package struct SeriesExemplars: Sendable, Hashable {
    package var labels: Labels
    /// Each has a timestamp.
    package var exemplars: [Exemplar]

    package init(labels: Labels, exemplars: [Exemplar]) {
        self.labels = labels
        self.exemplars = exemplars
    }
}

/// An exemplar on its way into a storage, as part of a batch.
package struct BatchExemplar: Sendable, Hashable {
    /// Whose exemplar it is.
    package enum Series: Sendable, Hashable {
        case ref(SeriesRef)
        /// Stored only where such a series is there already.
        case labels(Labels)
    }

    package var series: Series
    package var exemplar: Exemplar
    /// When it counts as taken where it does not say so itself.
    package var defaultTimestamp: Timestamp
    /// The position in the batch of the sample that it came with: where that is refused, so is the
    /// exemplar. Nil for one that came alone.
    package var sample: Int?

    package init(
        series: Series, exemplar: Exemplar, defaultTimestamp: Timestamp, sample: Int? = nil
    ) {
        self.series = series
        self.exemplar = exemplar
        self.defaultTimestamp = defaultTimestamp
        self.sample = sample
    }
}
