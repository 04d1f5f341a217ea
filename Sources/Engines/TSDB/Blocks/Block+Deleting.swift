// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Platform
internal import Storage

extension Block {
    /// The block with the samples in a closed range of the series that fulfil the matchers deleted;
    /// nil where that changes nothing. The files say so when this returns: first the meta, whose
    /// count of tombstones is only used to choose what to compact, then the tombstones; so where
    /// either cannot be written, nothing is deleted. The caller syncs the directory, once it shows
    /// the block as it is in the files by then.
    func deleting(
        _ range: TimeRange, _ matchers: [Matcher], _ fileSystem: any FileSystem
    ) throws(StorageError) -> Block? {
        try deleting(range, ofSeries: try index.series(matching: matchers), fileSystem)
    }

    func deleting(
        _ range: TimeRange, ofSeries refs: [UInt32], _ fileSystem: any FileSystem
    ) throws(StorageError) -> Block? {
        var stones = tombstones
        for series in refs {
            guard let deleted = try deletion(range, of: series) else { continue }
            stones.add(deleted, to: UInt64(series))
        }
        guard stones != tombstones else { return nil }
        var meta = meta
        meta.statistics.tombstones = Int64(stones.count)
        try BlockWriter.replace("\(directory)/meta.json", with: meta.encoded(), fileSystem)
        try BlockWriter.replace(
            "\(directory)/\(Tombstones.fileName)", with: stones.encoded(), fileSystem)
        return Block(self, meta, stones)
    }

    /// The part of a closed range within the times of a series; nil where it has no chunk there.
    private func deletion(
        _ range: TimeRange, of series: UInt32
    ) throws(StorageError) -> TimeRange? {
        var isTouched = false
        var held: TimeRange?
        try index.forEachChunk(of: series) { chunk in
            held = TimeRange(start: held?.start ?? chunk.range.start, end: chunk.range.end)
            if chunk.overlaps(range) { isTouched = true }
            return true
        }
        guard isTouched, let held else { return nil }
        return TimeRange(start: max(range.start, held.start), end: min(range.end, held.end))
    }
}
