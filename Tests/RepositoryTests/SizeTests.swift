// SPDX-License-Identifier: Apache-2.0

import Testing

/// The sizes at which code is split. What is over is named in `Allowances` with its present size;
/// it may shrink and may not grow.
@Suite struct SizeTests {
    private let fileLimit = 500
    private let functionLimit = 70
    private let columnLimit = 100

    @Test("Files have at most 500 lines")
    func files() {
        for file in Repository.sources + Repository.tests {
            let count =
                Repository.text(file).split(
                    separator: "\n", omittingEmptySubsequences: false
                ).count - 1
            let limit = max(fileLimit, Allowances.fileLines[file] ?? 0)
            #expect(count <= limit, "\(file) has \(count) lines")
        }
    }

    @Test("Lines have at most 100 columns")
    func columns() {
        for file in Repository.sources + Repository.tests {
            let lines = Repository.text(file).utf8.split(
                separator: UInt8(ascii: "\n"), omittingEmptySubsequences: false
            )
            for (index, bytes) in lines.enumerated() where bytes.count > columnLimit {
                let line = String(Substring(bytes))
                guard line.count > columnLimit else { continue }
                // A literal that cannot be broken may stand out; swift format leaves such lines.
                let isLiteral = line.contains("\"") || line.hasPrefix("// Source:")
                #expect(isLiteral, "\(file):\(index + 1) has \(line.count) columns")
            }
        }
    }

    @Test("Functions have at most 70 lines")
    func functions() {
        for file in Repository.sources {
            for function in FunctionLengths(Repository.code(file)).all {
                let limit = max(
                    functionLimit, Allowances.functionLines[function.name(in: file)] ?? 0)
                #expect(
                    function.lines <= limit,
                    "\(file):\(function.start): \(function.name) has \(function.lines) lines")
            }
        }
    }

    @Test("Allowances are used up: an offender that has shrunk loses its allowance")
    func ratchet() {
        for (file, allowed) in Allowances.fileLines {
            let count =
                Repository.text(file).split(
                    separator: "\n", omittingEmptySubsequences: false
                ).count - 1
            #expect(count > fileLimit, "\(file) needs no allowance any more")
            #expect(allowed <= count, "\(file) has shrunk to \(count)")
        }
    }
}

/// Finds functions and initializers and counts their lines by their braces.
struct FunctionLengths {
    struct Function {
        var name: String
        var start: Int
        var lines: Int

        func name(in file: String) -> String { "\(file) \(name)" }
    }

    private(set) var all: [Function] = []

    init(_ code: [String]) {
        var open: [(name: String, start: Int, depth: Int)] = []
        var pending: (name: String, start: Int)?
        var depth = 0
        for (index, line) in code.enumerated() {
            if let match = line.firstMatch(of: #/\b(?:func\s+([^\s(<]+)|(init)[?(<])/#),
                line.firstMatch(of: #/^\s*(?:@\w+(?:\([^)]*\))?\s+)*(?:\w+\s+)*(?:func|init)\b/#)
                    != nil
            {
                pending = (String(match.output.1 ?? "init"), index + 1)
            }
            for character in line {
                if character == "{" {
                    depth += 1
                    if let (name, start) = pending {
                        open.append((name, start, depth))
                        pending = nil
                    }
                } else if character == "}" {
                    if let last = open.last, last.depth == depth {
                        all.append(
                            Function(
                                name: last.name, start: last.start,
                                lines: index + 2 - last.start))
                        open.removeLast()
                    }
                    depth -= 1
                }
            }
        }
    }
}
