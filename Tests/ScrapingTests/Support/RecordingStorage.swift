// SPDX-License-Identifier: Apache-2.0

import Model
import Storage
import Synchronization

/// Keeps what is stored, with a head's rules about order, and can forget series.
final class RecordingStorage: Appendable {
    private struct State {
        var labels: [Labels] = []
        var slots: [Labels: Int] = [:]
        var generations: [UInt32] = []
        var samples: [Int: [Sample]] = [:]
        var batches = 0
        var exemplars: [String] = []
        var refusesNew = false
        var metadata: [String] = []
        /// By slot and time.
        var starts: [Int: [Timestamp: Timestamp]] = [:]
    }

    private let state = Mutex(State())

    func resolve(_ labels: [Labels]) throws(StorageError) -> [SeriesRef] {
        state.withLock { state in
            labels.map { labels in
                if let slot = state.slots[labels] {
                    return SeriesRef(slot: UInt32(slot), generation: state.generations[slot])
                }
                if state.refusesNew { return .refused }
                let slot = state.labels.count
                state.slots[labels] = slot
                state.labels.append(labels)
                state.generations.append(0)
                return SeriesRef(slot: UInt32(slot), generation: 0)
            }
        }
    }

    func commit(
        _ batch: borrowing SampleBatch, _ policy: FaultPolicy
    ) throws(StorageError) -> CommitOutcome {
        let batch = copy batch
        return state.withLock { state in
            var outcome = CommitOutcome()
            state.batches += 1
            for one in batch.exemplars {
                guard case .ref(let ref) = one.series else { continue }
                let time = one.exemplar.timestamp ?? one.defaultTimestamp
                let series = state.labels[Int(ref.slot)].metricName ?? ""
                state.exemplars.append(
                    "\(series) \(one.exemplar.labels) \(one.exemplar.value) \(time)")
            }
            for entry in batch.metadata {
                let said = entry.metadata
                state.metadata.append(
                    "\(state.labels[Int(entry.ref.slot)].metricName ?? "") \(said.type.rawValue) "
                        + "\(said.unit) \(said.help)")
            }
            for index in 0..<batch.count {
                let ref = batch.refs[index]
                if ref == .refused {
                    outcome.faults.append((index, .staleRef))
                    continue
                }
                let slot = Int(ref.slot)
                let timestamp =
                    batch.timestamps.isEmpty ? batch.sharedTimestamp : batch.timestamps[index]
                let sample = Sample(timestamp: timestamp, value: batch.values[index])
                guard state.generations[slot] == ref.generation else {
                    outcome.faults.append((index, .staleRef))
                    continue
                }
                if let last = state.samples[slot]?.last, last.timestamp >= timestamp {
                    let isSame =
                        last.timestamp == timestamp
                        && last.value.bitPattern == sample.value.bitPattern
                    if isSame { continue }
                    outcome.faults.append(
                        (
                            index,
                            last.timestamp > timestamp
                                ? .outOfOrder : .duplicate(existing: last.value)
                        ))
                    continue
                }
                state.samples[slot, default: []].append(sample)
                let start = batch.startTimestamp(index)
                if start != 0 { state.starts[slot, default: [:]][timestamp] = start }
                outcome.stored += 1
            }
            return outcome
        }
    }

    /// Creates no series any more, or does again.
    func refuseNew(_ refuses: Bool) { state.withLock { $0.refusesNew = refuses } }

    /// Makes all refs out of date, as a head does that gave its series up.
    func forgetRefs() {
        state.withLock { state in
            for slot in state.generations.indices { state.generations[slot] += 1 }
        }
    }

    /// All exemplars that came, as `series labels value time`.
    var exemplars: [String] { state.withLock { $0.exemplars } }

    /// All that was said about series, as `series type unit help`.
    var metadata: [String] { state.withLock { $0.metadata } }

    /// The start timestamps that samples at a time came with, as `series start`.
    func starts(at timestamp: Timestamp) -> [String] {
        state.withLock { state in
            var lines: [String] = []
            for (slot, starts) in state.starts {
                if let start = starts[timestamp] { lines.append("\(state.labels[slot]) \(start)") }
            }
            return lines.sorted()
        }
    }

    var batchCount: Int { state.withLock { $0.batches } }

    /// The samples at a time, as `series value`, without the reports on the duration.
    func samples(at timestamp: Timestamp) -> [String] {
        state.withLock { state in
            var lines: [String] = []
            for (slot, samples) in state.samples {
                let labels = state.labels[slot]
                if labels.metricName == "scrape_duration_seconds" { continue }
                for sample in samples where sample.timestamp == timestamp {
                    let value = StaleMarker.isStale(sample.value) ? "stale" : "\(sample.value)"
                    lines.append("\(labels) \(value)")
                }
            }
            return lines.sorted()
        }
    }
}
