// SPDX-License-Identifier: Apache-2.0

import LinearRegex
import Testing

/// Shapes and the engine must agree: each pattern is asked as it is, and once more in a form that
/// no shape takes.
@Test(
    "A pattern that needs no engine answers as the engine does",
    arguments: [
        "", "a", "a|b", "a|", "|", "(a|b)", "(?:a|b)", "(a)", "a\\.b", "a\\-b", "a.*", "a.+", ".*a",
        ".+a", ".*a.*", ".+a.+", ".*a.+", ".*", ".+", "(.*)", "(.+)", ".*.*", ".+.+", "a.*b",
        "\\.*",
        "\\\\.*", "a|b.*", "(a|b)c", "a?", "[ab]", "a{2}", "(?i)a", "ab|a", ".", "..", "a\\", "é.*",
    ])
func shapes(source: String) throws {
    let texts = [
        "", "a", "b", "ab", "ba", "aab", "a.b", "a-b", "\n", "a\nb", ".", "..", "\\", "\\a", "abc",
        "éa",
        "é", "xax", "aa", "A",
    ]
    guard let engine = try? Pattern("(?:\(source)){1}") else {
        #expect(throws: PatternError.self) { try AnchoredPattern(source) }
        return
    }
    let pattern = try AnchoredPattern(source)
    for text in texts {
        let expected = engine.captures(in: Array(text.utf8).span.bytes, anchored: true) != nil
        #expect(pattern.matches(text) == expected, "\(source) on \(text.debugDescription)")
    }
}

@Test("A pattern that lists texts names them, once each and in order")
func listedTexts() throws {
    #expect(try AnchoredPattern("(b|a|b)").texts == ["a", "b"])
    #expect(try AnchoredPattern("a\\.b").texts == ["a.b"])
    #expect(try AnchoredPattern("a.b").texts == nil)
    #expect(try AnchoredPattern("a|b.*").texts == nil)
}

@Test("A byte that is not UTF-8 counts as one character")
func invalidBytes() throws {
    let bytes: [UInt8] = [0x61, 0xFF, 0x62]
    #expect(try AnchoredPattern("a.b").matches(bytes.span.bytes))
    #expect(try AnchoredPattern("a.*").matches(bytes.span.bytes))
    #expect(try !AnchoredPattern("a..b").matches(bytes.span.bytes))
}
