// SPDX-License-Identifier: Apache-2.0

import Testing
import YAML

/// A compact rendering of a tree: every scalar with its resolved tag where it is no string.
private func shown(_ node: YAMLNode?) -> String {
    guard let node else { return "nothing" }
    switch node.content {
    case .scalar(let scalar):
        return node.resolvedTag == "!!str"
            ? "\"\(scalar.text)\"" : "\(node.resolvedTag.dropFirst(2)):\(scalar.text)"
    case .sequence(let elements): return "[\(elements.map(shown).joined(separator: " "))]"
    case .mapping(let entries):
        return "{\(entries.map { "\(shown($0.key))=\(shown($0.value))" }.joined(separator: " "))}"
    }
}

private func failure(_ text: String) -> String {
    do {
        return "read: \(shown(try YAMLNode(parsing: text)))"
    } catch {
        return error.text
    }
}

@Suite struct ParsingTests {
    @Test(
        "Documents become trees",
        arguments: [
            ("", "nothing"),
            ("# only a comment\n", "nothing"),
            ("a: 1\nb: [v, w]\n", "{\"a\"=int:1 \"b\"=[\"v\" \"w\"]}"),
            ("{\"a\": {\"b\": null, \"c\": true}}", "{\"a\"={\"b\"=null:null \"c\"=bool:true}}"),
            ("{\n\t\"a\": 1,\n\t\"b\": []\n}", "{\"a\"=int:1 \"b\"=[]}"),
            ("a: first\n---\na: second\n", "{\"a\"=\"first\"}"),
            ("a: |\n  x\n  y\n", "{\"a\"=\"x\ny\n\"}"),
            ("a: '1'\nb: !!str 1\n", "{\"a\"=\"1\" \"b\"=\"1\"}"),
            ("v: &a {k: 1}\nw: *a\n", "{\"v\"={\"k\"=int:1} \"w\"={\"k\"=int:1}}"),
            (
                "base: &a {k: 1, m: 2}\nuse:\n  <<: *a\n  m: 3\n",
                "{\"base\"={\"k\"=int:1 \"m\"=int:2} \"use\"={\"m\"=int:3 \"k\"=int:1}}"
            ),
        ])
    func trees(text: String, expected: String) throws {
        #expect(shown(try YAMLNode(parsing: text)) == expected)
    }

    @Test(
        "Broken documents name the place",
        arguments: [
            ("a: [1, 2\nb: 3\n", "yaml: line 2, column 2: did not find expected ',' or ']'"),
            ("a: b: c\n", "yaml: line 1, column 5: mapping values are not allowed in this context"),
            ("a:\n\t- b\n", "yaml: line 2, column 1: found character that cannot start any token"),
            ("a: *b\n", "yaml: line 1, column 4: unknown anchor 'b' referenced"),
            ("a: &a [*a]\n", "yaml: line 1, column 8: anchor 'a' value contains itself"),
            (
                "<<: 3\n",
                "yaml: line 1, column 5: map merge requires map or sequence of maps as the value"
            ),
            ("a: 1\nb: \u{1}\n", "yaml: line 2, column 4: control characters are not allowed"),
        ])
    func errors(text: String, expected: String) {
        #expect(failure(text) == expected)
    }

    @Test("Nesting is bounded")
    func depth() {
        #expect(failure(String(repeating: "[", count: 100_000)).contains("exceeded max depth"))
        #expect(failure(String(repeating: "- ", count: 20_000)).contains("exceeded max depth"))
    }

    @Test("Aliases of aliases are bounded")
    func laughs() {
        var text = "a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n"
        for level in 1...12 {
            let alias = "*a\(level - 1)"
            let all = Array(repeating: alias, count: 10).joined(separator: ", ")
            text += "a\(level): &a\(level) [\(all)]\n"
        }
        #expect(failure(text).hasSuffix("document contains excessive aliasing"))
    }

    @Test("Nodes and keys know their place")
    func positions() throws {
        let root = try #require(try YAMLNode(parsing: "a: 1\nbb:\n  - x\n  - {c: d}\n"))
        guard case .mapping(let entries) = root.content,
            case .sequence(let elements) = entries[1].value.content,
            case .mapping(let inner) = elements[1].content
        else {
            Issue.record("another shape")
            return
        }
        #expect(entries[1].key.position == YAMLPosition(line: 2, column: 1))
        #expect(elements[0].position == YAMLPosition(line: 3, column: 5))
        #expect(inner[0].value.position == YAMLPosition(line: 4, column: 9))
    }

    @Test("No bytes make the parser trap")
    func garbage() {
        var generator = SystemRandomNumberGenerator()
        let alphabet = Array("{}[]:,-&*!|>'\"%@`#\n\t ab1~<?\\xFF".utf8) + [0, 0xFF, 0xC3, 0x80]
        for _ in 0..<2000 {
            let bytes = (0..<Int.random(in: 0..<60, using: &generator)).map { _ in
                alphabet.randomElement(using: &generator)!
            }
            _ = try? YAMLNode(parsing: bytes)
        }
    }
}
