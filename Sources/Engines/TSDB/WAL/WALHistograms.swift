// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model

/// Histograms as columns, decoded from one record (HistogramRecords.swift draws it).
struct WALHistograms {
    var refs: [UInt64] = []
    var timestamps: [Timestamp] = []
    var values: [HistogramValue] = []
    /// 0 for none.
    var starts: [Timestamp] = []
    /// Histograms that were left out: of an unknown schema, or with other numbers of buckets than
    /// their spans say.
    private(set) var unusable = 0

    init() {}

    init(_ record: RawSpan) throws(ByteError) {
        var reader = ByteReader(record)
        guard let kind = WALRecordKind(rawValue: try reader.uint8()), !reader.isAtEnd else {
            return
        }
        if kind.hasStarts {
            try decodeWithStarts(&reader, kind)
        } else {
            try decode(&reader, kind)
        }
    }

    private mutating func decode(
        _ reader: inout ByteReader, _ kind: WALRecordKind
    ) throws(ByteError) {
        let firstRef = try reader.uint64BE()
        let firstTimestamp = Int64(bitPattern: try reader.uint64BE())
        while !reader.isAtEnd {
            let ref = firstRef &+ UInt64(bitPattern: try reader.varint())
            let timestamp = firstTimestamp &+ (try reader.varint())
            append(ref, timestamp, try reader.histogram(isFloat: kind.holdsFloatHistograms))
        }
    }

    private mutating func decodeWithStarts(
        _ reader: inout ByteReader, _ kind: WALRecordKind
    ) throws(ByteError) {
        var keys = StartRecordReader()
        while !reader.isAtEnd {
            let key = try keys.next(&reader)
            append(
                key.ref, key.timestamp, try reader.histogram(isFloat: kind.holdsFloatHistograms),
                start: key.start)
        }
    }

    private mutating func append(
        _ ref: UInt64, _ timestamp: Timestamp, _ value: HistogramValue, start: Timestamp = 0
    ) {
        guard value.isUsable else {
            unusable += 1
            return
        }
        var value = value
        value.reduceResolution(to: FloatHistogram.storedSchemas.upperBound)
        refs.append(ref)
        timestamps.append(timestamp)
        values.append(value)
        starts.append(start)
    }
}

extension HistogramValue {
    /// Whether a chunk can hold it: what follows from a sound record by an upstream of any age.
    fileprivate var isUsable: Bool {
        func buckets(_ spans: [BucketSpan]) -> Int { spans.reduce(0) { $0 + Int($1.length) } }
        guard usesCustomBuckets || (-9...52).contains(schema) else { return false }
        switch self {
        case .integer(let histogram):
            return buckets(histogram.positiveSpans) == histogram.positiveDeltas.count
                && buckets(histogram.negativeSpans) == histogram.negativeDeltas.count
        case .float(let histogram):
            return buckets(histogram.positiveSpans) == histogram.positiveBuckets.count
                && buckets(histogram.negativeSpans) == histogram.negativeBuckets.count
        }
    }
}

extension ByteReader {
    @_lifetime(self: copy self)
    fileprivate mutating func histogram(isFloat: Bool) throws(ByteError) -> HistogramValue {
        let hint = CounterResetHint(rawValue: try uint8()) ?? .unknown
        let schema = Int32(truncatingIfNeeded: try varint())
        let zeroThreshold = try float()
        if isFloat {
            var histogram = FloatHistogram()
            histogram.counterResetHint = hint
            histogram.schema = schema
            histogram.zeroThreshold = zeroThreshold
            try read(&histogram)
            return .float(histogram)
        }
        var histogram = IntegerHistogram()
        histogram.counterResetHint = hint
        histogram.schema = schema
        histogram.zeroThreshold = zeroThreshold
        try read(&histogram)
        return .integer(histogram)
    }

    @_lifetime(self: copy self)
    private mutating func read(_ histogram: inout IntegerHistogram) throws(ByteError) {
        histogram.zeroCount = try uvarint()
        histogram.count = try uvarint()
        histogram.sum = try float()
        histogram.positiveSpans = try spans()
        histogram.negativeSpans = try spans()
        histogram.positiveDeltas = try deltas()
        histogram.negativeDeltas = try deltas()
        guard histogram.schema == FloatHistogram.customBucketsSchema else { return }
        histogram.customBounds = try floats()
    }

    @_lifetime(self: copy self)
    private mutating func read(_ histogram: inout FloatHistogram) throws(ByteError) {
        histogram.zeroCount = try float()
        histogram.count = try float()
        histogram.sum = try float()
        histogram.positiveSpans = try spans()
        histogram.negativeSpans = try spans()
        histogram.positiveBuckets = try floats()
        histogram.negativeBuckets = try floats()
        if histogram.usesCustomBuckets { histogram.customBounds = try floats() }
    }

    /// How many elements follow, of which each takes `size` bytes at least.
    @_lifetime(self: copy self)
    private mutating func count(of size: Int) throws(ByteError) -> Int {
        let count = try uvarint()
        guard count <= UInt64(remaining / size) else { throw .truncated(offset: offset) }
        return Int(count)
    }

    @_lifetime(self: copy self)
    private mutating func float() throws(ByteError) -> Double {
        Double(bitPattern: try uint64BE())
    }

    @_lifetime(self: copy self)
    private mutating func spans() throws(ByteError) -> [BucketSpan] {
        let count = try count(of: 2)
        var spans: [BucketSpan] = []
        spans.reserveCapacity(count)
        for _ in 0..<count {
            let offset = Int32(truncatingIfNeeded: try varint())
            let length = UInt32(truncatingIfNeeded: try uvarint())
            spans.append(BucketSpan(offset: offset, length: length))
        }
        return spans
    }

    @_lifetime(self: copy self)
    private mutating func deltas() throws(ByteError) -> [Int64] {
        let count = try count(of: 1)
        var deltas: [Int64] = []
        deltas.reserveCapacity(count)
        for _ in 0..<count { deltas.append(try varint()) }
        return deltas
    }

    @_lifetime(self: copy self)
    private mutating func floats() throws(ByteError) -> [Double] {
        let count = try count(of: 8)
        var floats: [Double] = []
        floats.reserveCapacity(count)
        for _ in 0..<count { floats.append(try float()) }
        return floats
    }
}
