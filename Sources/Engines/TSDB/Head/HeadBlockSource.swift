// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
package import Model
internal import Storage

extension Head {
    /// The samples in a closed range, series in label order. Chunks inside the range are handed out
    /// as they are; of those across its ends, and of those with deletions, what remains is encoded
    /// anew.
    package func blockSource(_ range: TimeRange) -> any BlockSource {
        HeadBlockSource(head: self, range: range)
    }
}

struct HeadBlockSource: BlockSource {
    let head: Head
    let range: TimeRange
    /// Of some series only, in label order; of all for nil.
    var members: [SelectedSeries]?

    func forEachSeries(
        _ body: (Labels, [EncodedChunk]) throws(StorageError) -> Void
    ) throws(StorageError) {
        let lease = Lease(head.leases)
        defer { withExtendedLifetime(lease) {} }
        let visible = TimeRange(
            start: max(range.start, head.store.withLock { $0.visibleStart }), end: range.end)
        let members =
            members ?? head.store.withLock { $0.members([], visible, inLabelOrder: true) }
        var index = 0
        while index < members.count {
            let captured = try head.store.withLock { (store) throws(StorageError) in
                try store.capture(
                    members, from: index, count: HeadStore.captureLimit.series, visible)
            }
            for index in captured.indices {
                var chunks: [EncodedChunk] = []
                let deleted = captured.deletions(index)
                for chunk in captured.chunks(index) where !deleted.cover(chunk.range) {
                    try append(
                        chunk, of: captured, within: visible,
                        without: deleted.touching(chunk.range), to: &chunks)
                }
                let labels = head.labels.labels(of: members[index].slot)
                if !chunks.isEmpty { try body(labels, chunks) }
            }
            index = captured.indices.upperBound
        }
    }

    private func append(
        _ chunk: ChunkSource, of captured: CapturedSeries, within range: TimeRange,
        without deleted: DeletedRanges, to chunks: inout [EncodedChunk]
    ) throws(StorageError) {
        guard var whole = try captured.encoded(chunk) else { return }
        if deleted.isEmpty, range.start <= chunk.range.start, chunk.range.end <= range.end {
            chunks.append(whole)
            return
        }
        guard let encoding = whole.encoding.ofFloats else {
            whole.sampleCount = 0
            chunks += try SampleMerge([(whole, deleted)]).chunks(within: range)
            return
        }
        var columns = SampleColumns()
        try captured.decode(chunk, range, into: &columns)
        columns.remove(deleted, from: .start)
        chunks += columns.encodedFloats(as: encoding, samplesPerChunk: 2 * targetSampleCount)
    }
}
