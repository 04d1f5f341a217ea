// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Platform
internal import Storage
internal import TSDB

extension Run {
    /// A sample that is to be stored.
    struct Written {
        var labels: Labels
        var time: Timestamp
        var value: CommittedValue
    }

    func labels(_ number: Int) -> Labels {
        Labels([
            "__name__": "metric_\(number % 3)", "generation": "\(generations[number])",
            "instance": "host-\(number)",
        ])
    }

    private func written(_ number: Int, _ time: Timestamp) -> Written {
        let labels = labels(number)
        let isHistogram = setup.isHistogram(number, generation: generations[number], time)
        return Written(
            labels: labels, time: time,
            value: CommittedValue(labels, time, isHistogram: isHistogram))
    }

    /// All series, or some of them.
    private mutating func someSeries() -> [Int] {
        let all = Array(0..<setup.seriesCount)
        if random.isOne(in: 2) { return all }
        return all.shuffled(using: &random).prefix(1 + random.below(all.count)).sorted()
    }

    private mutating func tick() {
        surroundings.clock += Timestamp(1 + random.below(Int(setup.blockRange) / 15))
    }

    // MARK: Steps

    mutating func append() throws(Disagreement) {
        let count = 1 + random.below(16)
        for _ in 0..<count {
            tick()
            let time = surroundings.clock
            try commit(someSeries().map { written($0, time) }, .skipFaulty)
        }
        note("\(count) batches until \(surroundings.clock)")
    }

    mutating func appendLate() throws(Disagreement) {
        tick()
        var samples: [Written] = []
        for number in someSeries() {
            let late = Timestamp(random.below(Int(setup.blockRange)))
            var sample = written(number, surroundings.clock - (random.isOne(in: 2) ? late : 0))
            let newest = expectation.newest(of: sample.labels)
            if let newest, random.isOne(in: 4) {
                sample = written(number, newest.time)
                if case .float(let value) = sample.value, random.isOne(in: 2) {
                    sample.value = .float(Double(bitPattern: value.bitPattern ^ 1))
                }
            }
            samples.append(sample)
            let second = sample.time + Timestamp(random.below(3)) - 1
            if random.isOne(in: 5), mayBeBehind(number, min(second, sample.time)) {
                samples.append(written(number, second))
            }
        }
        try commit(samples, .skipFaulty)
    }

    mutating func backfill() throws(Disagreement) {
        guard settings.outOfOrderWindow > 0 else { return try append() }
        let count = 1 + random.below(12)
        var until = surroundings.clock
        for _ in 0..<count {
            let reach = Int(settings.outOfOrderWindow) + Int(setup.blockRange) / 4
            let time = surroundings.clock - Timestamp(random.below(reach))
            until = min(until, time)
            var samples = someSeries().map { written($0, time) }
            // A late sample of a time that is taken, with another value.
            for index in samples.indices where random.isOne(in: 8) {
                guard
                    let known = expectation.series[samples[index].labels]?.randomElement(
                        using: &random)
                else { continue }
                samples[index].time = known.time
                if case .float(let value) = samples[index].value {
                    samples[index].value = .float(Double(bitPattern: value.bitPattern ^ 1))
                }
            }
            try commit(samples, .skipFaulty)
        }
        note("\(count) batches back to \(until)")
    }

    /// Whether a batch may have a sample of a series behind a newer one of it. A histogram that is
    /// and cannot be late is left out without a word, as upstream does it.
    private func mayBeBehind(_ number: Int, _ time: Timestamp) -> Bool {
        let window = settings.outOfOrderWindow
        return !setup.hasHistograms(number) || window > 0 && time >= surroundings.clock - window
    }

    mutating func appendWhole() throws(Disagreement) {
        tick()
        var samples = someSeries().map { written($0, surroundings.clock) }
        if random.isOne(in: 2) {
            let late = surroundings.clock - Timestamp(random.below(Int(setup.blockRange)))
            let number = random.below(setup.seriesCount)
            if mayBeBehind(number, late) { samples.append(written(number, late)) }
        }
        try commit(samples, .allOrNothing)
    }

    mutating func churn() {
        for number in generations.indices where random.isOne(in: 3) { generations[number] += 1 }
    }

    mutating func leap() {
        let by = Timestamp(random.below(3 * Int(setup.blockRange)))
        surroundings.clock += by
        note("\(by) ms")
    }

    mutating func writePending() throws(Disagreement) {
        do throws(FileError) {
            try head?.writePending()
            expectation.sync()
            extras.sync()
        } catch {
            try excuse(error, "writing out")
            note("failed: \(error)")
        }
    }

