// SPDX-License-Identifier: Apache-2.0

import Bytes
import Exposition
import Model
import Testing

@Suite struct LayoutScannerTests {
    @Test func `a body that looks like the last one is not read by the general reader`() throws {
        var target = ScannedTarget(.text)
        _ = target.scrape(Array("# TYPE a counter\na{x=\"1\"} 1\na{x=\"2\"} 2\n".utf8))
        let layout = target.layout
        let body = Array("# TYPE a counter\na{x=\"1\"} 1e3\na{x=\"2\"} -0.25\n".utf8)
        var scanner = LayoutScanner(
            body.raw, layout: layout, honorsTimestamps: true, options: .init(), into: .init())
        guard case .finished = try scanner.next() else {
            Issue.record("a new series")
            return
        }
        let (isUnchanged, values, count) =
            (scanner.isUnchanged, scanner.result.values, scanner.sampleCount)
        #expect(isUnchanged)
        #expect(values == [1000, -0.25])
        #expect(count == 2)
    }

    @Test func `equal layouts are kept once`() {
        let pool = LayoutPool()
        func layout(_ text: String) -> Layout {
            let body = Array(text.utf8)
            var scanner = LayoutScanner(
                body.raw, layout: Layout(emptyFor: .text), honorsTimestamps: true,
                options: .init(), into: .init())
            while case .newSample? = try? scanner.next() {}
            return pool.intern(scanner.revision().layout)
        }
        let first = layout("a 1\nb 2\n")
        #expect(layout("a 3\nb NaN\n") === first)
        #expect(layout("a 3\n") !== first)
    }

    @Test func `labels can be had again from the layout`() {
        var target = ScannedTarget(.text)
        _ = target.scrape(Array("# TYPE h histogram\nh{le=\"1\"} 1\nb 2\nc{d=\"e\"} 3\nx+4".utf8))
        #expect(
            target.layout.labels(ofSamples: [0, 2, 3], options: .init()) == [
                Labels(["__name__": "h", "le": "1.0"]), Labels(["__name__": "c", "d": "e"]),
                Labels(["__name__": "x"]),
            ])
    }

    @Test func `types and units are found behind lines that were not read again`() {
        var options = ExpositionOptions()
        options.typeAndUnitLabels = true
        var target = ScannedTarget(.openMetrics, options)
        let families = """
            # TYPE a_seconds counter
            # UNIT a_seconds seconds
            a_seconds_total 1
            # TYPE b gauge
            # UNIT b \n
            """
        _ = target.scrape(Array((families + "b 1\n# EOF\n").utf8))
        let labels = Labels([
            "__name__": "a_seconds_total", "__type__": "counter", "__unit__": "seconds", "x": "y",
        ])
        let more = families.replacing(
            "# TYPE b", with: "a_seconds_total{x=\"y\",__type__=\"gauge\"} 2\n# TYPE b")
        let found = target.scrape(Array((more + "b 1\nb{c=\"d\"} 3\n# EOF\n").utf8))
        var expected = Outcome(total: 4)
        expected.add(
            labels.removing("x"), 1, ScanResult.noTimestamp)
        expected.add(labels, 2, ScanResult.noTimestamp)
        let gauge = Labels(["__name__": "b", "__type__": "gauge"])
        expected.add(gauge, 1, ScanResult.noTimestamp)
        expected.add(gauge.setting("c", "d"), 3, ScanResult.noTimestamp)
        expected.samples.sort()
        #expect(found == expected)
        #expect(
            target.layout.labels(ofSamples: [1, 3], options: options)
                == [labels, gauge.setting("c", "d")])
    }

    /// Bodies of a target whose lines come, go, move, repeat and break, against the general reader.
    @Test(arguments: [TextDialect.text, .openMetrics], 0..<40)
    func `any history of bodies yields what the general reader reads`(
        dialect: TextDialect, seed: Int
    ) {
        var options = ExpositionOptions()
        options.typeAndUnitLabels = seed % 2 == 1
        var random = SplitMix(state: UInt64(seed) &* 7919 &+ (dialect == .text ? 1 : 2))
        var target = ScannedTarget(dialect, options)
        var reader = Reference(dialect: dialect, options: options)
        var lines = (0..<40).map { randomLine($0, dialect, &random) }
        for _ in 0..<60 {
            mutate(&lines, dialect, &random)
            let text = lines.map { $0.text(&random) }.joined()
            var body = Array(text.utf8)
            if dialect == .openMetrics { body += Array("# EOF\n".utf8) }
            if dialect == .text, random.below(5) == 0, body.last == UInt8(ascii: "\n") {
                body.removeLast()
            }
            if random.below(10) == 0, !body.isEmpty {
                body[random.below(body.count)] = Array("\n {}\"a1#\0\\=,".utf8).randomElement(
                    using: &random)!
            }
            let expected = reader.read(body)
            let found = target.scrape(body)
            if found != expected {
                let missing = expected.samples.filter { !found.samples.contains($0) }
                let extra = found.samples.filter { !expected.samples.contains($0) }
                Issue.record(
                    """
                    missing \(missing), extra \(extra), \(found.total) of \(expected.total), \
                    \(found.duplicates) duplicates of \(expected.duplicates), \
                    \(found.error ?? "-"), not \(expected.error ?? "-"):
                    \(String(decoding: body, as: UTF8.self))
                    """)
                return
            }
        }
    }
}

private struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var z = state
        z = (z ^ (z >> 30)) &* 0xBF58_476D_1CE4_E5B9
        z = (z ^ (z >> 27)) &* 0x94D0_49BB_1331_11EB
        return z ^ (z >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

private struct Line {
    var prefix: String
    var isSample: Bool
    var hasTimestamp = false
    var dialect: TextDialect

    func text(_ random: inout SplitMix) -> String {
        guard isSample else { return prefix }
        var values = ["0", "1", "12.5", "-3e-7", "NaN", "+Inf", "1.7976931348623157e+308"]
        values += ["12345678901234567890", "0.1234567890123456789"]
        var text = prefix + values[random.below(values.count)]
        if hasTimestamp { text += dialect == .text ? " \(random.below(100000))" : " 12.5" }
        return text + "\n"
    }
}

private func randomLine(_ number: Int, _ dialect: TextDialect, _ random: inout SplitMix) -> Line {
    let name = "metric_\(number % 13)"
    switch random.below(10) {
    case 0: return Line(prefix: "# HELP \(name) text\n", isSample: false, dialect: dialect)
    case 1:
        let type = ["counter", "histogram", "summary"][random.below(3)]
        return Line(prefix: "# TYPE \(name) \(type)\n", isSample: false, dialect: dialect)
    case 1...2 where dialect == .openMetrics && random.below(2) == 0:
        let unit = ["seconds", "bytes", ""][random.below(3)]
        let family = unit.isEmpty ? name : "\(name)_\(unit)"
        return Line(prefix: "# UNIT \(family) \(unit)\n", isSample: false, dialect: dialect)
    case 2 where dialect == .text:
        let text = ["# a comment\n", "\n", "#\n", " \t \n"][random.below(4)]
        return Line(prefix: text, isSample: false, dialect: dialect)
    case 3:
        return Line(prefix: "\(name) ", isSample: true, hasTimestamp: true, dialect: dialect)
    case 4 where dialect == .text:
        let prefix = ["\(name){a=\"b\"}", "\(name)+", " \(name)\t", "{\"\(name)\"} "]
        return Line(prefix: prefix[random.below(4)], isSample: true, dialect: dialect)
    default:
        let prefix = "\(name){le=\"\(random.below(3))\",n=\"\(number)\\\"}\"} "
        return Line(prefix: prefix, isSample: true, dialect: dialect)
    }
}

private func mutate(_ lines: inout [Line], _ dialect: TextDialect, _ random: inout SplitMix) {
    switch random.below(8) {
    case 0:
        lines.insert(randomLine(random.below(100), dialect, &random), at: random.below(lines.count))
    case 1: if lines.count > 5 { lines.remove(at: random.below(lines.count)) }
    case 2: lines.swapAt(random.below(lines.count), random.below(lines.count))
    case 3: lines.insert(lines[random.below(lines.count)], at: random.below(lines.count))
    case 4: lines.shuffle(using: &random)
    default: break
    }
}
