// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Platform
internal import Storage
internal import TSDB

extension Run {
    /// Deletes a part of the time of some series.
    mutating func delete() throws(Disagreement) {
        let matcher: Matcher
        do { matcher = try someMatcher() } catch { throw Disagreement("\(error)") }
        let start = surroundings.clock - Timestamp(random.below(6 * Int(setup.blockRange)))
        let range = TimeRange(
            start: start, end: start + Timestamp(random.below(3 * Int(setup.blockRange))))
        var hasFailed = false
        do throws(StorageError) {
            try database?.delete(range, [matcher])
        } catch {
            try excuse(error, "deleting")
            hasFailed = true
            note("failed: \(error)")
        }
        for labels in expectation.series.keys.sorted() where matcher.matches(labels) {
            expectation.delete(range, of: labels, hasFailed: hasFailed)
        }
        note("\(matcher) from \(range.start) through \(range.end)")
    }

    mutating func cleanTombstones() throws(Disagreement) {
        do throws(StorageError) {
            try database?.cleanTombstones()
            noteBlocks()
        } catch {
            try excuse(error, "cleaning tombstones")
            note("failed: \(error)")
        }
    }
}
