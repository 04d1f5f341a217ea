// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The files of this repository as text.
enum Repository {
    static let root = URL(fileURLWithPath: #filePath)
        .deletingLastPathComponent().deletingLastPathComponent().deletingLastPathComponent()

    static func text(_ path: String) -> String {
        (try? String(contentsOf: root.appendingPathComponent(path), encoding: .utf8)) ?? ""
    }

    /// Paths of the files below a folder with one of the endings, sorted, from the root.
    static func files(below folder: String, _ endings: String...) -> [String] {
        let base = root.appendingPathComponent(folder).path
        let names = FileManager.default.enumerator(atPath: base)?.allObjects as? [String] ?? []
        return names.filter { name in endings.contains { name.hasSuffix($0) } }
            .filter { !$0.contains(".build") }
            .map { "\(folder)/\($0)" }.sorted()
    }

    static let sources = files(below: "Sources", ".swift")
    static let tests = files(below: "Tests", ".swift")

    /// A file's lines, of code only: comments and the contents of string literals left out.
    static func code(_ path: String) -> [String] { codes[path] ?? scanned(path) }

    private static let codes = Dictionary(
        uniqueKeysWithValues: (sources + tests).map { ($0, scanned($0)) })

    private static func scanned(_ path: String) -> [String] {
        var scanner = CodeScanner()
        return text(path).utf8.split(
            separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
        ).map { scanner.code(in: $0) }
    }
}

/// Blanks comments and string literals out of Swift, line by line. Knows nested block comments and
/// literals of several lines; code inside an interpolation counts as part of its literal.
struct CodeScanner {
    private static let quote = UInt8(ascii: "\"")
    private static let slash = UInt8(ascii: "/")
    private static let star = UInt8(ascii: "*")

    private var commentDepth = 0
    private var isInMultilineLiteral = false

    mutating func code(in line: some Collection<UInt8>) -> String {
        let bytes = Array(line)
        var result: [UInt8] = []
        var isInLiteral = false
        var at = 0
        func isAt(_ byte: UInt8, _ offset: Int) -> Bool {
            at + offset < bytes.count && bytes[at + offset] == byte
        }
        while at < bytes.count {
            let isTripleQuote = isAt(Self.quote, 0) && isAt(Self.quote, 1) && isAt(Self.quote, 2)
            if commentDepth > 0 {
                if isAt(Self.star, 0), isAt(Self.slash, 1) {
                    commentDepth -= 1
                    at += 1
                } else if isAt(Self.slash, 0), isAt(Self.star, 1) {
                    commentDepth += 1
                    at += 1
                }
            } else if isInMultilineLiteral {
                if isTripleQuote {
                    isInMultilineLiteral = false
                    at += 2
                }
            } else if isInLiteral {
                if bytes[at] == UInt8(ascii: "\\") {
                    at += 1
                } else if bytes[at] == Self.quote {
                    isInLiteral = false
                }
            } else if isAt(Self.slash, 0), isAt(Self.slash, 1) {
                break
            } else if isAt(Self.slash, 0), isAt(Self.star, 1) {
                commentDepth = 1
                at += 1
            } else if isTripleQuote {
                isInMultilineLiteral = true
                at += 2
            } else if bytes[at] == Self.quote {
                isInLiteral = true
            } else {
                result.append(bytes[at])
            }
            at += 1
        }
        return String(decoding: result, as: UTF8.self)
    }
}