    mutating func maintain() throws(Disagreement) {
        do throws(StorageError) {
            try database?.maintain()
        } catch {
            try excuse(error, "maintenance")
            note("failed: \(error)")
        }
        noteBlocks()
        note("\(database?.blocks.count ?? 0) blocks until \(expectation.endOfBlocks)")
    }

    /// What stands in blocks is on the device.
    mutating func noteBlocks() {
        guard let database, let head else { return }
        let metas = database.blocks.map(\.meta)
        let inOrder = metas.filter(\.isInOrder).map(\.range)
        if let end = inOrder.map(\.end).max() {
            expectation.endOfBlocks = max(expectation.endOfBlocks, end)
            expectation.sync(before: end, withLate: head.outOfOrderRange == nil)
        }
        expectation.horizons.move(
            to: metas.map(\.range.end), startOfHead: head.timeRange?.start ?? .max)
        extras.truncate(
            before: max(expectation.endOfBlocks, head.timeRange?.start ?? .max), expectation)
        if settings.retention.bytes > 0 {
            expectation.letGo(before: startOfBlocks(metas) ?? head.timeRange?.start ?? .max)
        }
    }

    /// From when on the blocks have all samples that were in order. The oldest one may be merged of
    /// one that retention by size left and late samples of one that it took.
    private func startOfBlocks(_ metas: [BlockMeta]) -> Timestamp? {
        let oldest = metas.filter(\.isInOrder).min { $0.range.start < $1.range.start }
        return oldest.map {
            $0.compaction.level > 1 && expectation.hasLate ? $0.range.end : $0.range.start
        }
    }

    // MARK: Committing

    /// A batch with the samples, the floats of which come first.
    private func batch(_ samples: [Written]) -> SampleBatch {
        var batch = SampleBatch(sharedTimestamp: samples[0].time)
        let isShared = samples.allSatisfy { $0.time == samples[0].time }
        for sample in samples {
            guard let ref = refs[sample.labels] else { continue }
            if let metadata = Extras.metadata(of: sample) {
                batch.metadata.append(SeriesMetadata(ref, metadata))
            }
            if let exemplar = extras.exemplar(of: sample, at: surroundings.clock, expectation) {
                batch.exemplars.append(
                    BatchExemplar(
                        series: .ref(ref), exemplar: exemplar, defaultTimestamp: sample.time,
                        sample: batch.count))
            }
            switch sample.value {
            case .histogram(let value):
                batch.histograms.append(HistogramSample(ref, value, at: sample.time))
            case .float(let value) where isShared: batch.append(ref, value)
            case .float(let value): batch.append(ref, value, at: sample.time)
            }
        }
        return batch
    }

    mutating func commit(
        _ samples: [Written], _ policy: FaultPolicy
    ) throws(Disagreement) {
        guard let database else { return }
        var samples = samples.filter { !$0.value.isHistogram } + samples.filter(\.value.isHistogram)
        let outcome: CommitOutcome
        do {
            let new = samples.map(\.labels).filter { refs[$0] == nil }
            if !new.isEmpty {
                for (labels, ref) in zip(new, try database.resolve(new)) { refs[labels] = ref }
            }
            let refused = try dropRefused(&samples)
            if samples.isEmpty || !refused.isEmpty && policy == .allOrNothing { return }
            outcome = try database.commit(batch(samples), policy)
        } catch let error as StorageError {
            try excuse(error, "a commit")
            let before = expectation
            for sample in samples {
                note(sample, .refused, before, samples)
                extras.noteMetadata(of: sample, isCertain: false)
            }
            return note("refused at \(samples[0].time)")
        } catch {
            throw Disagreement("\(error)")
        }
        if let start = head?.timeRange?.start { expectation.horizons.beginHead(at: start) }
        try take(outcome, samples, policy)
    }

    /// Leaves out the samples of series that are not created because memory is short, and returns
    /// their labels.
    private mutating func dropRefused(
        _ samples: inout [Written]
    ) throws(Disagreement) -> Set<Labels> {
        let refused = Set(refs.filter { $0.value == .refused }.keys)
        guard !refused.isEmpty else { return [] }
        guard let budget = setup.memoryBudget, surroundings.memoryInUse >= budget else {
            throw Disagreement("series are refused though there is memory")
        }
        for labels in refused {
            refs[labels] = nil
            // One that ended may have left.
            guard let newest = expectation.newest(of: labels), !newest.isLate,
                newest.value != .stale, newest.time == expectation.highest[labels],
                newest.time >= expectation.endOfBlocks
            else { continue }
            throw Disagreement("\(labels) is refused though the head has it")
        }
        samples.removeAll { refused.contains($0.labels) }
        note("\(refused.count) series refused")
        return refused
    }

