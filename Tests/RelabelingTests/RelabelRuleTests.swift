// SPDX-License-Identifier: Apache-2.0

import Model
import Relabeling
import Testing
import YAML

private func check(_ rules: String, _ input: KeyValuePairs<String, String>) throws -> String {
    let node = try YAMLNode(parsing: rules)
    let list = try RelabelRule.list(node, .utf8, nullElement: "null rule")
    return relabel(Labels(input), list)?.description ?? "dropped"
}

@Suite struct RelabelRuleTests {
    @Test(
        "Each action does what it says",
        arguments: [
            ("- {source_labels: [a], target_label: c}", "{a=\"X1\", b=\"two\", c=\"X1\"}"),
            (
                "- {source_labels: [a, b], regex: 'X(.);(?P<w>t.*)', target_label: c, replacement: '${w}-$1$$'}",
                "{a=\"X1\", b=\"two\", c=\"two-1$\"}"
            ),
            ("- {target_label: a, replacement: ''}", "{b=\"two\"}"),
            ("- {source_labels: [a], regex: X, target_label: c}", "{a=\"X1\", b=\"two\"}"),
            (
                "- {source_labels: [a], regex: '(.)1', target_label: $1x, replacement: v}",
                "{a=\"X1\", b=\"two\"}"
            ),
            (
                "- {source_labels: [a], regex: '(.)1', target_label: '${1}x', replacement: v}",
                "{Xx=\"v\", a=\"X1\", b=\"two\"}"
            ),
            ("- {source_labels: [a], regex: X., action: keep}", "{a=\"X1\", b=\"two\"}"),
            ("- {source_labels: [a], regex: X, action: keep}", "dropped"),
            ("- {source_labels: [a], regex: X., action: Drop}", "dropped"),
            ("- {source_labels: [a], target_label: b, action: keepequal}", "dropped"),
            (
                "- {source_labels: [a], target_label: b, action: dropequal}",
                "{a=\"X1\", b=\"two\"}"
            ),
            ("- {regex: a, action: labeldrop}", "{b=\"two\"}"),
            ("- {regex: a, action: labelkeep}", "{a=\"X1\"}"),
            (
                "- {regex: '(a)', replacement: m_$1, action: labelmap}",
                "{a=\"X1\", b=\"two\", m_a=\"X1\"}"
            ),
            (
                "- {source_labels: [a, b], separator: '', target_label: b, action: lowercase}",
                "{a=\"X1\", b=\"x1two\"}"
            ),
            (
                "- {source_labels: [b], target_label: b, action: uppercase}",
                "{a=\"X1\", b=\"TWO\"}"
            ),
            (
                "- {source_labels: [a], modulus: 1000, target_label: h, action: hashmod}",
                "{a=\"X1\", b=\"two\", h=\"68\"}"
            ),
        ])
    func actions(rules: String, expected: String) throws {
        #expect(try check(rules, ["a": "X1", "b": "two"]) == expected)
    }

    @Test("Case maps one character to one")
    func cases() throws {
        #expect(
            try check(
                "- {source_labels: [a], target_label: a, action: uppercase}", ["a": "straße ǆ ᾳ"])
                == "{a=\"STRAßE Ǆ ᾼ\"}")
        #expect(
            try check(
                "- {source_labels: [a], target_label: a, action: lowercase}", ["a": "İÄΣ"])
                == "{a=\"iäσ\"}")
    }

    @Test(
        "Rules that make no sense are refused with their place",
        arguments: [
            (
                "- {action: kep}",
                "unknown relabel action \"kep\" (line 1, column 12); did you mean \"keep\"?"
            ),
            ("- {action: }", "relabel action cannot be empty (line 1, column 3)"),
            ("-", "null rule (line 1, column 2)"),
            (
                "- {regex: '(', target_label: x}",
                "error parsing regexp: missing closing ): `^(?s:()$` (line 1, column 3)"
            ),
            (
                "- {action: dropequal, target_label: x, regex: (.*)}",
                "dropequal action requires only 'source_labels' and `target_label`, and no other "
                    + "fields (line 1, column 3)"
            ),
            (
                "- {source_label: [a]}",
                "yaml: unmarshal errors:\n  line 1, column 4: field source_label not found in type "
                    + "relabel.plain; did you mean \"source_labels\"?"
            ),
        ])
    func refusals(rules: String, expected: String) throws {
        do throws(YAMLError) {
            let node = try YAMLNode(parsing: rules)
            _ = try RelabelRule.list(node, .utf8, nullElement: "null rule")
            Issue.record("was accepted")
        } catch {
            #expect(error.text == expected)
        }
    }
}
