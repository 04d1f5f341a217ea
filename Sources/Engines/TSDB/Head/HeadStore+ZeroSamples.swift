// SPDX-License-Identifier: Apache-2.0

internal import ChunkEncoding
internal import Model
internal import Storage

extension HeadStore {
    /// Where that is wanted, stores a zero for each float of a batch at its start timestamp: in
    /// front of the batch, under the same hold of the lock. Only what comes in order and within the
    /// bounds, since most series have theirs already; nothing is said about the others.
    func commitZeros(before batch: SampleBatch) throws(StorageError) {
        guard options.ingestsZeros, !batch.startTimestamps.isEmpty,
            let first = batch.firstTimestamp
        else { return }
        let bound = bounds.lowerBound(first, options.blockRange)
        var zeros = SampleBatch(sharedTimestamp: batch.sharedTimestamp)
        for (index, ref) in batch.refs.enumerated() {
            let start = batch.startTimestamps[index]
            guard start != 0, start < batch.timestamp(index), start >= bound,
                samples.series.isCurrent(ref)
            else { continue }
            let state = samples.series.states[ref.slot]
            if state.hasSamples, state.encoder.timestamp >= start { continue }
            zeros.append(ref, 0, at: start)
        }
        if !zeros.isEmpty { _ = try commit(zeros, .skipFaulty) }
    }
}
