// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What version 3.14 answers otherwise than the 3.5.3 that stands on the left, on purpose. Each
/// rule names its reason in the changes of upstream and checks by further questions that the
/// difference is this one and no other. What can be kept out of the queries is kept out by the
/// generator instead.
struct KnownDifferences {
    let left: Server
    let right: Server

    /// An annotation of a query as it is compared, or nil where only newer versions give it.
    static func comparable(annotation: String, of query: String) -> String? {
        // 3.12: `sort` and its relatives warn in range queries.
        if annotation.contains("is ineffective for range queries") { return nil }
        // 3.7: resets that only some histograms of a sum have seen.
        if annotation.contains("conflicting counter resets during") { return nil }
        var text = annotation
        // 3.8: what is said of classic buckets names the metric only where names are removed late,
        // and never an empty name.
        if text.contains("bucket label \"le\" is missing") || text.contains("for monotonicity") {
            text = removing(#" for metric name "(\\.|[^"\\])*""#, from: text)
        }
        // 3.10: the extent of what was not monotonic is told.
        text = removing(#", from buckets .* over \d+ samples from \S+ to \S+"#, from: text)
        text = removing(#" for metric name """#, from: text)
        // 3.10: of several such infos the first gives the position, not the last; of several
        // warnings that named metrics one is left.
        if text.contains("for monotonicity") || text.contains("bucket label \"le\" is missing"),
            query.components(separatedBy: "histogram_").count > 2
        {
            text = removing(#" \(\d+:\d+\)$"#, from: text)
        }
        // 3.7: what is said of an aggregation points at its argument without parentheses.
        return text.contains(" aggregation (1:") ? insideParentheses(text, query) : text
    }

    /// Moves the position at the end of a text behind the parentheses that it points at.
    private static func insideParentheses(_ text: String, _ query: String) -> String {
        guard let colon = text.lastIndex(of: ":"),
            let column = Int(text[text.index(after: colon)...].dropLast())
        else { return text }
        let opening = Array(query.utf8).dropFirst(column - 1).prefix { $0 == UInt8(ascii: "(") }
        return "\(text[...colon])\(column + opening.count))"
    }

    /// Why newer versions answer this query otherwise; nil where they should not.
    func reason(
        _ query: String, _ times: (start: Double, end: Double, step: Double), isRange: Bool,
        _ parameters: [(String, String)], _ answers: (left: Answer, right: Answer)
    ) throws -> String? {
        if answers.left.error == "vector cannot contain metrics with the same labelset",
            answers.right.outcome == "success", isRange,
            try isMadeOfInstants(query, times, parameters, answers.right)
        {
            return "3.9: series that get the same labels are merged where they do not overlap"
        }
        if query.contains("info("), isRange, try isInfoOfInstants(query, times, parameters) {
            return "3.7: `info` of series that come and go"
        }
        if query.contains(":"), try differInInfo(query, times, isRange: isRange, parameters) {
            return "3.7: `info` of series that come and go, in a subquery"
        }
        if query.contains("-"), query.contains(":"), Self.differInGauges(answers) {
            return "3.7: histograms are gauges when negated, subtracted or scaled below zero"
        }
        if answers.left.outcome == "success",
            answers.right.error.hasPrefix("multiple matches for labels"),
            try failsWithoutFilters(
                query, times, isRange: isRange, parameters, answers.right.error)
        {
            return "3.9: pairs that a comparison drops count as matches, too"
        }
        return nil
    }

    /// Whether all that differs is what is said of histograms that are gauges or not.
    private static func differInGauges(_ answers: (left: Answer, right: Answer)) -> Bool {
        func others(_ answer: Answer) -> Answer {
            var answer = answer
            answer.annotations = answer.annotations.filter {
                !$0.contains("this native histogram metric is not a ")
            }
            return answer
        }
        if case .different = others(answers.left).compare(others(answers.right)) { return false }
        return true
    }

    /// Whether the last digits may differ: 3.11 adds up histograms with compensation; 3.14 takes
    /// the part of a bucket that counts for `histogram_fraction` as a factor, where older versions
    /// multiplied before they divided.
    static func mayDifferInDigits(_ query: String) -> Bool {
        let sums = ["sum", "avg", "sum_over_time", "avg_over_time", "histogram_fraction"]
        return ["native", "custom", "mixed", "__name__"].contains(where: query.contains)
            && sums.contains { query.contains("\($0) ") || query.contains("\($0)(") }
    }

    /// Whether the servers agree but for calls of `info`, of which each gives over a range what the
    /// left server gives for one step after the other, but not for the range. A subquery evaluates
    /// what it has over a range, whatever the query is asked for.
    private func differInInfo(
        _ query: String, _ times: (start: Double, end: Double, step: Double), isRange: Bool,
        _ parameters: [(String, String)]
    ) throws -> Bool {
        let calls = Self.infoCalls(in: query)
        guard !calls.isEmpty else { return false }
        var without = query
        for call in calls.reversed() {
            without.replaceSubrange(call.whole, with: "(\(query[call.argument]))")
        }
        guard try agree(without, times, isRange: isRange, parameters) else { return false }
        let hour = (start: times.start - 3600, end: times.start, step: 30.0)
        var isChanged = false
        for call in calls {
            let text = String(query[call.whole])
            guard try isInfoOfInstants(text, hour, parameters) else { return false }
            if try !agree(text, hour, isRange: true, parameters) { isChanged = true }
        }
        return isChanged
    }

    private func agree(
        _ query: String, _ times: (start: Double, end: Double, step: Double), isRange: Bool,
        _ parameters: [(String, String)]
    ) throws -> Bool {
        let (path, form) = Comparison.request(query, times, isRange: isRange)
        let answers = try [left, right].map {
            Answer(try $0.ask(path, form + parameters), of: query, valuesOnly: true)
        }
        if case .different = answers[0].compare(answers[1]) { return false }
        return true
    }

    /// The calls of `info` that stand in no other one, and their first arguments.
    private static func infoCalls(
        in query: String
    ) -> [(whole: Range<String.Index>, argument: Range<String.Index>)] {
        var calls: [(Range<String.Index>, Range<String.Index>)] = []
        var rest = query.startIndex..<query.endIndex
        while let name = query.range(of: #"\binfo\("#, options: .regularExpression, range: rest) {
            var depth = 1
            var quote: Character?
            var argumentEnd: String.Index?
            var at = name.upperBound
            while at < query.endIndex, depth > 0 {
                let character = query[at]
                if let open = quote {
                    if character == "\\", open != "`" { at = query.index(after: at) }
                    if character == open { quote = nil }
                } else if "\"'`".contains(character) {
                    quote = character
                } else if "([{".contains(character) {
                    depth += 1
                } else if ")]}".contains(character) {
                    depth -= 1
                } else if character == ",", depth == 1, argumentEnd == nil {
                    argumentEnd = at
                }
                at = query.index(after: at)
            }
            let argument = name.upperBound..<(argumentEnd ?? query.index(before: at))
            calls.append((name.lowerBound..<at, argument))
            rest = at..<query.endIndex
        }
        return calls
    }

    /// Whether the right server gives over the range what the left one gives step by step, where
    /// both may give all series: which of them a limit leaves depends on how many there are.
    private func isInfoOfInstants(
        _ query: String, _ times: (start: Double, end: Double, step: Double),
        _ parameters: [(String, String)]
    ) throws -> Bool {
        let unlimited = parameters.filter { $0.0 != "limit" }
        let (path, form) = Comparison.request(query, times, isRange: true)
        let answer = Answer(
            try right.ask(path, form + unlimited), of: query, valuesOnly: true)
        return try isMadeOfInstants(query, times, unlimited, answer)
    }

    /// Whether the left server gives, asked for one step after the other, what the right one gives
    /// for all.
    private func isMadeOfInstants(
        _ query: String, _ times: (start: Double, end: Double, step: Double),
        _ parameters: [(String, String)], _ answer: Answer
    ) throws -> Bool {
        // Steps are whole milliseconds.
        let (start, end) = (Int64(times.start * 1000), Int64((times.end * 1000).rounded()))
        let step = Int64((times.step * 1000).rounded())
        let pinned = query.replacingOccurrences(of: "@ start()", with: "@ \(times.start)")
            .replacingOccurrences(of: "@ end()", with: "@ \(times.end)")
        var points: [String: String] = [:]
        for time in stride(from: start, through: end, by: Int(step)) {
            let form = [("query", pinned), ("time", "\(Double(time) / 1000)")] + parameters
            let found = Answer(
                try left.ask("/api/v1/query", form), of: pinned, valuesOnly: true)
            guard found.outcome == "success" else { return false }
            points.merge(found.points) { $1 }
        }
        return points == answer.points
    }

    /// Whether the left server has the same error where comparisons give 0 or 1 and drop nothing.
    private func failsWithoutFilters(
        _ query: String, _ times: (start: Double, end: Double, step: Double), isRange: Bool,
        _ parameters: [(String, String)], _ error: String
    ) throws -> Bool {
        let unfiltered = query.replacingOccurrences(
            of: #" (==|!=|<|<=|>|>=) (?!bool )"#, with: " $1 bool ", options: .regularExpression)
        let (path, form) = Comparison.request(unfiltered, times, isRange: isRange)
        return Answer(
            try left.ask(path, form + parameters), of: unfiltered, valuesOnly: false
        ).error == error
    }

    private static func removing(_ pattern: String, from text: String) -> String {
        text.replacingOccurrences(of: pattern, with: "", options: .regularExpression)
    }
}
