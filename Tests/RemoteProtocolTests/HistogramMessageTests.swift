// SPDX-License-Identifier: Apache-2.0

import Bytes
import Model
import Protobuf
import RemoteProtocol
import Testing

/// Histograms as senders put them into requests, packed numbers and single ones.
@Suite struct HistogramMessageTests {
    private func request(_ message: ProtobufWriter) throws -> WriteRequest {
        var series = PlainSeries(labels: [("__name__", "a")]).message
        series.message(4, message)
        var writer = ProtobufWriter()
        writer.message(1, series)
        var request = WriteRequest()
        try request.decode(writer.bytes.span.bytes, FingerprintKey())
        return request
    }

    private func zigZag(_ value: Int64) -> UInt64 {
        UInt64(bitPattern: (value << 1) ^ (value >> 63))
    }

    private func span(_ offset: Int64, _ length: UInt64) -> ProtobufWriter {
        var writer = ProtobufWriter()
        writer.uint64(1, zigZag(offset))
        writer.uint64(2, length)
        return writer
    }

    private func packed(_ values: [Int64]) -> [UInt8] {
        var writer = ByteWriter()
        for value in values { writer.varint(value) }
        return writer.bytes
    }

    private func packed(_ values: [Double]) -> [UInt8] {
        var writer = ByteWriter()
        for value in values { writer.uint64LE(value.bitPattern) }
        return writer.bytes
    }

    @Test("Integer histograms are read, whether their numbers are packed or not")
    func integers() throws {
        for isPacked in [true, false] {
            var writer = ProtobufWriter()
            writer.uint64(1, 12)
            writer.double(3, 18.4)
            writer.uint64(4, zigZag(-2))
            writer.double(5, 0.001)
            writer.uint64(6, 2)
            writer.message(8, span(3, 1))
            writer.bytes(9, packed([4] as [Int64]))
            writer.message(11, span(-1, 2))
            writer.message(11, span(2, 1))
            if isPacked {
                writer.bytes(12, packed([3, -2, 1] as [Int64]))
            } else {
                for delta in [3, -2, 1] as [Int64] { writer.uint64(12, zigZag(delta)) }
            }
            writer.uint64(14, 1)
            writer.int64(15, -77)
            let histogram = try #require(try request(writer).histograms.first)
            var expected = IntegerHistogram()
            expected.schema = -2
            expected.counterResetHint = .reset
            expected.count = 12
            expected.sum = 18.4
            expected.zeroThreshold = 0.001
            expected.zeroCount = 2
            expected.negativeSpans = [BucketSpan(offset: 3, length: 1)]
            expected.negativeDeltas = [4]
            expected.positiveSpans = [
                BucketSpan(offset: -1, length: 2), BucketSpan(offset: 2, length: 1),
            ]
            expected.positiveDeltas = [3, -2, 1]
            #expect(histogram.timestamp == -77)
            #expect(histogram.value == .integer(expected))
        }
    }

    @Test("The kind of the count says whether a histogram is of floats")
    func floats() throws {
        var writer = ProtobufWriter()
        writer.double(2, 3.5)
        writer.uint64(4, zigZag(-53))
        writer.message(11, span(0, 3))
        writer.bytes(13, packed([1, 0.5, 2]))
        writer.double(16, 1)
        writer.double(16, 2)
        writer.uint64(14, 3)
        let histogram = try #require(try request(writer).histograms.first)
        var expected = FloatHistogram()
        expected.schema = FloatHistogram.customBucketsSchema
        expected.counterResetHint = .gauge
        expected.count = 3.5
        expected.positiveSpans = [BucketSpan(offset: 0, length: 3)]
        expected.positiveBuckets = [1, 0.5, 2]
        expected.customBounds = [1, 2]
        #expect(histogram.value == .float(expected))
    }

    @Test("Resolutions that are too fine to be stored are reduced")
    func resolution() throws {
        var writer = ProtobufWriter()
        writer.uint64(1, 10)
        writer.uint64(4, zigZag(10))
        writer.message(11, span(1, 8))
        writer.bytes(12, packed([1, 0, 0, 0, 1, 0, 0, -1] as [Int64]))
        let histogram = try #require(try request(writer).histograms.first)
        var expected = IntegerHistogram()
        expected.schema = 8
        expected.count = 10
        expected.positiveSpans = [BucketSpan(offset: 1, length: 2)]
        expected.positiveDeltas = [4, 3]
        #expect(histogram.value == .integer(expected))
    }

    @Test("Shortened and altered messages give an error or some histogram")
    func damage() throws {
        var writer = ProtobufWriter()
        writer.uint64(1, 12)
        writer.message(11, span(-1, 2))
        writer.bytes(12, packed([3, -2] as [Int64]))
        writer.bytes(10, packed([3, -2] as [Double]))
        let whole = writer.bytes
        for index in whole.indices {
            for bit in 0..<8 {
                var bytes = whole
                bytes[index] ^= 1 << bit
                var series = ProtobufWriter()
                series.bytes(4, bytes)
                series.bytes(4, Array(whole[..<index]))
                var message = ProtobufWriter()
                message.message(1, series)
                var request = WriteRequest()
                guard (try? request.decode(message.bytes.span.bytes, FingerprintKey())) != nil
                else { continue }
                for histogram in request.histograms { _ = histogram.value }
            }
        }
    }
}
