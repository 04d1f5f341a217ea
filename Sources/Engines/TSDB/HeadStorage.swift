// SPDX-License-Identifier: Apache-2.0

package import Model
package import Storage

/// The newest data, still growing, as the database sees it: `Head`, or a stand-in in tests.
package protocol HeadStorage: Appendable, Queryable, ExemplarQueryable, Deletable {
    /// The times of the oldest and the newest sample (closed); nil where there is none.
    var timeRange: TimeRange? { get }

    /// The times between which there are samples that came late (closed), in addition to the
    /// others; nil where there are none.
    var outOfOrderRange: TimeRange? { get }

    /// What it found in its files that is not stored yet, and why nothing may change; nil for
    /// nothing.
    var foreignData: String? { get }

    /// What its files occupy.
    var byteCount: Int { get }

    /// The samples within a closed range, for a block. Samples in it are no longer accepted by
    /// then.
    func blockSource(_ range: TimeRange) -> any BlockSource

    /// All samples that came late, to be written as blocks; nil where there are none.
    func outOfOrderCut() throws(StorageError) -> (any OutOfOrderCut)?

    /// How many series there are, and how many of them ended with a staleness marker.
    var seriesCount: Int { get }
    var staleSeriesCount: Int { get }

    /// Memory that the head holds and can use again without asking the system for more.
    var reusableByteCount: Int { get }

    /// The series that ended with a staleness marker, but for those with late samples, to be
    /// written as blocks; nil where there are none.
    func staleSeriesCut() -> (any SeriesCut)?

    /// Lets go of all samples before a time, which a block holds now.
    func truncate(before time: Timestamp) throws(StorageError)

    /// Lets go of the part of the log that is filled by what truncations let go of.
    func truncateLog() throws(StorageError)

    /// Lets go of what was read of its files as memory of this process.
    func releasePages()

    /// Goes on with other settings, from now on.
    func apply(_ settings: DatabaseSettings) throws(StorageError)

    /// The totals, and the largest entries, `limit` of each kind.
    func status(limit: Int) -> DatabaseStatus

    /// Writes out what is pending and takes no more.
    func close() throws(StorageError)
}

/// Something whose samples can be deleted.
package protocol Deletable: Sendable {
    /// Deletes the samples in a closed range of the series that fulfil the matchers, but none that
    /// come later.
    func delete(_ range: TimeRange, _ matchers: [Matcher]) throws(StorageError)
}

/// Some series of a head with all their samples at one time, on their way into blocks.
package protocol SeriesCut: Sendable {
    /// From the oldest to the newest sample (closed).
    var range: TimeRange { get }

    /// The samples within a closed range, for a block.
    func source(_ range: TimeRange) -> any BlockSource

    /// Drops the series from the head, but for those that got samples since. Returns how many.
    func release() throws(StorageError) -> Int
}

/// The late samples of a head at one time, on their way into blocks.
package protocol OutOfOrderCut: Sendable {
    /// From the oldest to the newest (closed); nil where there are none.
    var range: TimeRange? { get }

    /// The samples within a closed range, for a block.
    func source(_ range: TimeRange) -> any BlockSource

    /// Lets go of the samples, which blocks hold now.
    func release() throws(StorageError)
}
