// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Platform
internal import Storage

extension Head: HeadStorage {
    /// What log and head chunk files occupy.
    package var byteCount: Int {
        size(of: "\(directory)/wal") + size(of: OutOfOrderLog.path(directory))
            + size(of: "\(directory)/chunks_head")
    }

    /// A file that goes meanwhile counts for nothing.
    private func size(of path: String) -> Int {
        guard let status = try? fileSystem.status(of: path) else { return 0 }
        guard status.isDirectory else { return status.size }
        let entries = (try? fileSystem.entries(of: path)) ?? []
        return entries.reduce(0) { $0 + size(of: "\(path)/\($1.name)") }
    }

    package func releasePages() {
        for file in store.withLock({ $0.files.mappedFiles }) { file.releasePages() }
    }

    /// The totals, and the largest entries, `limit` of each kind.
    package func status(limit: Int) -> DatabaseStatus {
        var status = DatabaseStatus()
        status.timeRange = timeRange
        let counts = store.withLock { store in
            status.seriesCount = store.labels.seriesCount
            status.labelPairCount = store.labels.pairs.count
            status.chunkCount = store.chunkCount
            return store.labels.counts()
        }
        func largest(_ entries: [DatabaseStatus.Entry]) -> [DatabaseStatus.Entry] {
            let sorted = entries.sorted {
                $0.value != $1.value ? $0.value > $1.value : isOrderedBytewise($0.name, $1.name)
            }
            return Array(sorted.prefix(max(0, limit)))
        }
        status.seriesCountByMetricName = largest(counts.seriesByMetric)
        status.labelValueCountByLabelName = largest(counts.valuesByName)
        status.memoryInBytesByLabelName = largest(counts.bytesByName)
        status.seriesCountByLabelValuePair = largest(counts.seriesByPair)
        return status
    }
}

/// What status/tsdb counts about labels.
struct LabelCounts: Sendable {
    var seriesByMetric: [DatabaseStatus.Entry] = []
    var valuesByName: [DatabaseStatus.Entry] = []
    /// The packed text of each label, once for every series that has it, as upstream counts.
    var bytesByName: [DatabaseStatus.Entry] = []
    var seriesByPair: [DatabaseStatus.Entry] = []
}

extension LabelIndex {
    func counts() -> LabelCounts {
        var counts = LabelCounts()
        for number in 0..<UInt32(pairs.names.end) {
            let values = pairs.names.pairs(number)
            guard !values.isEmpty else { continue }
            let name = pairs.names.text(number)
            var bytes: UInt64 = 0
            for value in values {
                let pair = pairs[value]
                let series = UInt64(pair.seriesCount)
                bytes += series * UInt64(pair.byteCount)
                let text = pairs.valueText(value)
                if name == LabelName.metric { counts.seriesByMetric.append(.init(text, series)) }
                counts.seriesByPair.append(.init("\(name)=\(text)", series))
            }
            counts.valuesByName.append(.init(name, UInt64(values.count)))
            counts.bytesByName.append(.init(name, bytes))
        }
        return counts
    }
}
