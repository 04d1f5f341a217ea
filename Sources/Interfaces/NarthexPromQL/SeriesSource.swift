// SPDX-License-Identifier: Apache-2.0

/// Where the engine gets its series from. It asks once for each selector of a query, and then for
/// the samples of one series after the other, whole columns at a time.
public protocol SeriesSource: Sendable {
    /// The series that fulfil all matchers and may have samples between the two times, both
    /// included, in any order. Several queries may ask at once.
    func series(
        matching matchers: [LabelMatcher], from start: Int64, through end: Int64
    ) throws -> any SelectedSeries
}

/// What a source found: a fixed list of series. It must not change while a query holds it, and may
/// be asked from several threads.
public protocol SelectedSeries: Sendable {
    var count: Int { get }
    /// Each label set appears once.
    func labels(at index: Int) -> LabelSet
    /// The samples between the two times, both included; samples outside of them are left out by
    /// the engine.
    func samples(at index: Int, from start: Int64, through end: Int64) throws -> SampleHistory
}
