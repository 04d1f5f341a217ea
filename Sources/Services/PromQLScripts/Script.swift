// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import LinearRegex
package import Model
package import PromQLSyntax

/// A test script of PromQL: what to load, and which answers to expect of which queries.
package struct Script: Sendable {
    package enum Command: Sendable {
        /// Drop all data.
        case clear
        case load(Load)
        case evaluate(Evaluation)
    }

    package var commands: [Command]
}

/// Why a text is no script.
package struct ScriptError: Error, Sendable, Hashable, CustomStringConvertible {
    /// From 1.
    package var line: Int
    package var message: String

    package var description: String { "line \(line): \(message)" }
}

/// Series to store; the i-th value of each belongs to the time i * step.
package struct Load: Sendable {
    package struct Series: Sendable {
        package var labels: Labels
        package var values: [SeriesValue]
        /// Start timestamps relative to the samples', nil for none; empty where no line gives them.
        package var starts: [Milliseconds?]
    }

    package var line: Int
    package var step: Milliseconds
    /// Classic histograms are stored as native ones with custom buckets too.
    package var convertsClassicHistograms: Bool
    package var series: [Series]
}

/// A query and what is expected of it.
package struct Evaluation: Sendable {
    package var line: Int
    /// The lines of its block without blanks around them, the command first.
    package var source: [String] = []
    package var query: String
    /// Equal for an instant query, whose step is 0.
    package var start: Timestamp
    package var end: Timestamp
    package var step: Milliseconds
    package var isInstant: Bool
    package var expected = Expectation()
}

/// What is expected of a query.
package struct Expectation: Sendable {
    /// Points of a range vector that an instant query returns.
    package struct Points: Sendable {
        package var start: Timestamp
        package var end: Timestamp
        package var step: Milliseconds
    }

    var scalar: Double?
    var string: String?
    var series: [(labels: Labels, values: [SeriesValue])] = []
    var points: Points?
    var isOrdered = false
    /// nil: the query must succeed.
    var failure: TextPattern?
    var hasFailureLine = false
    var warnings: [TextPattern] = []
    var infos: [TextPattern] = []
    /// `eval_warn`, `eval_info`: at least one, whatever it says.
    var needsWarning = false
    var needsInfo = false
    var forbidsWarnings = false
    var forbidsInfos = false

    package init() {}
}

/// A text that must be met exactly, or a pattern that must be found in it.
enum TextPattern: Sendable, CustomStringConvertible {
    case any
    case text(String)
    case pattern(Pattern)

    var description: String {
        switch self {
        case .any: "of any kind"
        case .text(let text): "\"\(text)\""
        case .pattern(let pattern): "matching \"\(pattern.source)\""
        }
    }

    func matches(_ text: String) -> Bool {
        switch self {
        case .any: true
        case .text(let wanted): wanted.utf8.elementsEqual(text.utf8)
        case .pattern(let pattern): pattern.groups(in: text, anchored: false) != nil
        }
    }
}

extension Pattern {
    /// The texts of the groups, or nil where the pattern does not match.
    func groups(in text: String, anchored: Bool = true) -> [String?]? {
        let bytes = Array(text.utf8)
        return captures(in: bytes.raw, anchored: anchored)?.dropFirst().map { range in
            range.map { String(decoding: bytes[$0], as: UTF8.self) }
        }
    }
}
