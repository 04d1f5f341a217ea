// SPDX-License-Identifier: Apache-2.0

internal import Exposition
internal import Instrumentation
internal import Model
internal import Storage

extension Scrape {
    /// Samples further ahead of the clock are refused. Milliseconds.
    private static let farthestAhead: Milliseconds = 600_000

    var latestAccepted: Timestamp { timestamp + Self.farthestAhead }

    /// Finds the refs of new series and, the first time, of the reports.
    mutating func resolveNew() throws(ScrapeError) {
        let kept = new.labels.compactMap { $0 }
        if kept.isEmpty {
            new.refs = Array(repeating: SeriesTable.dropped, count: new.labels.count)
            return
        }
        let refs: [SeriesRef]
        do throws(StorageError) {
            refs = try surroundings.storage.resolve(kept)
        } catch {
            throw ScrapeError(error.message)
        }
        var next = refs.makeIterator()
        new.refs = new.labels.map { labels in
            labels == nil ? SeriesTable.dropped : next.next() ?? SeriesTable.dropped
        }
    }

    /// Puts the samples of the body into the batch.
    mutating func fill() {
        let isPlain =
            scratch.result.timestamps.isEmpty && scratch.result.repeats.isEmpty
            && table.droppedCount == 0 && new.labels.allSatisfy { $0 != nil }
            && new.samples.allSatisfy { $0.timestamp == nil }
        if isPlain, case .all = seen {
            // Every sample of the layout: index and ordinal are the same.
            scratch.batch.refs.append(contentsOf: table.refs[..<table.sampleCount])
            scratch.batch.values.append(contentsOf: scratch.result.values)
        } else {
            let timestamps = scratch.result.timestamps
            for ordinal in 0..<table.sampleCount where seen.has(ordinal) {
                let own = timestamps.isEmpty ? ScanResult.noTimestamp : timestamps[ordinal]
                add(
                    table.refs[ordinal], scratch.result.values[ordinal],
                    own == ScanResult.noTimestamp ? nil : own, source: Int32(ordinal))
            }
        }
        for (number, sample) in new.samples.enumerated() {
            add(
                new.refs[number], sample.value, sample.timestamp, source: ~Int32(number))
        }
        for sample in scratch.result.repeats {
            let ref = sample.ordinal < 0 ? new.refs[~sample.ordinal] : table.refs[sample.ordinal]
            add(ref, sample.value, sample.timestamp, source: Int32(sample.ordinal))
        }
        surroundings.metrics.duplicates.increment(by: Double(scratch.result.duplicates.count))
    }

    private mutating func add(
        _ ref: SeriesRef, _ value: Double, _ own: Timestamp?, source: Int32
    ) {
        if ref == SeriesTable.dropped { return }
        if let own {
            guard own <= latestAccepted else {
                surroundings.metrics.outOfBounds.increment()
                return
            }
            useOwnTimestamps()
        }
        noteSource(source)
        scratch.batch.refs.append(ref)
        scratch.batch.values.append(value)
        if !scratch.batch.timestamps.isEmpty || own != nil {
            scratch.batch.timestamps.append(own ?? timestamp)
        }
    }

    /// From now on every sample of the batch has its timestamp beside it.
    private mutating func useOwnTimestamps() {
        guard scratch.batch.timestamps.count < scratch.batch.count else { return }
        let missing = scratch.batch.count - scratch.batch.timestamps.count
        scratch.batch.timestamps += Array(repeating: timestamp, count: missing)
    }

    /// Remembers where the next sample of the batch is from, unless its index says so: see
    /// `source`.
    private mutating func noteSource(_ source: Int32) {
        if scratch.sources.isEmpty {
            let index = scratch.batch.count
            if index >= table.sampleCount, source == Scratch.marker { return }
            if source == Int32(index) { return }
        }
        while scratch.sources.count < scratch.batch.count {
            scratch.sources.append(Int32(scratch.sources.count))
        }
        scratch.sources.append(source)
    }

    /// Adds staleness markers for the series that the last scrape had and this one has not.
    mutating func addMarkers() {
        for ref in table.orphans { add(ref, StaleMarker.value, nil, source: Scratch.marker) }
        if case .none = table.tracked { return }
        if case .all = seen { return }
        for ordinal in 0..<table.sampleCount
        where table.tracked.has(ordinal) && !seen.has(ordinal) {
            add(table.refs[ordinal], StaleMarker.value, nil, source: Scratch.marker)
        }
    }

    /// Adds the report's samples at the end of the batch.
    mutating func addReport(_ values: [Double]) {
        if !table.hasReportRefs {
            do throws(StorageError) {
                let labels = ReportSeries.labels(
                    of: rules.labels.target, hasExtra: rules.job.histograms.hasExtraMetrics)
                table.refs += try surroundings.storage.resolve(labels)
            } catch {
                surroundings.log.warn(
                    "Appending scrape report failed", ["err": error.message])
                return
            }
        }
        for (ref, value) in zip(table.refs[table.sampleCount...], values) {
            add(ref, value, nil, source: Scratch.marker)
        }
    }
}
