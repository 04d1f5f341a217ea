// SPDX-License-Identifier: Apache-2.0
//
// Runs test scripts. An instant query is also asked as the middle step of a range query, and,
// unless a function in it depends on when it is evaluated, with `@` on every selector at other
// times; all must give what is expected.

internal import LinearRegex
internal import Model
package import PromQL
internal import PromQLSyntax
internal import Storage

package final class ScriptRunner: Sendable {
    /// What one query of a script came to.
    package struct Outcome: Sendable {
        package var line: Int
        package var query: String
        /// The lines of the script that ask and expect.
        package var source: [String]
        /// nil where everything held.
        package var failure: String?
        /// What came instead: a line for each series, as a script would expect it. Empty where
        /// there is no failure and where the query failed.
        package var answer: [String] = []
    }

    /// What is wrong with one answer, and the answer.
    private struct Fault {
        var message: String
        var answer: [String] = []
    }

    private let engine: Engine
    private let storage = MemoryStorage()

    package init(_ engine: Engine) { self.engine = engine }

    /// The configuration of upstream's engine for scripts.
    package static var configuration: EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.maxSamples = 10_000
        configuration.timeout = 100
        configuration.parser = .all
        configuration.delayedNameRemoval = true
        configuration.usesStartTimestamps = true
        return configuration
    }

    /// Runs the commands in order. A load that fails ends the script.
    package func run(_ script: Script) throws(ScriptError) -> [Outcome] {
        var outcomes: [Outcome] = []
        storage.removeAll()
        for command in script.commands {
            switch command {
            case .clear: storage.removeAll()
            case .load(let load):
                if let failure = storage.load(load) {
                    throw ScriptError(line: load.line, message: failure)
                }
            case .evaluate(let evaluation):
                let fault = fault(of: evaluation)
                outcomes.append(
                    Outcome(
                        line: evaluation.line, query: evaluation.query,
                        source: evaluation.source, failure: fault?.message,
                        answer: fault?.answer ?? []))
            }
        }
        return outcomes
    }

    private func fault(of evaluation: Evaluation) -> Fault? {
        guard evaluation.isInstant else {
            return check(evaluation) { () throws(QueryError) in
                try engine.range(
                    evaluation.query, from: evaluation.start, through: evaluation.end,
                    step: evaluation.step, on: storage)
            }
        }
        var runs = [(evaluation.query, evaluation.start)]
        if let pinned = PinnedQuery(evaluation.query, at: evaluation.start) {
            runs += pinned.times.map { (pinned.query, $0) }
        }
        for (query, time) in runs {
            if var fault = fault(of: evaluation, query, at: time) {
                if query != evaluation.query {
                    fault.message = "\(query) at \(time): \(fault.message)"
                }
                return fault
            }
        }
        return nil
    }

    /// Compares one answer with the expectation; `body` asks.
    private func check(
        _ evaluation: Evaluation, _ body: () throws(QueryError) -> QueryResult
    ) -> Fault? {
        let result: QueryResult
        do {
            result = try body()
        } catch {
            guard let wanted = evaluation.expected.failure else {
                return Fault(message: "error evaluating query: \(error.message)")
            }
            return wanted.matches(error.message)
                ? nil : Fault(message: "expected error \(wanted), but got: \(error.message)")
        }
        let message: String? =
            evaluation.expected.failure != nil
            ? "expected error but got none"
            : evaluation.annotationFault(result.warnings, result.infos)
                ?? evaluation.fault(in: result.value)
        return message.map { Fault(message: $0, answer: evaluation.scriptLines(of: result)) }
    }

    // MARK: Instant queries

    private func fault(
        of evaluation: Evaluation, _ query: String, at time: Timestamp
    ) -> Fault? {
        let fault = check(evaluation) { () throws(QueryError) in
            try engine.instant(query, at: time, on: storage)
        }
        if fault != nil || evaluation.expected.failure != nil { return fault }
        let expected = evaluation.expected
        if expected.points != nil || expected.string != nil || expected.isOrdered
            || PinnedQuery.dependsOnContext(query)
        {
            return nil
        }
        return rangeFault(of: evaluation, query, at: time).map {
            Fault(message: "range mode: \($0.message)", answer: $0.answer)
        }
    }

    private func rangeFault(
        of evaluation: Evaluation, _ query: String, at time: Timestamp
    ) -> Fault? {
        let result: QueryResult
        do {
            result = try engine.range(
                query, from: time - 60_000, through: time + 60_000, step: 60_000, on: storage)
        } catch {
            return Fault(message: "error evaluating query: \(error.message)")
        }
        guard case .matrix(let series) = result.value else {
            return Fault(message: "a range query did not return a matrix")
        }
        let elements = series.compactMap { Self.element($0, at: time) }
        var value = QueryValue.vector(elements)
        if evaluation.expected.scalar != nil {
            guard let only = elements.first else { return Fault(message: "no value") }
            value = .scalar(Sample(timestamp: time, value: only.value))
        }
        guard let message = sortFault(series) ?? evaluation.fault(in: value) else { return nil }
        var found = result
        found.value = value
        return Fault(message: message, answer: evaluation.scriptLines(of: found))
    }

    private static func element(_ series: ResultSeries, at time: Timestamp) -> VectorElement? {
        if let index = series.timestamps.firstIndex(of: time) {
            return VectorElement(
                labels: series.labels, timestamp: time, value: series.values[index])
        }
        guard let index = series.histogramTimestamps.firstIndex(of: time) else { return nil }
        return VectorElement(
            labels: series.labels, timestamp: time, value: 0, histogram: series.histograms[index])
    }
}
