// SPDX-License-Identifier: Apache-2.0
//
// The body of a remote write 1.0 request, once unpacked:
//
//     WriteRequest  1 repeated TimeSeries, 3 repeated MetricMetadata
//     TimeSeries    1 repeated Label {1 name, 2 value}
//                   2 repeated Sample {1 double value, 2 int64 timestamp in milliseconds}
//                   3 repeated Exemplar {1 repeated Label, 2 double value, 3 int64 timestamp}
//                   4 repeated Histogram (HistogramMessage.swift)
//
// What costs in such a request are the labels, and most of them have been seen before. So they are
// not read here: a series keeps where its label fields lie, and a fingerprint of those bytes, by
// which the receiver finds the series in its cache. Only what is not found there is made into
// `Labels`.
//
// Source: https://prometheus.io/docs/specs/prw/remote_write_spec/

package import Model
internal import Protobuf

/// A decoded request, as columns that belong to the bytes it was read from. Keep the value from
/// request to request: its arrays then stop growing.
package struct WriteRequest: Sendable {
    package struct Series: Sendable, Hashable {
        /// The label fields, keys included, in the request's bytes; where other fields lie between
        /// them, these too.
        package let labels: Range<Int>
        package let fingerprint: LabelFingerprint
        /// Its samples in `timestamps` and `values`.
        package let samples: Range<Int>
        /// Its exemplars in `exemplars`.
        package let exemplars: Range<Int>
        /// Its native histograms in `histograms`.
        package let histograms: Range<Int>

        package var sampleCount: Int { samples.count + histograms.count }
    }

    package private(set) var series: [Series] = []
    package private(set) var timestamps: [Timestamp] = []
    package private(set) var values: [Double] = []
    package private(set) var exemplars: [Exemplar] = []
    package private(set) var histograms: [HistogramMessage] = []
    /// What is left out, but reported.
    package private(set) var metadataCount = 0

    package init() {}

    /// Replaces the contents by those of `bytes`. After an error they mean nothing.
    package mutating func decode(
        _ bytes: RawSpan, _ fingerprints: FingerprintKey
    ) throws(WriteRequestError) {
        series.removeAll(keepingCapacity: true)
        timestamps.removeAll(keepingCapacity: true)
        values.removeAll(keepingCapacity: true)
        exemplars.removeAll(keepingCapacity: true)
        histograms.removeAll()
        metadataCount = 0
        do {
            var reader = ProtobufReader(bytes)
            while let field = try reader.next() {
                switch field.number {
                case 1: try decodeSeries(bytes, try reader.range(field), fingerprints)
                case 3:
                    metadataCount += 1
                    _ = try reader.range(field)
                default: try reader.skip(field)
                }
            }
        } catch {
            throw WriteRequestError(message: error.description)
        }
    }

    private mutating func decodeSeries(
        _ bytes: RawSpan, _ range: Range<Int>, _ fingerprints: FingerprintKey
    ) throws(ProtobufError) {
        var reader = ProtobufReader(bytes, range)
        var labels: Range<Int>?
        let (firstSample, firstExemplar) = (values.count, exemplars.count)
        let firstHistogram = histograms.count
        var start = reader.offset
        // First what is written as almost everyone writes it: labels, then samples.
        reader.passTextPairs(1)
        if reader.offset > start { labels = start..<reader.offset }
        while let sample = reader.doubleAndInteger(2) {
            values.append(sample.double)
            timestamps.append(sample.integer)
        }
        start = reader.offset
        while let field = try reader.next() {
            switch field.number {
            case 1:
                try checkLabel(bytes, try reader.range(field))
                labels = (labels?.lowerBound ?? start)..<reader.offset
            case 2: try decodeSample(bytes, try reader.range(field))
            case 3: exemplars.append(try decodeExemplar(bytes, try reader.range(field)))
            case 4: histograms.append(try HistogramMessage(bytes, try reader.range(field)))
            default: try reader.skip(field)
            }
            start = reader.offset
        }
        let found = labels ?? range.lowerBound..<range.lowerBound
        series.append(
            Series(
                labels: found,
                fingerprint: fingerprints.fingerprint(bytes.extracting(found)),
                samples: firstSample..<values.count, exemplars: firstExemplar..<exemplars.count,
                histograms: firstHistogram..<histograms.count))
    }

    /// Labels are looked at later, if at all; that they are well formed must be known now, because
    /// the request stands or falls as a whole.
    @inline(__always)
    private func checkLabel(_ bytes: RawSpan, _ range: Range<Int>) throws(ProtobufError) {
        var reader = ProtobufReader(bytes, range)
        while let field = try reader.next() {
            switch field.number {
            case 1, 2: _ = try reader.range(field)
            default: try reader.skip(field)
            }
        }
    }

    @inline(__always)
    private mutating func decodeSample(
        _ bytes: RawSpan, _ range: Range<Int>
    ) throws(ProtobufError) {
        var reader = ProtobufReader(bytes, range)
        var value = 0.0
        var timestamp: Int64 = 0
        while let field = try reader.next() {
            switch field.number {
            case 1: value = try reader.double(field)
            case 2: timestamp = try reader.int64(field)
            default: try reader.skip(field)
            }
        }
        values.append(value)
        timestamps.append(Timestamp(timestamp))
    }
}

/// The body is no write request; the sentence is what the client is told.
package struct WriteRequestError: Error, Sendable, Hashable, CustomStringConvertible {
    package let message: String
    package var description: String { message }
}
