// SPDX-License-Identifier: Apache-2.0

import Bytes
import JSON
import Testing

private func written(_ body: (inout JSONWriter) -> Void) -> String {
    var writer = JSONWriter()
    body(&writer)
    return String(decoding: writer.output.bytes, as: UTF8.self)
}

@Suite("JSON writer")
struct JSONWriterTests {
    @Test("commas and colons come by themselves")
    func nesting() {
        let text = written { json in
            json.object { json in
                json.key("a")
                json.array([1, 2, 3]) { $0.integer($1) }
                json.key("b")
                json.object { _ in }
                json.key("c")
                json.beginArray()
                json.beginArray()
                json.endArray()
                json.null()
                json.boolean(true)
                json.number(0.5)
                json.number(.nan)
                json.endArray()
            }
        }
        #expect(text == #"{"a":[1,2,3],"b":{},"c":[[],null,true,0.5,null]}"#)
    }

    @Test("Columns of samples are written as one sample after the other is")
    func columns() {
        let times: [Int64] = [
            0, 1500, -1, 1_700_000_000_123, 1_700_000_001_000, .max, .min + 1, 9, 10, 11,
        ]
        let values: [Double] = [
            1, 1, .nan, .nan, -.infinity, 1.7976931348623157e308, 1.7976931348623157e308, 0, -0.0,
            1234567.8901234567,
        ]
        var cells = SampleTimes()
        for run in [0..<10, 3..<4, 5..<5, 1..<10] {
            let expected = written { json in
                json.beginArray()
                for index in run { json.sample(times[index], values[index]) }
                for index in 0..<2 { json.sample(times[index], values[index]) }
                json.endArray()
            }
            cells.take(times)
            let found = written { json in
                json.beginArray()
                json.samples(values, run, at: cells)
                json.samples(values, 0..<2, at: cells)
                json.endArray()
            }
            #expect(found == expected)
        }
        cells.take([7])
        #expect(written { $0.samples([2], 0..<1, at: cells) } == "[0.007,\"2\"]")
    }

    @Test("Labels are escaped at every place of a word", arguments: ["\"", "\\", "\n", "\u{1F}"])
    func labels(_ special: String) {
        for length in 0..<20 {
            let plain =
                String(repeating: "é", count: length / 2)
                + String(repeating: "~", count: length % 2)
            #expect(written { $0.string(plain, .plain) } == "\"\(plain)\"")
            for place in 0...plain.count {
                var text = plain
                text.insert(contentsOf: special, at: text.index(text.startIndex, offsetBy: place))
                let found = written { $0.string(text, .plain) }
                #expect(found.utf8.count > text.utf8.count + 2)
                #expect(found.contains("\\"))
            }
        }
    }

    /// As the real server answers: labels, messages, PromQL strings.
    @Test("the three ways of escaping")
    func escaping() {
        let text = "<&>\u{2028}\u{2029}\u{2027}\" \\ \u{01}\u{7F}\t\n\r日\u{08}\u{0C}/'"
        #expect(
            written { $0.string(text, .plain) }
                == "\"<&>\u{2028}\u{2029}\u{2027}\\\" \\\\ \\u0001\u{7F}\\t\\n\\r日\\u0008\\u000c/'\""
        )
        #expect(
            written { $0.string(text) }
                == "\"\\u003c\\u0026\\u003e\\u2028\\u2029\u{2027}\\\" \\\\ \\u0001\u{7F}\\t\\n\\r日"
                + "\\u0008\\u000c/'\"")
        #expect(written { $0.string("\u{08}\u{0C}<", .htmlSafeShort) } == "\"\\b\\f\\u003c\"")
        #expect(written { $0.string("") } == "\"\"")
        #expect(written { $0.label(Array("<".utf8).raw, Array("\"".utf8).raw) } == #""<":"\"""#)
    }

    @Test(
        "timestamps are seconds with no or three decimals",
        arguments: [
            (0, "0"), (1, "0.001"), (1500, "1.500"), (1_767_227_400_000, "1767227400"),
            (1_767_227_400_020, "1767227400.020"), (-1010, "-1.010"), (-100, "-0.100"),
            (Int64.min, "-9223372036854775.808"),
        ])
    func timestamps(_ milliseconds: Int64, _ text: String) {
        #expect(written { $0.timestamp(milliseconds) } == text)
    }

    @Test("samples")
    func samples() {
        let text = written { json in
            json.beginArray()
            json.sample(1000, 1e-7)
            json.sample(1001, .infinity)
            json.floatText(1e-7, .plain)
            json.endArray()
        }
        #expect(text == #"[[1,"1e-07"],[1.001,"+Inf"],"0.0000001"]"#)
    }
}

@Suite("JSON reader")
struct JSONReaderTests {
    @Test("reads what the writer and others write")
    func values() throws {
        let value = try JSONValue(
            parsing: """
                {"a": [1, -2.5e3, true, false, null, "x\\u00e9\\n\\ud83d\\ude00\\ud800\\/"],
                 "b": {}, "c": [], "n": 9223372036854775807, "a2": 1, "a2": 2}
                """)
        #expect(value["a"]?.elements?.count == 6)
        #expect(value["a"]?.elements?[1].double == -2500)
        #expect(value["a"]?.elements?[1].integer == nil)
        #expect(value["a"]?.elements?[5].text == "xé\n😀\u{FFFD}/")
        #expect(value["n"]?.integer == .max)
        #expect(value["a2"]?.integer == 2)
        #expect(value["b"] == .object([]))
        #expect(value["zz"] == nil)
    }

    @Test(
        "refuses what is no JSON, and says where",
        arguments: [
            ("", 1, 1), ("{", 1, 2), ("[1,]", 1, 4), ("{\"a\" 1}", 1, 6), ("[1\n,\n  01]", 3, 4),
            ("\"\n\"", 1, 2), ("nul", 1, 1), ("1 2", 1, 3), ("\"\\x\"", 1, 3),
            ("\"\\u12g4\"", 1, 6),
            ("-", 1, 2), ("1.", 1, 3), ("{'a':1}", 1, 2), ("[1", 1, 3), ("\"a", 1, 3), ("+1", 1, 1),
        ])
    func errors(_ text: String, _ line: Int, _ column: Int) {
        let error = #expect(throws: JSONError.self) { try JSONValue(parsing: text) }
        #expect(error?.line == line && error?.column == column, "\(text): \(error!)")
    }

    @Test("deep nesting is refused, not fatal")
    func depth() throws {
        #expect(throws: JSONError.self) {
            try JSONValue(parsing: String(repeating: "[", count: 100_000))
        }
        let depth = 200
        _ = try JSONValue(
            parsing: String(repeating: "[", count: depth) + String(repeating: "]", count: depth))
    }
}
