// SPDX-License-Identifier: Apache-2.0

package import Model

/// One position of a described series.
package enum SeriesValue: Sendable, Hashable {
    /// No sample.
    case omitted
    case float(Double)
    /// `hintIsGiven`: the description names a counter reset hint, so that a comparison looks at it.
    case histogram(FloatHistogram, hintIsGiven: Bool)
}

/// A series written as in test scripts and unit tests of rules: `up{job="a"} 1 2+3x4 _x2 stale`.
package struct SeriesDescription: Sendable, Hashable {
    package var labels: Labels
    package var values: [SeriesValue]
}

/// Reads a series description. Repetitions are written out; more than ten million values are
/// refused.
package func parseSeriesDescription(_ text: String) throws(ParseError) -> SeriesDescription {
    var parser = SeriesParser(text)
    return try parser.parse()
}
