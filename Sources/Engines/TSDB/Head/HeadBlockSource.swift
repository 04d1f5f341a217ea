// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
package import Model
internal import Storage

extension Head {
    /// The samples in a closed range, series in label order. Chunks inside the range are handed out
    /// as they are; of those across its ends the part inside is encoded anew.
    package func blockSource(_ range: TimeRange) -> any BlockSource {
        HeadBlockSource(head: self, range: range)
    }
}

private struct HeadBlockSource: BlockSource {
    let head: Head
    let range: TimeRange

    func forEachSeries(
        _ body: (Labels, [EncodedChunk]) throws(StorageError) -> Void
    ) throws(StorageError) {
        let lease = Lease(head.leases)
        defer { withExtendedLifetime(lease) {} }
        let members = head.store.withLock { $0.members([], range) }
        for member in members {
            let (labels, sources) = try head.store.withLock { (store) throws(StorageError) in
                let sources = try store.sources(member.slot, range)
                return (store.labels.labels(of: member.slot), sources)
            }
            var chunks: [EncodedChunk] = []
            for source in sources.reversed() { try append(source, to: &chunks) }
            if !chunks.isEmpty { try body(labels, chunks) }
        }
    }

    private func append(
        _ source: ChunkSource, to chunks: inout [EncodedChunk]
    ) throws(StorageError) {
        guard let encoding = source.place.encoding else { return }
        if range.start <= source.range.start, source.range.end <= range.end {
            let bytes = source.bytes
            chunks.append(
                EncodedChunk(
                    encoding: encoding, range: source.range,
                    sampleCount: promisedSampleCount(bytes.raw, encoding), bytes: bytes))
            return
        }
        guard encoding == .xor else {
            throw StorageError(
                .unsupported, "cutting a chunk: \(ChunkError.unsupported(encoding))")
        }
        var columns = SampleColumns()
        try source.decode(range, into: &columns)
        chunks += encodeXOR(
            columns.timestamps, columns.values, samplesPerChunk: 2 * targetSampleCount)
    }
}
