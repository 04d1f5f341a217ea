// SPDX-License-Identifier: Apache-2.0

import Bytes
import Model
import Protobuf
import RemoteProtocol
import Testing

@Suite struct WriteRequestTests {
    let key = FingerprintKey()

    private func decoded(_ bytes: [UInt8]) throws -> WriteRequest {
        var request = WriteRequest()
        try request.decode(bytes.span.bytes, key)
        return request
    }

    private func labels(_ bytes: [UInt8], _ index: Int = 0) throws -> Labels {
        let series = try decoded(bytes).series[index]
        return try series.makeLabels(bytes.span.bytes)
    }

    @Test func samplesBecomeColumnsAndLabelsSets() throws {
        let bytes = requestBytes([
            PlainSeries(labels: [("__name__", "a"), ("x", "1")], samples: [(1.5, 10), (2, -20)]),
            PlainSeries(labels: [("__name__", "b")]),
            PlainSeries(labels: [("__name__", "c")], samples: [(.infinity, 30)], labelsLast: true),
        ])
        let request = try decoded(bytes)
        #expect(request.values == [1.5, 2, .infinity])
        #expect(request.timestamps == [10, -20, 30])
        #expect(request.series.map(\.samples) == [0..<2, 2..<2, 2..<3])
        #expect(try labels(bytes, 0) == Labels(["__name__": "a", "x": "1"]))
        #expect(try labels(bytes, 1) == Labels(["__name__": "b"]))
        #expect(try labels(bytes, 2) == Labels(["__name__": "c"]))
    }

    @Test func labelsAreSortedAndEmptyOnesLeftOut() throws {
        let bytes = requestBytes([
            PlainSeries(labels: [("z", "1"), ("é", "3"), ("__name__", "a"), ("b", ""), ("B", "2")])
        ])
        let wanted: Labels = Labels(["B": "2", "__name__": "a", "z": "1", "é": "3"])
        #expect(try labels(bytes) == wanted)
    }

    @Test(arguments: [
        ([("a", "b")], LabelFault.invalid),
        ([], .invalid),
        ([("__name__", "")], .invalid),
        ([("__name__", "x"), ("", "y")], .invalid),
        ([("__name__", "x"), ("a", "1"), ("a", "2")], .duplicate(name: "a")),
        ([("__name__", "x"), ("b", "1"), ("a", "1"), ("b", "1")], .duplicate(name: "b")),
    ])
    func faultyLabelSetsAreNamed(_ pairs: [(String, String)], _ fault: LabelFault) {
        let bytes = requestBytes([PlainSeries(labels: pairs, samples: [(1, 1)])])
        #expect(throws: fault) { _ = try labels(bytes) }
    }

    @Test func labelsThatAreNoUTF8AreFaulty() {
        var bytes = requestBytes([PlainSeries(labels: [("__name__", "x"), ("a", "QQ")])])
        for index in bytes.indices where bytes[index] == UInt8(ascii: "Q") { bytes[index] = 0xFF }
        let damaged = bytes
        #expect(throws: LabelFault.invalid) { _ = try labels(damaged) }
    }

    @Test func whatIsNotStoredIsCounted() throws {
        var series = PlainSeries(labels: [("__name__", "a")], samples: [(1, 1)]).message
        series.bytes(3, [])
        var writer = ProtobufWriter()
        writer.message(1, series)
        writer.bytes(3, [])
        writer.uint64(9, 5)
        let request = try decoded(writer.bytes)
        #expect(request.exemplars.count == 1)
        #expect(request.metadataCount == 1 && request.values == [1])
    }

    /// What is written as almost everyone writes it is read by a shorter way than the rest.
    @Test(
        arguments: [
            0, 1, 127, 128, 1_795_545_480_280, (1 << 56) - 1, 1 << 56, .max, -1, .min,
        ] as [Int64])
    func everyTimestampIsReadWhateverTheFormOfTheSample(_ timestamp: Int64) throws {
        for padding in [0, 40] {
            let labels = [("__name__", "a"), ("pad", String(repeating: "p", count: padding))]
            let plain = PlainSeries(labels: labels, samples: [(1.5, timestamp), (-2, timestamp)])
            let request = try decoded(requestBytes([plain]))
            #expect(request.timestamps == [timestamp, timestamp])
            #expect(request.values == [1.5, -2])
        }
        var sample = ProtobufWriter()
        sample.int64(2, timestamp)
        sample.double(1, 1.5)
        var other = ProtobufWriter()
        other.message(2, sample)
        var writer = ProtobufWriter()
        writer.message(1, other)
        #expect(try decoded(writer.bytes).timestamps == [timestamp])
    }

