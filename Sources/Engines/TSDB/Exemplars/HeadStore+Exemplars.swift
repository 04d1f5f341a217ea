// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Model
package import Storage

extension Head: ExemplarQueryable {
    package func exemplars(
        over range: TimeRange, _ matcherSets: [[Matcher]]
    ) -> [SeriesExemplars] {
        exemplars.select(range, matcherSets)
    }
}

/// The exemplars of a batch that will be stored.
struct AcceptedExemplars {
    var entries: [(labels: Labels, exemplar: Exemplar, timestamp: Timestamp)] = []
    var record = ExemplarRecord()

    var isEmpty: Bool { entries.isEmpty }
}

extension HeadStore {
    /// Chooses what is stored of the exemplars of a batch, and returns how many are left out since
    /// others of their series are newer. Those of refused samples, of unknown series, and what is
    /// not new are left out in silence.
    func chooseExemplars(_ batch: SampleBatch, _ outcome: CommitOutcome) -> Int {
        writing.exemplars = AcceptedExemplars()
        guard !batch.exemplars.isEmpty, exemplars.isEnabled else { return 0 }
        let refused = Set(outcome.faults.map(\.index))
        var outOfOrderCount = 0
        for one in batch.exemplars {
            if let sample = one.sample, refused.contains(sample) { continue }
            guard let slot = slot(of: one.series) else { continue }
            let labels = labels.reader.labels(of: slot)
            var exemplar = one.exemplar
            exemplar.labels = exemplar.labels.withoutEmpty
            let timestamp = exemplar.timestamp ?? one.defaultTimestamp
            if let fault = exemplars.fault(of: exemplar, at: timestamp, labels) {
                if fault == .outOfOrder { outOfOrderCount += 1 }
                continue
            }
            writing.exemplars.entries.append((labels, exemplar, timestamp))
            writing.exemplars.record.append(
                LoggedExemplar(
                    ref: samples.series.refs[slot], timestamp: timestamp, exemplar: exemplar))
        }
        return outOfOrderCount
    }

    private func slot(of series: BatchExemplar.Series) -> UInt32? {
        switch series {
        case .ref(let ref): return samples.series.isCurrent(ref) ? ref.slot : nil
        case .labels(let labels):
            let packed = labels.packed
            return self.labels.find(packed.raw, hash: xxHash64(packed.raw))
        }
    }

    /// Takes an exemplar from the log. False where nothing is known of its series.
    func replay(_ logged: LoggedExemplar, slot: UInt32?) -> Bool {
        guard logged.timestamp >= bounds.minValidTime else { return true }
        guard let slot else { return false }
        if samples.series.refs[slot] != logged.ref {
            restart.expiries.note(logged.ref, through: logged.timestamp)
        }
        exemplars.add([(labels.reader.labels(of: slot), logged.exemplar, logged.timestamp)])
        return true
    }
}

extension Labels {
    /// Without the labels whose value is empty.
    fileprivate var withoutEmpty: Labels {
        var hasEmpty = false
        forEachSpan { _, value in if value.byteCount == 0 { hasEmpty = true } }
        guard hasEmpty else { return self }
        var packed: [UInt8] = []
        forEachSpan { name, value in
            guard value.byteCount > 0 else { return }
            Labels.appendField(name, to: &packed)
            Labels.appendField(value, to: &packed)
        }
        return Labels(packed: packed)
    }
}
