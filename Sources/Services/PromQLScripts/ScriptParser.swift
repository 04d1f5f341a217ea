// SPDX-License-Identifier: Apache-2.0

internal import LinearRegex
internal import Model
internal import PromQLSyntax

extension Script {
    /// Reads a script.
    package static func parse(_ text: String) throws(ScriptError) -> Script {
        var parser = ScriptParser(text)
        return Script(commands: try parser.parse())
    }
}

struct ScriptParser {
    private let lines: [String]
    private var at = 0

    /// The patterns of lines, which are constants.
    private struct Patterns {
        let load: Pattern
        let instant: Pattern
        let range: Pattern
        let expect: Pattern
        let points: Pattern

        init() throws(PatternError) {
            load = try Pattern(#"load(?:_(with_nhcb))?\s+(.+?)"#)
            instant = try Pattern(
                #"eval(?:_(fail|warn|ordered|info))?\s+instant\s+(?:at\s+(.+?))?\s+(.+)"#)
            range = try Pattern(
                #"eval(?:_(fail|warn|info))?\s+range\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+?)\s+(.+)"#
            )
            expect = try Pattern(
                #"expect\s+(ordered|fail|warn|no_warn|info|no_info)(?:\s+(regex|msg):(.+))?"#)
            points = try Pattern(
                #"expect range vector\s+from\s+(.+)\s+to\s+(.+)\s+step\s+(.+)"#)
        }
    }

    private static let patterns = Result { try Patterns() }

    init(_ text: String) {
        lines = text.split(omittingEmptySubsequences: false) { $0 == "\n" || $0 == "\r\n" }
            .map { line in
                let trimmed = trim(line)
                return trimmed.hasPrefix("#") ? "" : trimmed
            }
    }

    private func error(_ message: String) -> ScriptError {
        ScriptError(line: at + 1, message: message)
    }

    private func patterns() throws(ScriptError) -> Patterns {
        do { return try Self.patterns.get() } catch { throw self.error("\(error)") }
    }

    mutating func parse() throws(ScriptError) -> [Script.Command] {
        var commands: [Script.Command] = []
        while at < lines.count {
            let word = lines[at].prefix { $0 != " " && $0 != "\t" }.lowercased()
            if word == "clear" {
                commands.append(.clear)
            } else if word.hasPrefix("load") {
                commands.append(.load(try parseLoad()))
            } else if word.hasPrefix("eval") {
                commands.append(.evaluate(try parseEvaluation()))
            } else if !word.isEmpty {
                throw error("invalid command \"\(lines[at])\"")
            }
            at += 1
        }
        return commands
    }

    /// Moves to the next line of the block; false at its end.
    private mutating func advance() -> Bool {
        guard at + 1 < lines.count, !lines[at + 1].isEmpty else { return false }
        at += 1
        return true
    }

    private func duration(_ text: String?, _ what: String) throws(ScriptError) -> Milliseconds {
        guard let text, let duration = DurationText.parse(text) else {
            throw error("invalid \(what) definition \"\(text ?? "")\"")
        }
        return duration
    }

    private func description(_ line: String) throws(ScriptError) -> SeriesDescription {
        do {
            return try parseSeriesDescription(line)
        } catch {
            throw self.error(error.description)
        }
    }

    // MARK: Loads

    private mutating func parseLoad() throws(ScriptError) -> Load {
        guard let parts = try patterns().load.groups(in: lines[at]) else {
            throw error("invalid load command. (load[_with_nhcb] <step:duration>)")
        }
        var load = Load(
            line: at + 1, step: try duration(parts[1], "step"),
            convertsClassicHistograms: parts[0] != nil, series: [])
        var starts: (labels: Labels, offsets: [Milliseconds?])?
        while advance() {
            let head = lines[at].prefix { $0 != " " && $0 != "\t" }
            if head.hasSuffix("@st"), head.utf8.count < lines[at].utf8.count {
                if starts != nil { throw error("@st line has no following sample line") }
                let labels = try description(String(head.dropLast(3))).labels
                let offsets = StartOffsets.parse(String(lines[at].dropFirst(head.count)))
                guard let offsets else { throw error("invalid ST item") }
                starts = (labels, offsets)
                continue
            }
            let series = try description(lines[at])
            if let starts {
                if starts.labels != series.labels {
                    throw error("@st metric does not match the following sample line metric")
                }
                if starts.offsets.count != series.values.count {
                    throw error(
                        "@st line has \(starts.offsets.count) values but sample line has "
                            + "\(series.values.count)")
                }
            }
            load.series.removeAll { $0.labels == series.labels }
            load.series.append(
                Load.Series(
                    labels: series.labels, values: series.values, starts: starts?.offsets ?? []))
            starts = nil
        }
        if starts != nil { throw error("@st line has no following sample line") }
        return load
    }

    // MARK: Evaluations

    private mutating func parseEvaluation() throws(ScriptError) -> Evaluation {
        let line = lines[at]
        var evaluation: Evaluation
        let suffix: String?
        if let parts = try patterns().instant.groups(in: line) {
            suffix = parts[0]
            evaluation = Evaluation(
                line: at + 1, query: parts[2] ?? "", start: 0, end: 0, step: 0, isInstant: true)
            try checkQuery(evaluation.query)
            evaluation.start = try duration(parts[1], "timestamp")
            evaluation.end = evaluation.start
        } else if let parts = try patterns().range.groups(in: line) {
            suffix = parts[0]
            evaluation = Evaluation(
                line: at + 1, query: parts[4] ?? "", start: 0, end: 0, step: 0, isInstant: false)
            try checkQuery(evaluation.query)
            let points = try points(parts[1], parts[2], parts[3])
            evaluation.start = points.start
            evaluation.end = points.end
            evaluation.step = points.step
        } else {
            throw error("invalid evaluation command")
        }
        switch suffix {
        case "fail": evaluation.expected.failure = .any
        case "warn": evaluation.expected.needsWarning = true
        case "info": evaluation.expected.needsInfo = true
        case "ordered": evaluation.expected.isOrdered = true
        default: break
        }
        let first = at
        try parseExpectations(&evaluation)
        evaluation.source = Array(lines[first...at])
        return evaluation
    }

    private func checkQuery(_ query: String) throws(ScriptError) {
        do {
            _ = try parseExpression(query, .all)
        } catch {
            throw self.error(error.description)
        }
    }

    private func points(
        _ from: String?, _ to: String?, _ step: String?
    ) throws(ScriptError) -> Expectation.Points {
        let points = Expectation.Points(
            start: try duration(from, "start timestamp"), end: try duration(to, "end timestamp"),
            step: try duration(step, "step"))
        if points.end < points.start {
            throw error(
                "invalid test definition, end timestamp (\(to ?? "")) is before start timestamp "
                    + "(\(from ?? ""))")
        }
        return points
    }

    private mutating func parseExpectations(_ evaluation: inout Evaluation) throws(ScriptError) {
        while advance() {
            let line = lines[at]
            if evaluation.expected.failure != nil,
                try parseOldFailure(line, &evaluation.expected)
            {
                return
            }
            if line.hasPrefix("expect range vector") {
                guard let parts = try patterns().points.groups(in: line) else {
                    throw error("invalid range vector definition \"\(line)\"")
                }
                let points = try points(parts[0], parts[1], parts[2])
                evaluation.expected.points = points
                evaluation.start = points.end
                evaluation.end = points.end
            } else if line.hasPrefix("expect string") {
                evaluation.expected.string = try parseString(line)
            } else if line.prefix(while: { $0 != " " }) == "expect" {
                try parseExpect(line, &evaluation.expected)
            } else if case .number(let number)? = try? parseExpression(line) {
                evaluation.expected.scalar = number.value
                return
            } else {
                try parseExpectedSeries(line, &evaluation)
            }
        }
    }

    private func parseExpectedSeries(
        _ line: String, _ evaluation: inout Evaluation
    ) throws(ScriptError) {
        let series = try description(line)
        if evaluation.isInstant, evaluation.expected.points == nil, series.values.count > 1 {
            throw error(
                "expecting multiple values in instant evaluation not allowed. consider using "
                    + "'expect range vector' directive to enable a range vector result for an "
                    + "instant query")
        }
        evaluation.expected.series.removeAll { $0.labels == series.labels }
        evaluation.expected.series.append((series.labels, series.values))
    }

    /// `expected_fail_message` and `expected_fail_regexp`; false where the line is neither.
    private func parseOldFailure(
        _ line: String, _ expected: inout Expectation
    ) throws(ScriptError) -> Bool {
        if line.hasPrefix("expected_fail_message") {
            expected.failure = .text(trim(line.dropFirst("expected_fail_message".count)))
            return true
        }
        guard line.hasPrefix("expected_fail_regexp") else { return false }
        expected.failure = try pattern(trim(line.dropFirst("expected_fail_regexp".count)))
        return true
    }

    private func pattern(_ text: String) throws(ScriptError) -> TextPattern {
        do { return .pattern(try Pattern(text)) } catch {
            throw self.error("invalid regex \(text)")
        }
    }

    private func parseString(_ line: String) throws(ScriptError) -> String {
        let literal = trim(line.dropFirst("expect string".count))
        guard literal.hasPrefix("\"") || literal.hasPrefix("`"),
            case .string(let string)? = try? parseExpression(literal)
        else {
            throw error(
                "expected string literal not valid - check that the string is correctly quoted")
        }
        return string.value
    }

    private func parseExpect(
        _ line: String, _ expected: inout Expectation
    ) throws(ScriptError) {
        guard let parts = try patterns().expect.groups(in: line), let kind = parts[0] else {
            throw error(
                "invalid expect statement, must match `expect <type> <match_type>: <string>` "
                    + "format")
        }
        let text = trim(Substring(parts[2] ?? ""))
        let wanted: TextPattern
        switch parts[1] {
        case "msg": wanted = .text(text)
        case "regex": wanted = try pattern(text)
        default: wanted = .any
        }
        switch kind {
        case "fail":
            if expected.hasFailureLine {
                throw error("invalid expect lines, multiple expect fail lines are not allowed")
            }
            expected.hasFailureLine = true
            expected.failure = wanted
        case "warn": expected.warnings.append(wanted)
        case "info": expected.infos.append(wanted)
        case "no_warn": expected.forbidsWarnings = true
        case "no_info": expected.forbidsInfos = true
        default: expected.isOrdered = true
        }
        for (isForbidden, wanted, name) in [
            (expected.forbidsInfos, expected.infos.count, "info"),
            (expected.forbidsWarnings, expected.warnings.count, "warn"),
        ] where isForbidden && wanted > 0 {
            throw error("invalid expect lines, \(name) and no_\(name) cannot be used together")
        }
    }
}

/// Without blanks and tabs at both ends.
func trim(_ text: some StringProtocol) -> String {
    let isBlank = { (character: Character) in
        character == " " || character == "\t" || character == "\r" || character == "\r\n"
    }
    var rest = Substring(text).drop(while: isBlank)
    while let last = rest.last, isBlank(last) { rest = rest.dropLast() }
    return String(rest)
}
