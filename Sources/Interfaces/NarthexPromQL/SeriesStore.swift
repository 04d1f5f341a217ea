// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLScripts
internal import Storage

/// Series in memory, to ask queries of. Any thread may add and ask at once; a query sees what had
/// been added when it began.
public final class SeriesStore: Sendable {
    let storage = MemoryStorage()

    public init() {}

    /// Adds samples behind those that the series has.
    public func append(_ samples: SampleHistory, to labels: LabelSet) throws(SeriesStoreError) {
        let columns: SampleColumns
        do {
            columns = try samples.columns()
        } catch {
            throw .invalidHistogram(error, labels)
        }
        guard storage.append(labels.labels, columns) else { throw .outOfOrder(labels) }
    }

    /// Adds one sample behind those that the series has. `timestamp` is in milliseconds since 1970.
    public func append(
        _ value: Double, at timestamp: Int64, to labels: LabelSet
    ) throws(SeriesStoreError) {
        var samples = SampleHistory()
        samples.append(value, at: timestamp)
        try append(samples, to: labels)
    }

    public func removeAll() { storage.removeAll() }
}

/// Why samples were not added; none of them was.
public enum SeriesStoreError: Error, Sendable, CustomStringConvertible {
    /// A sample is not newer than the series' newest.
    case outOfOrder(LabelSet)
    case invalidHistogram(InvalidHistogram, LabelSet)

    public var description: String {
        switch self {
        case .outOfOrder(let labels): "samples out of order in \(labels)"
        case .invalidHistogram(let error, let labels): "\(error) in \(labels)"
        }
    }
}
