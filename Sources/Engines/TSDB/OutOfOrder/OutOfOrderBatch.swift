// SPDX-License-Identifier: Apache-2.0
//
// The late samples of one commit. They are put into copies of their series first; the write-behind
// log gets its records; only then the copies take the place of the series. A commit that fails
// leaves at most a chunk in the head chunk files that says again what others say.
//
// The log is such that reading it restores the open samples (tsdb/head_append.go has the order):
//
//     5 markers   series ref BE64, chunk ref BE64 (file, offset)…   a new open chunk begins: what
//                 the log had of these series up to here lies in chunks up to that one (0: none)
//     2 samples, 7–10 histograms   as in the other log

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Storage

/// Builds the records of the write-behind log for one commit.
struct OutOfOrderRecords {
    private(set) var finished: [[UInt8]] = []
    private var markers: [(ref: UInt64, place: HeadChunkFiles.Place)] = []
    private var samples: FloatRecord
    private var histograms: HistogramRecords
    private var refs: Set<UInt64> = []

    init(storesStarts: Bool) {
        samples = FloatRecord(storesStarts: storesStarts)
        histograms = HistogramRecords(storesStarts: storesStarts)
    }

    /// What was added of the series before is in the chunk.
    mutating func addMarker(_ ref: UInt64, _ place: HeadChunkFiles.Place) {
        // In a group markers stand in front of samples.
        if refs.contains(ref) { finishGroup() }
        refs.insert(ref)
        markers.append((ref, place))
    }

    mutating func add(
        _ ref: UInt64, _ timestamp: Timestamp, _ value: SampleValue, start: Timestamp
    ) {
        refs.insert(ref)
        switch value {
        case .float(let value):
            samples.append(ref, timestamp, value.bitPattern, start: start)
        case .histogram(let histogram):
            histograms.append(ref, timestamp, histogram, start: start)
        }
    }

    mutating func finishGroup() {
        if !markers.isEmpty {
            var writer = ByteWriter(capacity: 1 + 16 * markers.count)
            writer.uint8(WALRecordKind.mappedChunkMarkers.rawValue)
            for (ref, place) in markers {
                writer.uint64BE(ref)
                writer.uint64BE(UInt64(place.file) << 32 | UInt64(place.offset))
            }
            finished.append(writer.bytes)
        }
        if !samples.isEmpty {
            var writer = ByteWriter(capacity: samples.bytes.byteCount)
            writer.append(samples.bytes)
            finished.append(writer.bytes)
        }
        histograms.forEachRecord { record in
            var writer = ByteWriter(capacity: record.byteCount)
            writer.append(record)
            finished.append(writer.bytes)
        }
        histograms.removeAll()
        markers.removeAll(keepingCapacity: true)
        samples.removeAll()
        refs.removeAll(keepingCapacity: true)
    }
}

/// The markers of a record.
func decodeMarkers(
    _ record: RawSpan
) throws(ByteError) -> [(ref: UInt64, place: HeadChunkFiles.Place)] {
    var reader = ByteReader(record)
    _ = try reader.uint8()
    var markers: [(ref: UInt64, place: HeadChunkFiles.Place)] = []
    while !reader.isAtEnd {
        let ref = try reader.uint64BE()
        let place = try reader.uint64BE()
        markers.append(
            (
                ref,
                HeadChunkFiles.Place(
                    file: UInt32(truncatingIfNeeded: place >> 32),
                    offset: UInt32(truncatingIfNeeded: place))
            ))
    }
    return markers
}

/// The late samples of one commit, not in place yet.
struct OutOfOrderBatch {
    /// Of chunks that become full.
    let floatEncoding: FloatEncoding
    private(set) var series: [UInt32: OutOfOrderSeries] = [:]
    var records: OutOfOrderRecords
    private(set) var range: TimeRange?
    // Samples that were not there before.
    private(set) var floatCount = 0
    private(set) var histogramCount = 0

    init(_ floatEncoding: FloatEncoding, storesStarts: Bool) {
        self.floatEncoding = floatEncoding
        records = OutOfOrderRecords(storesStarts: storesStarts)
    }

    var isEmpty: Bool { series.isEmpty }

    mutating func insert(
        _ timestamp: Timestamp, _ value: SampleValue, start: Timestamp, _ slot: UInt32, ref: UInt64,
        _ store: OutOfOrderStore, _ files: HeadChunkFiles
    ) {
        var one = series.removeValue(forKey: slot) ?? store[slot] ?? OutOfOrderSeries()
        defer { series[slot] = one }
        if one.open.isEmpty {
            records.addMarker(ref, one.chunks.last?.place ?? .none)
        } else if one.open.count >= OutOfOrderStore.openLimit {
            records.addMarker(ref, one.close(ref, floatEncoding, files))
        }
        guard one.insert(timestamp, value, start: start) else { return }
        records.add(ref, timestamp, value, start: start)
        if case .float = value { floatCount += 1 } else { histogramCount += 1 }
        range = TimeRange(start: timestamp, end: timestamp).union(range)
    }
}

extension OutOfOrderSeries {
    /// Moves the open samples to the head chunk files; none for a series without open ones.
    mutating func close(
        _ ref: UInt64, _ encoding: FloatEncoding, _ files: HeadChunkFiles
    ) -> HeadChunkFiles.Place {
        var last = HeadChunkFiles.Place.none
        let chunks = encodedOpen(encoding)
        forgetOpen()
        for chunk in chunks {
            last = files.append(
                ref, chunk.range, chunk.encoding, length: chunk.bytes.count, isOutOfOrder: true
            ) { $0 += chunk.bytes }
            attach(OutOfOrderChunk(place: last, range: chunk.range))
        }
        return last
    }
}
