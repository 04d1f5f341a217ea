// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model
internal import Platform
internal import Storage

extension Database {
    /// Writes the late samples of the head as blocks, one for each aligned range, and lets the head
    /// forget them. The blocks overlap others, so that they are merged next. The caller holds
    /// `maintenance`.
    func cutOutOfOrder() throws(StorageError) {
        guard let cut = try head.outOfOrderCut(), let range = cut.range else { return }
        let began = monotonicNanoseconds()
        environment.log.info("out-of-order compaction started")
        var written: [Block] = []
        do throws(StorageError) {
            var start = CompactionPlan.alignedStart(range.start, options.blockRange)
            while start <= range.end {
                let end = start + options.blockRange
                if let block = try writeLate(cut, TimeRange(start: start, end: end)) {
                    written.append(block)
                }
                start = end
            }
        } catch {
            for block in written {
                try BlockDirectories.remove(block.meta.id, in: directory, environment.fileSystem)
            }
            throw error
        }
        publish(sorted(blocks + written))
        try cut.release()
        let seconds = (monotonicNanoseconds() - began) / 1_000_000
        environment.log.info(
            "out-of-order compaction completed",
            [
                "duration": "\(seconds)ms",
                "ulids": "[\(written.map(\.meta.id.description).joined(separator: " "))]",
            ])
    }

    /// A block of the half-open range; nil where there is nothing in it.
    private func writeLate(
        _ cut: any OutOfOrderCut, _ range: TimeRange
    ) throws(StorageError) -> Block? {
        let id = environment.newID()
        var meta = BlockMeta(id: id, range: range)
        meta.compaction.sources = [id]
        meta.compaction.hints = [BlockMeta.Hint.outOfOrder]
        let source = cut.source(TimeRange(start: range.start, end: range.end - 1))
        guard try writeBlock(source, meta) != nil else { return nil }
        return try Block("\(directory)/\(id)", environment.fileSystem)
    }
}
