// SPDX-License-Identifier: Apache-2.0
//
// The records of native histograms. Four kinds share one form: 7 integer, 8 float, 9 and 10 the
// same with custom buckets.
//
//     kind | ref BE64, time BE64 of the first | per sample: varint ref and varint time, both less
//     the first's, then the histogram:
//
//     counter-reset hint, one byte | varint schema | zero threshold BE64
//     zero count, count            uvarint (integer) or BE64 (float)
//     sum BE64 | positive, negative spans: uvarint count, per span varint offset, uvarint length
//     positive, negative buckets: uvarint count, varint deltas (integer) or counts BE64 (float)
//     custom bounds, only with custom buckets: uvarint count, BE64 each
//
// Kinds 12 and 13 hold start timestamps too (StartRecords.swift), and have histograms with and
// without custom buckets in one record.

internal import Bytes
internal import Model

extension WALRecordKind {
    static func histograms(_ value: HistogramValue, hasStarts: Bool) -> WALRecordKind {
        if hasStarts { return value.isFloat ? .floatHistogramsWithStart : .histogramsWithStart }
        return switch (value.isFloat, value.usesCustomBuckets) {
        case (false, false): .histograms
        case (true, false): .floatHistograms
        case (false, true): .customHistograms
        case (true, true): .customFloatHistograms
        }
    }

    var holdsFloatHistograms: Bool {
        self == .floatHistograms || self == .customFloatHistograms
            || self == .floatHistogramsWithStart
    }

    var hasStarts: Bool { self == .histogramsWithStart || self == .floatHistogramsWithStart }
}

/// Builds records of histograms, one of each kind at a time. Where the samples of a series change
/// their kind, new records are begun, since records of different kinds are not in the order of the
/// samples.
struct HistogramRecords {
    private struct Open {
        var kind: WALRecordKind
        var writer = ByteWriter()
        var firstRef: UInt64
        var firstTimestamp: Timestamp
        private var keys = StartRecordWriter()

        init(kind: WALRecordKind, firstRef: UInt64, firstTimestamp: Timestamp) {
            self.kind = kind
            self.firstRef = firstRef
            self.firstTimestamp = firstTimestamp
        }

        mutating func writeKey(_ ref: UInt64, _ timestamp: Timestamp, _ start: Timestamp) {
            keys.write(ref, timestamp, start, to: &writer)
        }
    }

    /// Whether they are to have start timestamps.
    let storesStarts: Bool
    private var open: [Open] = []
    private var finished: [ByteWriter] = []
    /// Of each ref in an open record.
    private var kinds: [UInt64: WALRecordKind] = [:]

    init(storesStarts: Bool = false) { self.storesStarts = storesStarts }

    var isEmpty: Bool { open.isEmpty && finished.isEmpty }

    mutating func removeAll() {
        open.removeAll()
        finished.removeAll()
        kinds.removeAll()
    }

    /// The next sample is to stand behind all that were added so far, whatever its kind.
    private mutating func endRecords() {
        open.sort { $0.kind.rawValue < $1.kind.rawValue }
        finished += open.map(\.writer)
        open.removeAll()
        kinds.removeAll(keepingCapacity: true)
    }

    mutating func append(
        _ ref: UInt64, _ timestamp: Timestamp, _ value: HistogramValue, start: Timestamp = 0
    ) {
        let kind = WALRecordKind.histograms(value, hasStarts: storesStarts)
        if let earlier = kinds[ref], earlier != kind { endRecords() }
        kinds[ref] = kind
        let index: Int
        if let found = open.firstIndex(where: { $0.kind == kind }) {
            index = found
        } else {
            index = open.count
            open.append(Open(kind: kind, firstRef: ref, firstTimestamp: timestamp))
            open[index].writer.uint8(kind.rawValue)
            if !storesStarts {
                open[index].writer.uint64BE(ref)
                open[index].writer.uint64BE(UInt64(bitPattern: timestamp))
            }
        }
        if storesStarts {
            open[index].writeKey(ref, timestamp, start)
        } else {
            let first = (open[index].firstRef, open[index].firstTimestamp)
            open[index].writer.varint(Int64(bitPattern: ref &- first.0))
            open[index].writer.varint(timestamp &- first.1)
        }
        open[index].writer.append(value)
    }

    /// The records in the order in which they are to stand in the log.
    mutating func forEachRecord<Failure: Error>(
        _ body: (RawSpan) throws(Failure) -> Void
    ) throws(Failure) {
        endRecords()
        for record in finished { try body(record.bytes.raw) }
    }
}

extension ByteWriter {
    fileprivate mutating func append(_ value: HistogramValue) {
        switch value {
        case .integer(let histogram): append(histogram)
        case .float(let histogram): append(histogram)
        }
    }

    private mutating func append(_ histogram: IntegerHistogram) {
        begin(histogram.counterResetHint, histogram.schema, histogram.zeroThreshold)
        uvarint(histogram.zeroCount)
        uvarint(histogram.count)
        float(bits: histogram.sum)
        append(histogram.positiveSpans)
        append(histogram.negativeSpans)
        for deltas in [histogram.positiveDeltas, histogram.negativeDeltas] {
            uvarint(UInt64(deltas.count))
            for delta in deltas { varint(delta) }
        }
        guard histogram.schema == FloatHistogram.customBucketsSchema else { return }
        append(histogram.customBounds)
    }

    private mutating func append(_ histogram: FloatHistogram) {
        begin(histogram.counterResetHint, histogram.schema, histogram.zeroThreshold)
        float(bits: histogram.zeroCount)
        float(bits: histogram.count)
        float(bits: histogram.sum)
        append(histogram.positiveSpans)
        append(histogram.negativeSpans)
        append(histogram.positiveBuckets)
        append(histogram.negativeBuckets)
        if histogram.usesCustomBuckets { append(histogram.customBounds) }
    }

    private mutating func begin(
        _ hint: CounterResetHint, _ schema: Int32, _ zeroThreshold: Double
    ) {
        uint8(hint.rawValue)
        varint(Int64(schema))
        float(bits: zeroThreshold)
    }

    private mutating func float(bits value: Double) { uint64BE(value.bitPattern) }

    private mutating func append(_ spans: [BucketSpan]) {
        uvarint(UInt64(spans.count))
        for span in spans {
            varint(Int64(span.offset))
            uvarint(UInt64(span.length))
        }
    }

    private mutating func append(_ floats: [Double]) {
        uvarint(UInt64(floats.count))
        for value in floats { float(bits: value) }
    }
}
