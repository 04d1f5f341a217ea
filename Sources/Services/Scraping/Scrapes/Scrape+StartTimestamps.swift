// SPDX-License-Identifier: Apache-2.0

internal import Exposition
internal import Model
internal import Storage

extension Scrape {
    /// How many samples of the body are start timestamps of others, and no samples by that.
    var createdCount: Int {
        guard table.layout.dialect == .openMetrics else { return 0 }
        var count = new.samples.count(where: \.isCreated)
        let created = table.layout.createdSamples
        for ordinal in 0..<table.sampleCount
        where seen.has(ordinal) && created.isCreated(ordinal) {
            count += 1
        }
        return count
    }

    /// Gives the samples of the batch their start timestamps. Reports and staleness markers have
    /// none.
    mutating func addStarts() {
        guard table.layout.dialect == .openMetrics else { return }
        if let revision {
            let starts = starts(revision)
            fillStarts { starts[$0] ?? 0 }
        } else {
            let created = table.layout.createdSamples
            let (values, seen) = (scratch.result.values, seen)
            fillStarts { source in
                guard source >= 0, let other = created.created(of: Int(source)), seen.has(other)
                else { return 0 }
                return CreatedSamples.timestamp(values[other])
            }
        }
    }

    private mutating func fillStarts(_ start: (_ source: Int32) -> Timestamp) {
        scratch.batch.startTimestamps.reserveCapacity(scratch.batch.count)
        for index in 0..<scratch.batch.count {
            scratch.batch.startTimestamps.append(start(source(of: index)))
        }
    }

    /// By the sources of the samples (`Scrape.source`). The revised layout has the body's lines.
    private func starts(_ revision: LayoutRevision) -> [Int32: Timestamp] {
        let created = revision.layout.createdSamples
        var starts: [Int32: Timestamp] = [:]
        for (ordinal, source) in revision.origins.enumerated() {
            guard let other = created.created(of: ordinal) else { continue }
            let place = Int(revision.origins[other])
            let value = place < 0 ? new.samples[~place].value : scratch.result.values[place]
            starts[source] = CreatedSamples.timestamp(value)
        }
        return starts
    }
}
