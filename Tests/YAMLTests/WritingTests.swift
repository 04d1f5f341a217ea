// SPDX-License-Identifier: Apache-2.0

import Testing
import YAML

@Suite struct WritingTests {
    @Test(
        "Strings are quoted only where they must be",
        arguments: [
            ("abc", "abc"), ("(.*)", "(.*)"), ("$1", "$1"), ("a b", "a b"), (";", ";"),
            ("", "\"\""), ("12", "\"12\""), ("true", "\"true\""), ("on", "\"on\""),
            ("null", "\"null\""), ("1:30", "\"1:30\""), ("15s", "15s"), ("*", "'*'"),
            ("a: b", "'a: b'"), ("# x", "'# x'"), ("<secret>", "<secret>"), ("é", "é"),
            ("0.0.0.0:9090", "0.0.0.0:9090"),
        ])
    func quoting(text: String, expected: String) {
        #expect(YAMLNode.mapping([("k", .string(text))]).yaml() == "k: \(expected)\n")
    }

    @Test("Collections are laid out as Go's yaml.v2 lays them out")
    func layout() {
        let tree = YAMLNode.mapping([
            ("global", .mapping([("scrape_interval", .string("15s")), ("absent", nil)])),
            (
                "scrape_configs",
                .sequence([
                    .mapping([
                        ("job_name", .string("x")), ("honor_timestamps", .bool(true)),
                        ("source_labels", .sequence([.string("a"), .string("b")], flow: true)),
                        ("empty", .sequence([])), ("limit", .integer(5)),
                    ])
                ])
            ),
        ])
        let expected = """
            global:
              scrape_interval: 15s
            scrape_configs:
            - job_name: x
              honor_timestamps: true
              source_labels: [a, b]
              empty: []
              limit: 5

            """
        #expect(tree.yaml() == expected)
    }

    @Test("A text of several lines is a literal and reads back")
    func literals() throws {
        let written = YAMLNode.mapping([("a", .string("x\n  y\n"))]).yaml()
        #expect(written == "a: |\n  x\n    y\n")
        var fields = try YAMLMapping(try #require(try YAMLNode(parsing: written)), "t")
        #expect(try fields.string("a") == "x\n  y\n")
    }
}
