// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import Model

/// What a scan of one body yields, by sample ordinal of the layout. Kept and used again for the
/// next body, so that a scan allocates nothing.
package struct ScanResult: Sendable {
    /// One value for each sample of the layout; only those that `seen` names count.
    package internal(set) var values: [Double] = []
    /// Parallel to `values`, `ScanResult.noTimestamp` where there is none; empty if no sample has
    /// one.
    package internal(set) var timestamps: [Timestamp] = []
    /// Which samples of the layout were in the body, 64 in a word; empty where all were.
    package internal(set) var seen: [UInt64] = []
    /// Samples of series that the body had before, with timestamps of their own.
    package internal(set) var repeats: [RepeatedSample] = []
    /// Ordinals of samples that repeat a series without a timestamp: they are refused.
    package internal(set) var duplicates: [Int] = []
    /// The exemplars of samples that are kept, in the order of the body; only where they are asked
    /// for.
    package internal(set) var exemplars: [FoundExemplar] = []

    package static let noTimestamp = Timestamp.min

    package init() {}

    /// Hands the result out and leaves an empty one, so that nothing else refers to its memory.
    package mutating func take() -> ScanResult {
        var taken = ScanResult()
        swap(&taken, &self)
        return taken
    }

    package var hasSeenAll: Bool { seen.isEmpty }

    package func hasSeen(_ ordinal: Int) -> Bool {
        seen.isEmpty || seen[ordinal >> 6] >> UInt64(ordinal & 63) & 1 == 1
    }

    mutating func prepare(sampleCount: Int) {
        if values.count > sampleCount {
            values.removeLast(values.count - sampleCount)
        } else {
            while values.count < sampleCount { values.append(0) }
        }
        timestamps.removeAll(keepingCapacity: true)
        seen.removeAll(keepingCapacity: true)
        repeats.removeAll(keepingCapacity: true)
        duplicates.removeAll(keepingCapacity: true)
        exemplars.removeAll(keepingCapacity: true)
    }

    mutating func setTimestamp(_ timestamp: Timestamp, of ordinal: Int) {
        if timestamps.isEmpty {
            timestamps = Array(repeating: Self.noTimestamp, count: values.count)
        }
        timestamps[ordinal] = timestamp
    }
}

/// A further sample of a series that the body has already.
package struct RepeatedSample: Sendable, Hashable {
    /// Of a sample of the layout; of a new one its number, negative: -1 is the first.
    package var ordinal: Int
    package var value: Double
    package var timestamp: Timestamp
}

/// An exemplar, and the sample behind which it stands.
package struct FoundExemplar: Sendable, Hashable {
    /// As in `RepeatedSample`.
    package var ordinal: Int
    package var exemplar: Exemplar
    /// The sample's own timestamp.
    package var timestamp: Timestamp?
}

/// A sample whose line is not in the layout.
package struct NewSample: Sendable {
    package var value: Double
    package var timestamp: Timestamp?
    /// Whether it is a start timestamp of others (`_created` in OpenMetrics).
    package var isCreated = false
}
