// SPDX-License-Identifier: Apache-2.0

/// What version 3.5.3 does not have.
extension QueryGenerator {
    mutating func newestOverTime(_ selector: String, _ duration: String) -> String {
        switch random.number(0...4) {
        case 0: return "first_over_time(\(selector)[\(duration)])"
        case 1: return "ts_of_first_over_time(\(selector)[\(duration)])"
        case 2: return "rate(\(selector)[\(duration) + \(random.pick(["15s", "step()", "1m"]))])"
        default:
            let (name, modifier) = random.pick([
                ("rate", "anchored"), ("rate", "smoothed"), ("increase", "anchored"),
                ("increase", "smoothed"), ("delta", "anchored"), ("delta", "smoothed"),
                ("changes", "anchored"), ("resets", "anchored"),
            ])
            return "\(name)(\(selector)[\(duration)] \(modifier))"
        }
    }

    mutating func newestFunction(_ inner: String) -> String {
        switch random.number(0...3) {
        case 0: return "histogram_quantiles(\(inner), \"q\", 0.5, \(number()))"
        case 1: return "start_timestamp(\(inner))"
        case 2: return "info(\(inner), {__name__=~\"build.*\", __name__!=\"x\"})"
        default: return "histogram_fraction(\(number()), \(number()), \(inner))"
        }
    }

    mutating func newestScalar(_ first: String, _ second: String) -> String {
        random.pick([
            "max_of(\(first), \(second))", "min_of(\(first), \(second))", "step()", "range()",
            "start()", "end()",
        ])
    }

    mutating func newestBinary(
        _ left: String, _ operation: String, _ modifier: String, _ right: String
    ) -> String {
        if random.chance(2) {
            return "(\(left) \(random.pick(["</", ">/"]))\(modifier) \(right))"
        }
        let fill = random.pick(["fill", "fill_left", "fill_right"])
        return "(\(left) \(operation)\(modifier) \(fill) (\(number())) \(right))"
    }
}
