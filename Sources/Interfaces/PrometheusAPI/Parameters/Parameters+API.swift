// SPDX-License-Identifier: Apache-2.0

internal import Bytes
package import HTTP
package import Model
internal import PromQLSyntax

/// A length of time in nanoseconds, in which upstream counts: the checks on steps need it.
struct Nanoseconds {
    var count: Int64

    var milliseconds: Milliseconds { count / 1_000_000 }
    var seconds: Double { Double(count) / 1e9 }
}

/// What a parameter is not.
private struct ParameterError: Error {
    var reason: String
}

extension Parameters {
    /// The bounds that times default to; the API accepts them as texts too.
    static let earliest: Timestamp = Int64.min / 1000 * 1000 + 62_135_596_801_000
    static let latest: Timestamp = Int64.max / 1000 * 1000 - 62_135_596_801_000 + 999

    private static let earliestText = "-292273086-05-16T16:47:06Z"
    private static let latestText = "292277025-08-18T07:12:54.999999999Z"

    /// A time that may be left out.
    func time(_ name: String, default otherwise: Timestamp) throws(APIFailure) -> Timestamp {
        let text = self[name]
        if text.isEmpty { return otherwise }
        guard let time = Self.time(text) else {
            throw .invalid(
                name,
                "invalid time value for '\(name)': cannot parse \(quoted(text)) "
                    + "to a valid timestamp"
            )
        }
        return time
    }

    /// A time that must be there.
    func time(_ name: String) throws(APIFailure) -> Timestamp {
        let text = self[name]
        guard let time = Self.time(text) else {
            throw .invalid(name, "cannot parse \(quoted(text)) to a valid timestamp")
        }
        return time
    }

    /// Seconds with decimals, rounded to milliseconds, or RFC 3339. What is no number or beyond 64
    /// bits wraps as upstream's integers do.
    package static func time(_ text: String) -> Timestamp? {
        if let seconds = float(text) {
            let whole = seconds.rounded(.towardZero)
            // The steps of upstream, the last of which cuts off instead of rounding. The rest of
            // an infinite number is NaN.
            let fraction = whole.isFinite ? ((seconds - whole) * 1000).rounded() / 1000 : .nan
            let nanoseconds = cutOff(fraction * 1e9)
            let carried = nanoseconds.flooredQuotient(1_000_000_000)
            let milliseconds = (nanoseconds &- carried &* 1_000_000_000) / 1_000_000
            return (cutOff(whole) &+ carried) &* 1000 &+ milliseconds
        }
        switch text {
        case earliestText: return earliest
        case latestText: return latest
        default: return TimeText.parse(text)
        }
    }

    /// A duration that may be left out.
    func optionalDuration(_ name: String) throws(APIFailure) -> Nanoseconds? {
        self[name].isEmpty ? nil : try duration(name)
    }

    func duration(_ name: String) throws(APIFailure) -> Nanoseconds {
        do throws(ParameterError) {
            return try Self.duration(self[name])
        } catch {
            throw .invalid(name, error.reason)
        }
    }

    /// How far back this query looks for samples, where it says so: at least a millisecond.
    func lookbackDelta() throws(APIFailure) -> Milliseconds? {
        let text = self["lookback_delta"]
        if text.isEmpty { return nil }
        do throws(ParameterError) {
            let delta = try Self.duration(text)
            return delta.count > 0 ? max(1, delta.milliseconds) : nil
        } catch {
            throw .badData("error parsing lookback delta duration: \(error.reason)")
        }
    }

    /// Seconds with decimals, or Prometheus' notation.
    private static func duration(_ text: String) throws(ParameterError) -> Nanoseconds {
        if let seconds = float(text) {
            let nanoseconds = seconds * 1e9
            // The bounds as float64, so that 2^63 itself passes, as it does upstream.
            if nanoseconds > 0x1p63 || nanoseconds < -0x1p63 {
                throw ParameterError(
                    reason: "cannot parse \(quoted(text)) to a valid duration. It overflows int64")
            }
            return Nanoseconds(
                count: nanoseconds.isNaN || nanoseconds == 0x1p63 ? .min : Int64(nanoseconds))
        }
        guard let duration = DurationText.parse(text) else {
            throw ParameterError(reason: "cannot parse \(quoted(text)) to a valid duration")
        }
        return Nanoseconds(count: duration * 1_000_000)
    }

    /// How many results are wanted at most; nil for all.
    func limit() throws(APIFailure) -> Int? {
        let text = self["limit"]
        if text.isEmpty { return nil }
        do throws(ParameterError) {
            let limit = try Self.integer(text)
            if limit < 0 { throw ParameterError(reason: "limit must be non-negative") }
            return limit == 0 ? nil : limit
        } catch {
            throw .invalid("limit", error.reason)
        }
    }

    /// As Go's `strconv.Atoi`.
    private static func integer(_ text: String) throws(ParameterError) -> Int {
        if let value = Int(text) { return value }
        let digits = text.utf8.drop { $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "+") }
        let isNumber =
            !digits.isEmpty && text.utf8.count - digits.count <= 1
            && digits.allSatisfy { (48...57).contains($0) }
        let reason = isNumber ? "value out of range" : "invalid syntax"
        throw ParameterError(reason: "strconv.Atoi: parsing \(quoted(text)): \(reason)")
    }

    /// As Go's `strconv.ParseFloat`, which allows underscores between digits.
    private static func float(_ text: String) -> Double? {
        var digits = Array(text.utf8)
        if digits.contains(UInt8(ascii: "_")) {
            guard hasOnlyInnerUnderscores(digits) else { return nil }
            digits.removeAll { $0 == UInt8(ascii: "_") }
        }
        return try? parseFloat(digits.raw, allowsHexadecimal: true)
    }

    /// Whether every underscore stands between digits, or between the prefix and a digit.
    private static func hasOnlyInnerUnderscores(_ text: [UInt8]) -> Bool {
        var rest = text[...]
        if rest.first == UInt8(ascii: "-") || rest.first == UInt8(ascii: "+") { rest.removeFirst() }
        let isHexadecimal =
            rest.count > 1 && rest.first == UInt8(ascii: "0")
            && rest[rest.startIndex + 1] | 0x20 == UInt8(ascii: "x")
        if isHexadecimal { rest = rest.dropFirst(2) }
        var followsDigit = isHexadecimal
        var followsUnderscore = false
        for byte in rest {
            let isDigit =
                (48...57).contains(byte)
                || isHexadecimal && (97...102).contains(byte | 0x20)
            if byte == UInt8(ascii: "_") {
                if !followsDigit { return false }
            } else if followsUnderscore && !isDigit {
                return false
            }
            followsDigit = isDigit
            followsUnderscore = byte == UInt8(ascii: "_")
        }
        return !followsUnderscore
    }

    /// Towards zero; the least integer for what does not fit, as on upstream's processors.
    private static func cutOff(_ value: Double) -> Int64 {
        Int64(exactly: value.rounded(.towardZero)) ?? .min
    }

    /// The selectors of `match[]`. Each must ask for something.
    func matcherSets() throws(APIFailure) -> [[Matcher]] {
        var sets: [[Matcher]] = []
        for selector in all("match[]") {
            do throws(ParseError) {
                sets.append(try parseMetricSelector(selector))
            } catch {
                throw .badData(error.description)
            }
        }
        for matchers in sets where matchers.allSatisfy(\.matchesEmpty) {
            throw .badData("match[] must contain at least one non-empty matcher")
        }
        return sets
    }
}
