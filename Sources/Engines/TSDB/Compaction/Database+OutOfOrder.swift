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
        let written = try writeBlocks(range, hint: BlockMeta.Hint.outOfOrder, cut.source)
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
}
