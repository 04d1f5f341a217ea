// SPDX-License-Identifier: Apache-2.0

internal import Exposition
internal import Instrumentation
internal import Model
internal import Storage

extension Scrape {
    /// Stores the batch and hands back the table for the next scrape. `isComplete` says whether the
    /// body could be used: only then the layout follows it.
    consuming func commit(isComplete: Bool) -> SeriesTable {
        var faulty: Set<Int32> = []
        table.refusedCount = 0
        if scratch.batch.count > 0 {
            if surroundings.gathersStarts { addStarts() }
            do throws(StorageError) {
                let outcome = try surroundings.storage.commit(scratch.batch, .skipFaulty)
                if !outcome.faults.isEmpty { faulty = handle(outcome.faults) }
                if outcome.outOfOrderExemplars > 0 {
                    warn(
                        "Error on ingesting out-of-order exemplars", outcome.outOfOrderExemplars)
                    surroundings.metrics.outOfOrderExemplars.increment(
                        by: Double(outcome.outOfOrderExemplars))
                }
            } catch {
                surroundings.log.error("Scrape commit failed", ["err": error.message])
            }
        }
        remember(isComplete, faulty)
        surroundings.scratches.giveBack(scratch)
        return table
    }

    /// Where a sample of the batch is from. As long as nothing else is noted, the samples of the
    /// layout come first, in order, and only markers and reports after them.
    func source(of index: Int) -> Int32 {
        if index < scratch.sources.count { return scratch.sources[index] }
        return index < table.sampleCount && scratch.sources.isEmpty ? Int32(index) : Scratch.marker
    }

    /// Counts faults, stores samples anew whose series the head had given up, and returns where the
    /// others are from.
    private mutating func handle(_ faults: [(index: Int, fault: SampleFault)]) -> Set<Int32> {
        var faulty: Set<Int32> = []
        var counts = (outOfOrder: 0, duplicates: 0, outOfBounds: 0)
        var stale: [Int] = []
        for (index, fault) in faults {
            if fault == .staleRef {
                stale.append(index)
                continue
            }
            let source = source(of: index)
            // A marker or report that is refused is no loss: the series went on elsewhere.
            if source == Scratch.marker { continue }
            faulty.insert(source)
            switch fault {
            case .outOfOrder: counts.outOfOrder += 1
            case .duplicate, .duplicateOfHistogram, .duplicateHistogram: counts.duplicates += 1
            case .outOfBounds, .tooOld: counts.outOfBounds += 1
            case .staleRef, .invalidHistogram: break
            }
        }
        warn("Error on ingesting out-of-order samples", counts.outOfOrder)
        warn(
            "Error on ingesting samples with different value but same timestamp",
            counts.duplicates)
        warn(
            "Error on ingesting samples that are too old or are too far into the future",
            counts.outOfBounds)
        surroundings.metrics.outOfOrder.increment(by: Double(counts.outOfOrder))
        surroundings.metrics.duplicates.increment(by: Double(counts.duplicates))
        surroundings.metrics.outOfBounds.increment(by: Double(counts.outOfBounds))
        if !stale.isEmpty { storeAnew(stale) }
        return faulty
    }

    private func warn(_ message: String, _ count: Int) {
        if count > 0 { surroundings.log.warn(message, ["num_dropped": String(count)]) }
    }

