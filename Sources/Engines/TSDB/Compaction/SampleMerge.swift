// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Storage

/// Chunks of one series, histograms among them, whose samples are merged by time and encoded anew.
/// Which of the samples with one time counts is for `ChainedMerge` to say.
///
/// What a chunk's header says of a counter reset before it holds no longer where samples of another
/// come in between, or where the sample before is deleted: the new chunks say that nothing is
/// known, unless a reset shows between two of their own samples.
struct SampleMerge {
    private let sources: [(chunk: EncodedChunk, deleted: DeletedRanges)]
    private let floats: FloatEncoding
    private let histogramStarts: Bool?

    /// `floats` is how floats are encoded; histograms with start timestamps keep them. The samples
    /// of a single chunk keep their encoding.
    init(_ sources: [(EncodedChunk, deleted: DeletedRanges)], floats: FloatEncoding = .xor) {
        self.sources = sources.map { (chunk: $0.0, deleted: $0.deleted) }
        let only = sources.count == 1 ? sources[0].0.encoding : nil
        self.floats = only?.ofFloats ?? floats
        histogramStarts = only?.holdsHistogramStarts
    }

    private struct Merged {
        var timestamp: Timestamp
        var value: SampleValue
        var start: Timestamp
    }

    /// The merged samples in the closed range.
    func chunks(
        within range: TimeRange = TimeRange(start: .earliest, end: .latest)
    ) throws(StorageError) -> [EncodedChunk] {
        var samples: [[Merged]] = []
        for source in sources {
            var found: [Merged] = []
            do throws(ChunkError) {
                try forEachSample(in: source.chunk.bytes.raw, source.chunk.encoding) {
                    (timestamp, value, start) in
                    let isDeleted = source.deleted.cover(
                        TimeRange(start: timestamp, end: timestamp))
                    guard !isDeleted, range.start <= timestamp, timestamp <= range.end else {
                        return
                    }
                    found.append(Merged(timestamp: timestamp, value: value, start: start))
                }
            } catch {
                throw StorageError(.damaged, "merging a chunk: \(error)")
            }
            samples.append(found)
        }
        // One chunk with samples left out stays one chunk, as long as it may be.
        var encoder =
            sources.count == 1
            ? SampleEncoder(
                floats: floats, histogramStarts: histogramStarts,
                samplesPerChunk: Int(UInt16.max))
            : SampleEncoder(floats: floats)
        var isSound = true
        ChainedMerge.walk(samples.map { $0.map(\.timestamp) }) { source, indices, _ in
            for sample in samples[source][indices] {
                let isTaken = encoder.append(sample.timestamp, sample.value, start: sample.start)
                if !isTaken { isSound = false }
            }
        }
        guard isSound else {
            throw StorageError(.damaged, "merging a chunk: histogram with wrong spans")
        }
        return encoder.finish()
    }
}
