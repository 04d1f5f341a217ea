// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQL

/// What a query came to.
public struct QueryAnswer: Sendable {
    public enum Value: Sendable {
        case scalar(Double, at: Int64)
        case string(String, at: Int64)
        /// In the order that the query asks for.
        case vector([Element])
        /// A range query, or a range vector; sorted by labels.
        case matrix([Series])
    }

    /// One series at one time.
    public struct Element: Sendable, Hashable {
        public var labels: LabelSet
        public var timestamp: Int64
        /// Counts where there is no histogram.
        public var value: Double
        public var histogram: NativeHistogram?
    }

    /// One series over time.
    public struct Series: Sendable, Hashable {
        public var labels: LabelSet
        public var samples: SampleHistory
    }

    public var value: Value
    /// In Prometheus' words, with the position in the query.
    public var warnings: [String]
    public var infos: [String]

    init(_ result: QueryResult) {
        warnings = result.warnings
        infos = result.infos
        switch result.value {
        case .scalar(let sample): value = .scalar(sample.value, at: sample.timestamp)
        case .string(let text, let time): value = .string(text, at: time)
        case .vector(let elements):
            value = .vector(
                elements.map {
                    Element(
                        labels: LabelSet($0.labels), timestamp: $0.timestamp, value: $0.value,
                        histogram: $0.histogram.map { NativeHistogram($0) })
                })
        case .matrix(let series):
            value = .matrix(
                series.map { Series(labels: LabelSet($0.labels), samples: SampleHistory($0)) })
        }
    }
}

/// Why a query has no answer.
public struct QueryFailure: Error, Sendable, CustomStringConvertible {
    public enum Reason: Sendable, Hashable {
        /// The text is no query, or asks for something that is not enabled.
        case query
        /// The data do not allow what the query asks for.
        case evaluation
        /// Too many samples, too much memory, or too long.
        case limit
        /// The source of the series failed.
        case source
    }

    public var reason: Reason
    /// In Prometheus' words.
    public var message: String

    public var description: String { message }

    init(_ error: QueryError) {
        message = error.message
        reason =
            switch error.kind {
            case .parse, .invalid: .query
            case .execution: .evaluation
            case .storage: .source
            default: .limit
            }
    }
}
