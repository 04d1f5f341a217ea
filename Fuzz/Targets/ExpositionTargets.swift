// SPDX-License-Identifier: Apache-2.0

import Bytes
import Exposition
import Model

/// Reads everything that the readers of both dialects offer. The first byte sets the options.
func fuzzExposition(_ bytes: [UInt8]) {
    guard let first = bytes.first else { return }
    var options = ExpositionOptions()
    options.typeAndUnitLabels = first & 1 != 0
    options.skipsCreatedSeries = first & 2 != 0
    let body = Array(bytes.dropFirst())
    for dialect in [TextDialect.text, .openMetrics] {
        var reader = ExpositionReader(body.span.bytes, dialect: dialect, options: options)
        do {
            while let entry = try reader.next() {
                guard entry == .series else { continue }
                precondition(!reader.labels().isEmpty, "a series has a label")
                _ = reader.startTimestamp()
            }
        } catch {}
    }
}

/// Scrapes bodies one after the other, each behind a byte 0xFE of the input; what the scanner makes of
/// them with its memory of the last one must be what the reader makes of each alone.
func fuzzLayout(_ bytes: [UInt8]) {
    for dialect in [TextDialect.text, .openMetrics] {
        var target = ScannedTarget(dialect)
        var reader = Reference(dialect: dialect)
        for part in bytes.split(separator: 0xFE, maxSplits: 3, omittingEmptySubsequences: false) {
            var body = Array(part)
            if dialect == .openMetrics { body += Array("\n# EOF\n".utf8) }
            let expected = reader.read(body)
            let found = target.scrape(body)
            guard found != expected else { continue }
            print("expected \(expected)\nfound    \(found)")
            preconditionFailure("the scanner agrees with the reader")
        }
    }
}
