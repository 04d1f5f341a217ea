// SPDX-License-Identifier: Apache-2.0

import LinearRegex
import Testing

@Suite struct GoDialectTests {
    @Test(
        "Broken patterns are refused in Go's words",
        arguments: [
            ("a(", "error parsing regexp: missing closing ): `^(?s:a()$`"),
            ("[a", "error parsing regexp: missing closing ]: `[a)$`"),
            ("*a", "error parsing regexp: missing argument to repetition operator: `*`"),
            ("a**", "error parsing regexp: invalid nested repetition operator: `**`"),
            ("a{1001}", "error parsing regexp: invalid repeat count: `{1001}`"),
            ("(?<n", "error parsing regexp: invalid named capture: `(?P<n`"),
            ("[z-a]", "error parsing regexp: invalid character class range: `z-a`"),
            ("\\y", "error parsing regexp: invalid escape sequence: `\\y`"),
        ])
    func errors(pattern: String, expected: String) {
        do {
            _ = try AnchoredPattern(pattern)
            Issue.record("was accepted")
        } catch {
            #expect(error.description == expected)
        }
    }

    @Test(
        "Templates expand by Go's rules",
        arguments: [
            ("$1", "foo"), ("${1}x", "foox"), ("$1x", ""), ("$name-$2", "bar-bar"), ("$$1", "$1"),
            ("${unclosed", "${unclosed"), ("$", "$"), ("a$", "a$"), ("$9", ""), ("$01", ""),
            ("${name}$1", "barfoo"), ("$0", "foo-bar"), ("$-", "$-"), ("${}", "${}"),
        ])
    func templates(template: String, expected: String) throws {
        let pattern = try Pattern("(foo)-(?<name>b.r)")
        let captures = try #require(pattern.wholeCaptures(in: "foo-bar"))
        let expanded = ReplacementTemplate(template).expand(pattern, "foo-bar", captures)
        #expect(expanded == expected)
    }
}
