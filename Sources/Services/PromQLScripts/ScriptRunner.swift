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
        /// nil where everything held.
        package var failure: String?
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
                outcomes.append(
                    Outcome(
                        line: evaluation.line, query: evaluation.query,
                        failure: failure(of: evaluation)))
            }
        }
        return outcomes
    }

    private func failure(of evaluation: Evaluation) -> String? {
        guard evaluation.isInstant else {
            return check(evaluation, evaluation.query) { () throws(QueryError) in
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
            if let failure = failure(of: evaluation, query, at: time) {
                return query == evaluation.query
                    ? failure : "\(query) at \(time): \(failure)"
            }
        }
        return nil
    }

    /// Compares one answer with the expectation; `body` asks.
    private func check(
        _ evaluation: Evaluation, _ query: String, _ body: () throws(QueryError) -> QueryResult
    ) -> String? {
        let result: QueryResult
        do {
            result = try body()
        } catch {
            guard let wanted = evaluation.expected.failure else {
                return "error evaluating query: \(error.message)"
            }
            return wanted.matches(error.message)
                ? nil : "expected error \(wanted), but got: \(error.message)"
        }
        if evaluation.expected.failure != nil { return "expected error but got none" }
        return evaluation.annotationFault(result.warnings, result.infos)
            ?? evaluation.fault(in: result.value)
    }

    // MARK: Instant queries

    private func failure(
        of evaluation: Evaluation, _ query: String, at time: Timestamp
    ) -> String? {
        let failure = check(evaluation, query) { () throws(QueryError) in
            try engine.instant(query, at: time, on: storage)
        }
        if failure != nil || evaluation.expected.failure != nil { return failure }
        let expected = evaluation.expected
        if expected.points != nil || expected.string != nil || expected.isOrdered
            || PinnedQuery.dependsOnContext(query)
        {
            return nil
        }
        return rangeFailure(of: evaluation, query, at: time).map { "range mode: \($0)" }
    }

    private func rangeFailure(
        of evaluation: Evaluation, _ query: String, at time: Timestamp
    ) -> String? {
        let result: QueryResult
        do {
            result = try engine.range(
                query, from: time - 60_000, through: time + 60_000, step: 60_000, on: storage)
        } catch {
            return "error evaluating query: \(error.message)"
        }
        guard case .matrix(let series) = result.value else {
            return "a range query did not return a matrix"
        }
        if let fault = sortFault(series) { return fault }
        let elements = series.compactMap { Self.element($0, at: time) }
        if evaluation.expected.scalar != nil {
            guard let only = elements.first else { return "no value" }
            return evaluation.fault(in: .scalar(Sample(timestamp: time, value: only.value)))
        }
        return evaluation.fault(in: .vector(elements))
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