    private mutating func take(
        _ outcome: CommitOutcome, _ samples: [Written], _ policy: FaultPolicy
    ) throws(Disagreement) {
        let before = expectation
        let floatCount = samples.count { !$0.value.isHistogram }
        var faults: [Int: SampleFault] = [:]
        for (index, fault) in outcome.faults { faults[index] = fault }
        for (index, fault) in outcome.histogramFaults { faults[floatCount + index] = fault }
        let isNothingStored = policy == .allOrNothing && !faults.isEmpty
        let stored = isNothingStored ? 0 : samples.count - faults.count
        guard outcome.stored == stored else {
            throw Disagreement("a commit says that it stored \(outcome.stored), not \(stored)")
        }
        var stale: [Written] = []
        for (index, sample) in samples.enumerated() {
            if faults[index] != .staleRef {
                // Of several in one batch those that were known before do not count, as upstream.
                let isOnly = samples.count { $0.labels == sample.labels } == 1
                extras.noteMetadata(of: sample, isCertain: isOnly)
            }
            if let fault = faults[index] {
                if fault == .staleRef {
                    refs[sample.labels] = nil
                    stale.append(sample)
                } else {
                    try judge(fault, at: index, samples, before)
                }
            } else if !isNothingStored {
                try keep(sample, before, samples)
            }
        }
        if !stale.isEmpty, policy == .skipFaulty { try commit(stale, policy) }
    }

    /// A sample is stored.
    private mutating func keep(
        _ sample: Written, _ before: Expectation, _ batch: [Written]
    ) throws(Disagreement) {
        if !setup.mayRepeat, let known = expectation.entry(sample.labels, sample.time),
            known.certainty >= .committed, known.value != sample.value.stored
        {
            throw Disagreement("\(sample.labels) took two values at \(sample.time)")
        }
        note(sample, .committed, before, batch)
    }

    /// Adds a sample of a batch to what is expected.
    private mutating func note(
        _ sample: Written, _ certainty: Expectation.Certainty, _ before: Expectation,
        _ batch: [Written]
    ) {
        let isLate =
            sample.time <= expectation.highest[sample.labels] ?? .min
            || sample.time < lowerBound(before, batch)
        let entry = Expectation.Entry(
            time: sample.time, value: sample.value.stored, certainty: certainty, isLate: isLate)
        expectation.add(sample.labels, entry, mayRepeat: setup.mayRepeat)
        extras.note(sample, certainty, at: surroundings.clock, before)
    }

    /// The newest sample that the head may have known when a batch came. Without samples it takes
    /// its bearings from the first one.
    private func newest(_ before: Expectation, _ batch: [Written]) -> Timestamp {
        max(before.highest.values.max() ?? .min, batch[0].time)
    }

    /// Samples before it were perhaps not in order.
    private func lowerBound(_ before: Expectation, _ batch: [Written]) -> Timestamp {
        max(before.endOfBlocks, newest(before, batch) - setup.blockRange / 2)
    }

    /// Whether a sample was refused for good reason.
    private func judge(
        _ fault: SampleFault, at index: Int, _ batch: [Written], _ before: Expectation
    ) throws(Disagreement) {
        let (sample, earlier) = (batch[index], batch[..<index])
        let window = settings.outOfOrderWindow
        let newest = before.highest[sample.labels]
        let isSecond = earlier.contains { $0.labels == sample.labels && $0.time >= sample.time }
        let isJust: Bool
        switch fault {
        case .outOfOrder:
            isJust = window == 0 && (isSecond || newest.map { sample.time < $0 } ?? false)
        case .duplicate(let value):
            let known = before.entry(sample.labels, sample.time)
            isJust =
                isSecond || known.map { $0.allows(StoredValue(value)) } ?? (newest == sample.time)
        case .duplicateOfHistogram, .duplicateHistogram:
            let known = before.entry(sample.labels, sample.time)
            isJust = isSecond || known != nil || newest == sample.time
        case .outOfBounds:
            isJust = window == 0 && sample.time < lowerBound(before, batch)
        case .tooOld:
            isJust = window > 0 && sample.time < self.newest(before, batch) - window
        default: isJust = false
        }
        if !isJust {
            throw Disagreement("\(sample.labels) at \(sample.time) was refused: \(fault)")
        }
    }
}
