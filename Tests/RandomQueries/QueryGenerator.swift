// SPDX-License-Identifier: Apache-2.0

/// Makes random queries that are valid by their types.
package struct QueryGenerator {
    /// How much of the language is spoken.
    package enum Language: Sendable {
        /// What version 3.5.3 has without flags.
        case stable
        /// With its experimental functions and aggregations.
        case experimental
        /// Everything that 3.14 has, also where it changed what 3.5.3 says.
        case newest
    }

    var random: Randomness
    /// The label sets of the series, `__name__` among them.
    private let series: [[String: String]]
    /// Those of them that every second selector takes; none where this is empty.
    private let preferred: [[String: String]]
    private let times: ClosedRange<Double>
    let language: Language
    private var isExperimental: Bool { language != .stable }

    package init(
        seed: UInt64, series: [[String: String]], preferred: [[String: String]] = [],
        times: ClosedRange<Double>, language: Language = .stable
    ) {
        random = Randomness(seed: seed)
        self.series = series
        self.preferred = preferred
        self.times = times
        self.language = language
    }

    package mutating func query(depth: Int) -> String {
        random.chance(12) ? scalar(depth) : vector(depth)
    }

    /// Times for the evaluation: start, end and step in seconds, in whole milliseconds.
    package mutating func range() -> (start: Double, end: Double, step: Double) {
        let span = times.upperBound - times.lowerBound
        let start = times.lowerBound + (span * Double(random.number(0...700)) / 1000).rounded()
        let steps = random.number(1...60)
        let step = random.pick([0.5, 1, 7, 15, 30, 60, 61.001, 300])
        return (start, start + Double(steps) * step, step)
    }

    /// Parameters that change the answer: a limit of series, another lookback delta.
    package mutating func parameters() -> [(String, String)] {
        var parameters: [(String, String)] = []
        if random.chance(12) { parameters.append(("limit", random.pick(["1", "3", "0", "1000"]))) }
        if random.chance(8) {
            let delta = random.pick(["15s", "14.999", "1m", "3600", "0.001", "30s"])
            parameters.append(("lookback_delta", delta))
        }
        return parameters
    }

    // MARK: Leaves

    mutating func duration() -> String {
        random.pick(["15s", "1m", "90s", "2m30s", "5m", "10m", "1h", "1001ms", "17s", "300"])
    }

    private mutating func modifiers() -> String {
        var text = ""
        if random.chance(5) { text += " offset \(random.chance(3) ? "-" : "")\(duration())" }
        if random.chance(9) {
            let time = times.lowerBound + Double(random.number(0...3600))
            text = " @ " + random.pick(["start()", "end()", "\(time)"]) + text
        }
        return text
    }

    mutating func selector() -> String {
        let isPreferred = !preferred.isEmpty && random.chance(2)
        let labels = random.pick(isPreferred ? preferred : series)
        let name = labels["__name__"] ?? ""
        var matchers: [String] = []
        for (label, value) in labels.sorted(by: { $0.key < $1.key })
        where label != "__name__" && random.chance(3) {
            matchers.append(matcher(label, value))
        }
        if random.chance(10) {
            return "{__name__=~\"\(name.prefix(max(1, name.count - 2))).*\"\(joined(matchers))}"
        }
        if !Self.isPlain(name) { return "{\"\(name)\"\(joined(matchers))}" }
        return matchers.isEmpty ? name : "\(name){\(matchers.joined(separator: ","))}"
    }

    /// Whether a name may be written without quotes.
    private static func isPlain(_ name: String) -> Bool {
        name.utf8.allSatisfy { $0 < 0x80 }
            && name.allSatisfy { $0.isLetter || $0.isNumber || $0 == "_" || $0 == ":" }
            && name.first?.isNumber == false
    }

    private static func written(_ name: String) -> String {
        isPlain(name) ? name : "\"\(name)\""
    }

    private func joined(_ matchers: [String]) -> String {
        matchers.map { "," + $0 }.joined()
    }

    private mutating func matcher(_ label: String, _ value: String) -> String {
        let label = Self.written(label)
        let escaped = value.flatMap { "\\\".+*?()[]{}|^$".contains($0) ? "\\\\\($0)" : "\($0)" }
        let plain = value.flatMap { $0 == "\"" || $0 == "\\" ? "\\\($0)" : "\($0)" }
        switch random.number(0...6) {
        case 0: return "\(label)!=\"\(String(plain))\""
        case 1: return "\(label)=~\"\(String(escaped))|x.*\""
        case 2: return "\(label)!~\"\(String(escaped))\""
        case 3: return "\(label)=~\".+\""
        case 4: return "missing=\"\""
        default: return "\(label)=\"\(String(plain))\""
        }
    }

    mutating func number() -> String {
        random.pick([
            "0", "1", "2", "-1", "0.5", "3.7", "100", "1e3", "-0.1", "1e-9", "Inf", "-Inf", "NaN",
            "0x1F", "1e300", "7",
        ])
    }

    // MARK: Scalars

    private mutating func scalar(_ depth: Int) -> String {
        if depth <= 0 || random.chance(2) { return number() }
        if language == .newest, random.chance(5) {
            return newestScalar(scalar(depth - 1), scalar(depth - 1))
        }
        switch random.number(0...5) {
        case 0: return "time()"
        case 1: return "scalar(\(vector(depth - 1)))"
        case 2: return "-(\(scalar(depth - 1)))"
        case 3:
            let comparison = random.pick(["==", "!=", "<", "<=", ">", ">="])
            return "(\(scalar(depth - 1)) \(comparison) bool \(scalar(depth - 1)))"
        default:
            return "(\(scalar(depth - 1)) \(random.pick(Self.arithmetic)) \(scalar(depth - 1)))"
        }
    }

    private static let arithmetic = ["+", "-", "*", "/", "%", "^", "atan2"]

    // MARK: Range vectors

    private mutating func matrix(_ depth: Int) -> String {
        if depth <= 0 || !random.chance(4) { return "\(selector())[\(duration())]\(modifiers())" }
        let step = random.pick(["", "10s", "17s", "1m"])
        return "(\(vector(depth - 1)))[\(random.pick(["1m", "5m", "613s"])):\(step)]\(modifiers())"
    }

    // MARK: Instant vectors

    private mutating func vector(_ depth: Int) -> String {
        if depth <= 0 { return selector() + modifiers() }
        switch random.number(0...13) {
        case 0, 1: return selector() + modifiers()
        case 2, 3, 4: return overTime(depth)
        case 5, 6: return aggregation(depth)
        case 7, 8: return binary(depth)
        case 9: return withScalar(depth)
        case 10, 11: return function(depth)
        case 12: return labels(depth)
        default:
            return random.chance(3) ? "vector(\(scalar(depth - 1)))" : "-(\(vector(depth - 1)))"
        }
    }

    private mutating func overTime(_ depth: Int) -> String {
        if language == .newest, random.chance(6) { return newestOverTime(selector(), duration()) }
        let range = matrix(depth - 1)
        if isExperimental, random.chance(5) {
            switch random.number(0...2) {
            case 0 where language == .newest: return "mad_over_time(\(range))"
            case 0: return "mad_over_time(\(numbersOnly())[\(duration())]\(modifiers()))"
            case 1:
                let name = random.pick(["max", "min", "last"])
                return "ts_of_\(name)_over_time(\(range))"
            default:
                let (smoothing, trend) = (factor(), factor())
                return "double_exponential_smoothing(\(range), \(smoothing), \(trend))"
            }
        }
        switch random.number(0...9) {
        case 0: return "quantile_over_time(\(number()), \(range))"
        case 1: return "predict_linear(\(range), \(number()))"
        default:
            let name = random.pick([
                "rate", "increase", "delta", "irate", "idelta", "deriv", "changes", "resets",
                "avg_over_time", "min_over_time", "max_over_time", "sum_over_time",
                "count_over_time", "stddev_over_time", "stdvar_over_time", "last_over_time",
                "present_over_time", "absent_over_time", "stddev_over_time",
            ])
            return "\(isNearZero(range) ? "delta" : name)(\(range))"
        }
    }

    /// Whether a range may hold native histograms of few observations: since 3.6 the rates of these
    /// are not extrapolated to below zero.
    private func isNearZero(_ range: String) -> Bool {
        if language == .newest { return false }
        return range.contains("native_siz")
            || range.hasPrefix("(")
                && ["native", "custom", "mixed"].contains(where: range.contains)
    }

    private mutating func factor() -> String {
        random.pick(["0.1", "0.5", "0.9", "0.01", "0", "1", "1.5", "NaN"])
    }

    private mutating func labelNames() -> [String] {
        let names = Set(random.pick(series).keys).subtracting(["__name__"]).sorted()
        let chosen = names.filter { _ in random.chance(2) }.map(Self.written)
        return chosen + (random.chance(8) ? ["missing"] : [])
    }

    private mutating func aggregation(_ depth: Int) -> String {
        let clause = random.pick([
            "", " by (\(labelNames().joined(separator: ", ")))",
            " without (\(labelNames().joined(separator: ", ")))",
        ])
        let inner = vector(depth - 1)
        if isExperimental, random.chance(6) {
            // In range queries other vectors come in the order of a hash map.
            let ordered = selector() + modifiers()
            if random.chance(2) { return "limitk\(clause) (\(random.number(0...4)), \(ordered))" }
            let ratio = random.pick(["0", "0.3", "-0.3", "1", "-1", "0.5", "2", "-7", "1e-9"])
            return "limit_ratio\(clause) (\(ratio), \(inner))"
        }
        switch random.number(0...6) {
        case 0: return "topk\(clause) (\(random.number(0...4)), \(inner))"
        case 1: return "bottomk\(clause) (\(random.number(0...4)), \(inner))"
        case 2: return "quantile\(clause) (\(number()), \(inner))"
        case 3: return "count_values\(clause) (\"value\", \(inner))"
        default:
            let name = random.pick([
                "sum", "avg", "min", "max", "count", "group", "stddev", "stdvar",
            ])
            return "\(name)\(clause) (\(inner))"
        }
    }

    private mutating func binary(_ depth: Int) -> String {
        let left = vector(depth - 1)
        // Related sides meet more often than independent ones.
        let right = random.chance(2) ? left : vector(depth - 1)
        if random.chance(4) {
            return "(\(left) \(random.pick(["and", "or", "unless"]))\(matching()) \(right))"
        }
        let comparison = random.chance(3)
        let operation =
            comparison
            ? random.pick(["==", "!=", "<", "<=", ">", ">="]) + (random.chance(2) ? " bool" : "")
            : random.pick(Self.arithmetic)
        var modifier = matching()
        if !modifier.isEmpty, random.chance(2) {
            modifier += random.pick([" group_left ()", " group_right ()"])
        }
        if language == .newest, random.chance(4) {
            return newestBinary(left, operation, modifier, right)
        }
        return "(\(left) \(operation)\(modifier) \(right))"
    }

    private mutating func matching() -> String {
        if random.chance(2) { return "" }
        return " \(random.pick(["on", "ignoring"])) (\(labelNames().joined(separator: ", ")))"
    }

    private mutating func withScalar(_ depth: Int) -> String {
        let operation =
            random.chance(2)
            ? random.pick(Self.arithmetic)
            : random.pick(["==", "!=", "<", "<=", ">", ">="]) + (random.chance(2) ? " bool" : "")
        let (first, second) = (vector(depth - 1), scalar(depth - 1))
        return random.chance(2)
            ? "(\(first) \(operation) \(second))" : "(\(second) \(operation) \(first))"
    }

    private mutating func function(_ depth: Int) -> String {
        let inner = vector(depth - 1)
        if language == .newest, random.chance(8) { return newestFunction(inner) }
        if isExperimental, random.chance(8) {
            let direction = random.pick(["sort_by_label", "sort_by_label_desc"])
            let names = labelNames().filter { !$0.hasPrefix("\"") }.map { ", \"\($0)\"" }
            return random.chance(2)
                ? "\(direction)(\(inner), \"job\"\(names.joined()))"
                : "info(\(identified())\(random.chance(2) ? ", {__name__=\"build_info\"}" : ""))"
        }
        switch random.number(0...6) {
        case 0: return "clamp(\(inner), \(number()), \(number()))"
        case 1: return "clamp_min(\(inner), \(number()))"
        case 2: return "round(\(inner)\(random.chance(2) ? ", 0.25" : ""))"
        case 3: return histogram(inner)
        case 4 where !preferred.isEmpty: return histogram(inner)
        default:
            let name = random.pick([
                "abs", "absent", "ceil", "floor", "exp", "ln", "log2", "log10", "sqrt", "sgn",
                "sort", "sort_desc", "timestamp", "sin", "cos", "tan", "asin", "acos", "atan",
                "sinh", "cosh", "tanh", "asinh", "acosh", "atanh", "deg", "rad", "hour", "minute",
                "month", "year", "day_of_month", "day_of_week", "day_of_year", "days_in_month",
            ])
            return "\(name)(\(inner))"
        }
    }

    private mutating func histogram(_ inner: String) -> String {
        switch random.number(0...4) {
        case 0: return fraction()
        case 1, 2: return "histogram_quantile(\(number()), \(inner))"
        default:
            let name = random.pick(["avg", "count", "sum", "stddev", "stdvar"])
            return "histogram_\(name)(\(inner))"
        }
    }

    // MARK: What newer versions changed for a part of their arguments: the other part

    /// A metric without NaN among its samples: since 3.14 one NaN makes `mad_over_time` NaN.
    private mutating func numbersOnly() -> String {
        while true {
            let selector = selector()
            if !selector.contains("odd_val") { return selector }
        }
    }

    /// Series with both labels by which `info` finds others, without modifiers: from 3.7 to 3.14
    /// series without them, modifiers, and several matchers for names were put right.
    private mutating func identified() -> String {
        let named = series.filter {
            $0["job"] != nil && $0["instance"] != nil && $0["__name__"] != "build_info"
        }
        let labels = random.pick(named)
        let name = Self.written(labels["__name__"] ?? "")
        let job = random.chance(2) ? ", job=\"\(labels["job"] ?? "")\"" : ""
        return "{\(name.hasPrefix("\"") ? name : "__name__=\"\(name)\"")\(job)}"
    }

    /// `histogram_fraction` where no bound is in the first bucket of those that have a first one,
    /// which 3.8 changed.
    private mutating func fraction() -> String {
        let isExponential = !preferred.isEmpty && random.chance(2)
        let lower =
            isExponential ? number() : random.pick(["5", "5.5", "7", "100", "1e300", "Inf"])
        let name =
            isExponential
            ? random.pick(["native_seconds", "native_sizes"])
            : random.pick([
                "plain_seconds_bucket",
                preferred.isEmpty
                    ? "plain_seconds_bucket"
                    : "custom_seconds",
            ])
        let argument =
            random.chance(2)
            ? "\(name)\(modifiers())"
            : "\(isNearZero(name) ? "delta" : "increase")"
                + "(\(name)[\(random.pick(["1m", "5m", "10m"]))]\(modifiers()))"
        return "histogram_fraction(\(lower), \(number()), \(argument))"
    }

    private mutating func labels(_ depth: Int) -> String {
        let label = labelNames().first { !$0.hasPrefix("\"") } ?? "job"
        let inner = vector(depth - 1)
        if random.chance(3) {
            return "label_join(\(inner), \"joined\", \"-\", \"\(label)\", \"job\")"
        }
        return "label_replace(\(inner), \"\(random.pick(["new", label]))\", \"$1x\", \"\(label)\", "
            + "\"\(random.pick(["(.*)", "(.).*", "nothing", "(.+)"]))\")"
    }
}