    /// Resolves the labels of samples again whose refs have gone out of date, and stores them.
    private mutating func storeAnew(_ indexes: [Int]) {
        let reportStart = scratch.batch.count - (table.refs.count - table.sampleCount)
        let ordinals = Set(
            indexes.map { Int(source(of: $0)) }.filter { $0 >= 0 && $0 < table.sampleCount })
        let exposed = table.layout.labels(
            ofSamples: ordinals.sorted(), options: surroundings.expositionOptions)
        let labels = Dictionary(uniqueKeysWithValues: zip(ordinals.sorted(), exposed))
        let reports = ReportSeries.labels(
            of: rules.labels.target, hasExtra: rules.job.histograms.hasExtraMetrics)
        var wanted: [(index: Int, labels: Labels)] = []
        for index in indexes {
            let source = source(of: index)
            if index >= reportStart, source == Scratch.marker {
                wanted.append((index, reports[index - reportStart]))
            } else if source == Scratch.marker {
                continue
            } else if source < 0 {
                if let stored = new.labels[Int(~source)] { wanted.append((index, stored)) }
            } else if let exposed = labels[Int(source)] {
                // What was accepted before is accepted again; only its series is new.
                guard let stored = try? rules.labels.stored(exposed) else { continue }
                wanted.append((index, stored))
            }
        }
        do throws(StorageError) {
            let refs = try surroundings.storage.resolve(wanted.map(\.labels))
            var batch = SampleBatch(sharedTimestamp: timestamp)
            let hasOwn = !scratch.batch.timestamps.isEmpty
            for (entry, ref) in zip(wanted, refs) {
                let source = source(of: entry.index)
                if entry.index >= reportStart, source == Scratch.marker {
                    table.refs[table.sampleCount + entry.index - reportStart] = ref
                } else if source < 0 {
                    new.refs[Int(~source)] = ref
                } else {
                    table.refs[Int(source)] = ref
                }
                hasFoundAnew = true
                // Asked for again at the next scrape.
                if ref == .refused {
                    table.refusedCount += 1
                    continue
                }
                let value = scratch.batch.values[entry.index]
                batch.exemplars += exemplars(of: entry.index, as: ref, at: batch.count)
                if !scratch.batch.startTimestamps.isEmpty {
                    batch.startTimestamps.append(scratch.batch.startTimestamps[entry.index])
                }
                if hasOwn {
                    batch.append(ref, value, at: scratch.batch.timestamps[entry.index])
                } else {
                    batch.append(ref, value)
                }
            }
            warn("Error on creating series: the memory budget is used up", table.refusedCount)
            if !batch.isEmpty { _ = try surroundings.storage.commit(batch, .skipFaulty) }
        } catch {
            surroundings.log.error("Scrape commit failed", ["err": error.message])
        }
    }

    // MARK: The table for the next scrape

    private mutating func remember(_ isComplete: Bool, _ faulty: Set<Int32>) {
        table.orphans = []
        let result = scratch.result
        let tracksAll = rules.job.samples.tracksTimestampsStaleness
        let count = table.sampleCount
        if faulty.isEmpty, tracksAll || result.timestamps.isEmpty {
            table.tracked = seen
        } else {
            let seen = seen
            table.tracked = OrdinalSet(count: count) { ordinal in
                seen.has(ordinal) && !faulty.contains(Int32(ordinal))
                    && (tracksAll || result.timestamps.isEmpty
                        || result.timestamps[ordinal] == ScanResult.noTimestamp)
            }
        }
        guard isComplete else { return }
        table.present = seen
        if let revision { adopt(revision, tracksAll, faulty) }
        if surroundings.passesMetadata, revision != nil || hasFoundAnew { passMetadata() }
    }

    /// Tells the storage what the layout says about its series. The storage knows what is new.
    private func passMetadata() {
        let ordinals = (0..<table.sampleCount).filter { table.refs[$0] != SeriesTable.dropped }
        var batch = SampleBatch(sharedTimestamp: timestamp)
        for (ordinal, found) in zip(ordinals, table.layout.metadata(ofSamples: ordinals)) {
            if let found { batch.metadata.append(SeriesMetadata(table.refs[ordinal], found)) }
        }
        if batch.isEmpty { return }
        do throws(StorageError) {
            _ = try surroundings.storage.commit(batch, .skipFaulty)
        } catch {
            // The samples are stored; metadata that did not get there is no reason to fail.
            surroundings.log.warn("Storing metadata failed", ["err": error.message])
        }
    }

    private mutating func adopt(
        _ revision: LayoutRevision, _ tracksAll: Bool, _ faulty: Set<Int32>
    ) {
        let origins = revision.origins
        let reports = table.refs[table.sampleCount...]
        var refs: [SeriesRef] = []
        refs.reserveCapacity(origins.count + reports.count)
        for origin in origins {
            refs.append(origin < 0 ? new.refs[Int(~origin)] : table.refs[Int(origin)])
        }
        let (tracked, new) = (table.tracked, new)
        table.tracked = OrdinalSet(count: origins.count) { ordinal in
            let origin = origins[ordinal]
            if origin >= 0 { return tracked.has(Int(origin)) }
            let isTimeless = tracksAll || new.samples[Int(~origin)].timestamp == nil
            return isTimeless && !faulty.contains(origin)
        }
        table.present = .all
        table.droppedCount = refs.count { $0 == SeriesTable.dropped }
        refs += reports
        table.refs = refs
        table.layout = surroundings.layouts.intern(revision.layout)
    }
}