    @Test(arguments: [0, 1, 59, 100, 118, 119, 127, 128, 300, 20_000])
    func labelsOfAnyLengthAreFound(_ length: Int) throws {
        let value = String(repeating: "v", count: length)
        let name = String(repeating: "n", count: max(1, length))
        let bytes = requestBytes([
            PlainSeries(
                labels: [("__name__", "a"), ("b", value), (name, "c"), ("z", "1")],
                samples: [(1, 1)])
        ])
        // Labels without a value are left out.
        let wanted = [
            Label("__name__", "a"), Label("b", value), Label(name, "c"), Label("z", "1"),
        ]
        #expect(try labels(bytes) == Labels(wanted))
        #expect(try decoded(bytes).values == [1])
    }

    @Test func labelsWithFieldsOfOtherNumbersAreReadToo() throws {
        var label = ProtobufWriter()
        label.text(1, "__name__")
        label.text(2, "a")
        label.uint64(3, 7)
        var series = ProtobufWriter()
        series.message(1, label)
        var writer = ProtobufWriter()
        writer.message(1, series)
        #expect(try labels(writer.bytes) == Labels(["__name__": "a"]))
    }

    /// Cut anywhere, a request is refused, or it was cut between its series.
    @Test func aRequestThatBreaksOffIsRefused() throws {
        let one = PlainSeries(labels: [("__name__", "a"), ("x", "1")], samples: [(1.5, 1 << 40)])
        let bytes = requestBytes([one, one])
        for count in 1..<bytes.count where count != bytes.count / 2 {
            let part = Array(bytes[..<count])
            #expect(throws: WriteRequestError.self) { _ = try decoded(part) }
        }
    }

    @Test func aValueLeftOutIsZero() throws {
        var series = ProtobufWriter()
        series.bytes(2, [])
        var writer = ProtobufWriter()
        writer.message(1, series)
        let request = try decoded(writer.bytes)
        #expect(request.values == [0] && request.timestamps == [0])
    }

    @Test func aRequestDecodedBeforeIsForgotten() throws {
        var request = WriteRequest()
        let first = requestBytes([PlainSeries(labels: [("__name__", "a")], samples: [(1, 1)])])
        try request.decode(first.span.bytes, key)
        let empty: [UInt8] = []
        try request.decode(empty.span.bytes, key)
        #expect(request.series.isEmpty && request.values.isEmpty && request.timestamps.isEmpty)
    }

    @Test(
        arguments: [
            ([0x0A, 5, 1], "unexpected EOF"), ([0x0F], "proto: illegal wireType 7"),
            ([0x08, 1], "proto: wrong wireType = 0 for field 1"),
            ([0x0A, 2, 0x0A, 9], "unexpected EOF"),
        ] as [([UInt8], String)])
    func whatIsNoRequestIsRefused(_ bytes: [UInt8], _ message: String) {
        let error = #expect(throws: WriteRequestError.self) { _ = try decoded(bytes) }
        #expect(error?.message == message)
    }

    @Test func damagedBytesNeverTrap() {
        var random = SystemRandomNumberGenerator()
        let whole = requestBytes(
            (0..<5).map { index in
                PlainSeries(
                    labels: [("__name__", "m\(index)"), ("a", "b"), ("le", "0.5")],
                    samples: [(Double(index), Int64(index)), (1, 2)])
            })
        func look(_ bytes: [UInt8]) {
            guard let request = try? decoded(bytes) else { return }
            for series in request.series { _ = try? series.makeLabels(bytes.span.bytes) }
        }
        for length in 0..<whole.count { look(Array(whole[..<length])) }
        for index in whole.indices {
            for bit in 0..<8 {
                var bytes = whole
                bytes[index] ^= 1 << bit
                look(bytes)
                bytes[Int.random(in: bytes.indices, using: &random)] ^= 1 << bit
                look(bytes)
            }
        }
    }

    @Test func fingerprintsTellLabelsApartAndAreTheSameForTheSame() throws {
        let bytes = requestBytes([
            PlainSeries(labels: [("__name__", "a"), ("x", "1")], samples: [(1, 1)]),
            PlainSeries(labels: [("__name__", "a"), ("x", "2")], samples: [(1, 1)]),
            PlainSeries(labels: [("__name__", "a"), ("x", "1")], samples: [(3, 4)]),
            PlainSeries(labels: [("__name__", "a"), ("x", "1\0")], samples: [(1, 1)]),
        ])
        let prints = try decoded(bytes).series.map(\.fingerprint)
        #expect(prints[0] == prints[2])
        #expect(Set(prints).count == 3)
        var other = WriteRequest()
        try other.decode(bytes.span.bytes, FingerprintKey())
        let changed = other.series[0].fingerprint
        #expect(changed != prints[0])
    }
}
