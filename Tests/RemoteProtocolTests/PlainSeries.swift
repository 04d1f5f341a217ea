// SPDX-License-Identifier: Apache-2.0

import Protobuf

/// A series of a request as a test writes it.
struct PlainSeries: Sendable {
    var labels: [(String, String)]
    var samples: [(Double, Int64)] = []
    var labelsLast = false

    var message: ProtobufWriter {
        var writer = ProtobufWriter()
        if !labelsLast { writeLabels(&writer) }
        for (value, timestamp) in samples {
            var sample = ProtobufWriter()
            sample.double(1, value)
            sample.int64(2, timestamp)
            writer.message(2, sample)
        }
        if labelsLast { writeLabels(&writer) }
        return writer
    }

    private func writeLabels(_ writer: inout ProtobufWriter) {
        for (name, value) in labels {
            var label = ProtobufWriter()
            label.text(1, name)
            label.text(2, value)
            writer.message(1, label)
        }
    }
}

func requestBytes(_ series: [PlainSeries]) -> [UInt8] {
    var writer = ProtobufWriter()
    for one in series { writer.message(1, one.message) }
    return writer.bytes
}
