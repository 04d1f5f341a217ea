// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Storage
internal import TSDB

/// What a database should hold besides samples: exemplars, and the newest metadata of series.
struct Extras: Sendable {
    /// Kept as samples of their own.
    var exemplars: Expectation
    private var metadata: [Labels: KnownMetadata] = [:]
    private let setup: Setup

    private struct KnownMetadata {
        /// All that was ever said.
        var said: Set<Metadata> = []
        /// What is to be seen; nil where that is not known.
        var newest: Metadata?
    }

    init(_ setup: Setup) {
        self.setup = setup
        var forEver = RetentionSettings()
        forEver.time = 0
        exemplars = Expectation(forEver)
    }

    // MARK: What comes with a sample

    /// The exemplar that comes with a float which is the newest of its series, for some of them.
    func exemplar(of sample: Run.Written, at clock: Timestamp, _ before: Expectation) -> Exemplar? {
        guard setup.settings.maxExemplars > 0, !sample.value.isHistogram, sample.time == clock,
            sample.time > before.highest[sample.labels] ?? .min,
            Self.chance(sample) % 3 == 0
        else { return nil }
        return Self.exemplar(sample.labels, sample.time)
    }

    /// What is said about a series with some of its samples.
    static func metadata(of sample: Run.Written) -> Metadata? {
        guard chance(sample) % 5 == 1 else { return nil }
        var metadata = Metadata(type: .counter)
        metadata.help = "about \(sample.labels) as of \(sample.time)"
        return metadata
    }

    private static func chance(_ sample: Run.Written) -> UInt64 {
        var random = RandomNumbers(
            seed: sample.labels.stableHash ^ UInt64(bitPattern: sample.time) ^ 0xE7A5)
        return random.next()
    }

    /// The only exemplar that a series ever has at a time.
    private static func exemplar(_ labels: Labels, _ time: Timestamp) -> Exemplar {
        let value = Double(time % 1000) / 8
        let isTimed = time % 2 == 0
        return Exemplar(
            labels: Labels(["trace_id": "\(labels.stableHash % 1000)-\(time)"]), value: value,
            timestamp: isTimed ? time : nil)
    }

    // MARK: What happens

    /// A sample was taken, or refused for an error of the disk.
    mutating func note(
        _ sample: Run.Written, _ certainty: Expectation.Certainty, at clock: Timestamp,
        _ before: Expectation
    ) {
        if let exemplar = exemplar(of: sample, at: clock, before) {
            // Which series leave early, and with them their exemplars, is not followed.
            let isOpen = setup.mayLeaveEarly && certainty == .committed
            let entry = Expectation.Entry(
                time: sample.time, value: StoredValue(exemplar.value),
                certainty: isOpen ? .open : certainty)
            exemplars.add(sample.labels, entry, mayRepeat: false)
        }
    }

    /// Something was said with a batch; it counts also where the sample does not.
    mutating func noteMetadata(of sample: Run.Written, isCertain: Bool) {
        guard let new = Self.metadata(of: sample) else { return }
        var known = metadata.removeValue(forKey: sample.labels) ?? KnownMetadata()
        known.said.insert(new)
        known.newest = isCertain ? new : nil
        metadata[sample.labels] = known
    }

    /// The head begins at a time: what is older may go with the log, and series without younger
    /// samples have left.
    mutating func truncate(before time: Timestamp, _ expectation: Expectation) {
        exemplars.letGo(before: time)
        for labels in metadata.keys where expectation.newestCertain(of: labels) < time {
            metadata[labels]?.newest = nil
        }
    }

    mutating func sync() { exemplars.sync() }
    mutating func kill() { exemplars.kill() }

    mutating func cutPower() {
        exemplars.cutPower()
        for labels in metadata.keys { metadata[labels]?.newest = nil }
    }

    // MARK: Comparing

    mutating func compare(
        _ found: [SeriesExemplars], certainty: Expectation.Certainty
    ) throws(Disagreement) {
        var contents: [Labels: [Expectation.Found]] = [:]
        for series in found {
            for exemplar in series.exemplars {
                let time = exemplar.timestamp ?? .min
                guard exemplar.labels == Self.exemplar(series.labels, time).labels else {
                    throw Disagreement("\(series.labels): found the exemplar \(exemplar)")
                }
                contents[series.labels, default: []].append(
                    Expectation.Found(time: time, value: StoredValue(exemplar.value)))
            }
        }
        do throws(Disagreement) {
            try exemplars.compare(contents, TimeRange(start: .min, end: .max), found: certainty)
        } catch {
            throw Disagreement("exemplars: \(error)")
        }
    }

    /// Compares what is said about a series of the head.
    func compare(_ found: Metadata?, of labels: Labels) throws(Disagreement) {
        let known = metadata[labels] ?? KnownMetadata()
        if let found, !known.said.contains(found) {
            throw Disagreement("\(labels): found metadata out of nowhere: \(found)")
        }
        // Series may leave and come back, without a word about them.
        if setup.mayLeaveEarly || setup.settings.outOfOrderWindow > 0 { return }
        if let newest = known.newest, found != newest {
            throw Disagreement("\(labels): found the metadata \(found as Any), not \(newest)")
        }
    }
}
