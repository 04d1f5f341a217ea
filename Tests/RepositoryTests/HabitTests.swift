// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite struct HabitTests {
    @Test("Every file names its licence in its first line")
    func licence() {
        let files =
            Repository.sources + Repository.tests
            + Repository.files(below: "Sources", ".c", ".cpp", ".h")
        for file in files {
            let first = Repository.text(file).split(separator: "\n").first ?? ""
            #expect(
                first == "// SPDX-License-Identifier: Apache-2.0"
                    || first.hasPrefix("// swift-tools-version"), "\(file)")
        }
    }

    @Test("No file is a placeholder")
    func placeholders() {
        for file in Repository.sources + Repository.tests {
            let code = Repository.code(file).filter { !$0.allSatisfy(\.isWhitespace) }
            let isEmpty = code.allSatisfy {
                $0.hasPrefix("import ") || $0.hasPrefix("internal import")
            }
            #expect(!isEmpty, "\(file) holds nothing")
        }
    }

    /// A pattern, what to use instead, and the folders where it is allowed.
    private static let banned: [(pattern: String, instead: String, allowed: [String])] = [
        ("Date()", "a clock that is handed in", []),
        ("print(", "the logger, or StandardStream", ["Sources/Languages/PromQLSyntax/Printing/"]),
        ("try!", "an error that is thrown", []),
        (" as! ", "a type that fits", []),
        ("fatalError(", "an error for bad input, precondition for our mistakes", []),
        ("Task {", "a child of a task group", ["Sources/Servers/"]),
        ("Task.detached", "a child of a task group", ["Sources/Servers/"]),
        ("Task.sleep", "a clock that is handed in", []),
        ("import Foundation", "our own ground", []),
        ("NSRegularExpression", "LinearRegex", []),
        ("DispatchQueue", "the threads of Platform", []),
    ]

    @Test("Banned calls stay out of the sources", arguments: banned.indices)
    func bans(index: Int) {
        let (pattern, instead, allowed) = Self.banned[index]
        for file in Repository.sources where !allowed.contains(where: file.hasPrefix) {
            let lines = Repository.code(file)
            // A printer may have a function of that name itself.
            if lines.contains(where: { $0.contains("func \(pattern)") }) { continue }
            for (line, code) in lines.enumerated() where code.contains(pattern) {
                // `fingerprint(` is no print.
                let before = code.components(before: pattern).last
                guard before?.isLetter != true, before != "." else { continue }
                Issue.record("\(file):\(line + 1) says \(pattern); use \(instead)")
            }
        }
    }

    @Test("Known gaps stand in documents, not in comments")
    func remarks() {
        for file in Repository.sources + Repository.tests where !file.hasPrefix("Tests/Repository")
        {
            for (line, text) in Repository.text(file).split(
                separator: "\n", omittingEmptySubsequences: false
            ).enumerated() {
                for mark in ["TODO", "FIXME", "XXX:", "HACK:"] {
                    #expect(!text.contains(mark), "\(file):\(line + 1)")
                }
            }
        }
    }

    @Test("Tests do not sleep and are not switched off")
    func tests() {
        for file in Repository.tests where !file.hasPrefix("Tests/Repository") {
            for (line, code) in Repository.code(file).enumerated() {
                for call in ["Task.sleep", "Thread.sleep", "usleep(", ".disabled(", "@testable"]
                where !Allowances.testHabits.contains("\(file) \(call)") {
                    #expect(!code.contains(call), "\(file):\(line + 1) says \(call)")
                }
            }
        }
    }
}

extension String {
    /// The text before the first occurrence of a pattern.
    fileprivate func components(before pattern: String) -> Substring {
        firstRange(of: pattern).map { self[..<$0.lowerBound] } ?? self[...]
    }
}
