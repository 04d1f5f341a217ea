// SPDX-License-Identifier: Apache-2.0

import Foundation

/// A server's answer to a query in a form that can be compared.
struct Answer {
    /// `success`, or the kind of error.
    var outcome: String
    var error: String
    var type: String
    /// One line per point: labels and time → value as text.
    var points: [String: String]
    var annotations: Set<String>

    init(_ table: [String: Any], of query: String, valuesOnly: Bool) {
        let status = table["status"] as? String ?? ""
        outcome = table["errorType"] as? String ?? status
        error = valuesOnly ? "" : Self.comparable(table["error"] as? String ?? "")
        annotations =
            valuesOnly
            ? []
            : Set(
                ((table["warnings"] as? [String] ?? []) + (table["infos"] as? [String] ?? []))
                    .compactMap { KnownDifferences.comparable(annotation: $0, of: query) })
        let data = table["data"] as? [String: Any] ?? [:]
        type = data["resultType"] as? String ?? ""
        points = [:]
        switch data["result"] {
        case let series as [[String: Any]]:
            for one in series { add(one) }
        case let sample as [Any]: points["scalar \(sample.first ?? "")"] = "\(sample.last ?? "")"
        default: break
        }
    }

    /// Which of several duplicates an error names is left to chance.
    private static func comparable(_ error: String) -> String {
        guard let found = error.range(of: "found duplicate series") else { return error }
        return String(error[..<found.upperBound])
    }

    private mutating func add(_ series: [String: Any]) {
        let labels = (series["metric"] as? [String: String] ?? [:]).sorted { $0.key < $1.key }
            .map { "\($0.key)=\(String(reflecting: $0.value))" }.joined(separator: ",")
        // A series without points counts too.
        points["{\(labels)}"] = ""
        for key in ["value", "values", "histogram", "histograms"] {
            guard let found = series[key] else { continue }
            let list = key.hasSuffix("s") ? found as? [[Any]] ?? [] : [found as? [Any] ?? []]
            for point in list {
                points["{\(labels)} @ \(point.first ?? "")"] = Self.text(point.last)
            }
        }
    }

    /// A value; a histogram with its members in order.
    private static func text(_ value: Any?) -> String {
        guard let table = value as? [String: Any],
            let data = try? JSONSerialization.data(withJSONObject: table, options: .sortedKeys)
        else { return "\(value ?? "")" }
        return String(decoding: data, as: UTF8.self)
    }

    /// Whether two values are the same but for the last digits: of a histogram all its numbers.
    private static func areNear(_ left: String, _ right: String) -> Bool {
        func numbers(_ text: String) -> [Substring] {
            text.split { $0 == "\"" || $0 == "," || $0 == "[" || $0 == "]" }
        }
        let (leftParts, rightParts) = (numbers(left), numbers(right))
        return leftParts.count == rightParts.count
            && zip(leftParts, rightParts).allSatisfy { left, right in
                guard left != right else { return true }
                guard let left = Double(left), let right = Double(right) else { return false }
                return abs(left - right) <= 1e-12 * max(abs(left), abs(right))
            }
    }

    enum Agreement {
        case exact
        /// All the same but for the last digits of values.
        case near(String)
        case different(String)
    }

    func compare(_ other: Answer) -> Agreement {
        if outcome != other.outcome {
            return .different("\(outcome) \(error) against \(other.outcome) \(other.error)")
        }
        if error != other.error { return .different("error \(error) against \(other.error)") }
        if type != other.type { return .different("type \(type) against \(other.type)") }
        var near: String?
        for key in Set(points.keys).union(other.points.keys).sorted() {
            guard let left = points[key], let right = other.points[key] else {
                return .different(
                    "\(key): \(points[key] ?? "nothing") against \(other.points[key] ?? "nothing")")
            }
            if left == right { continue }
            let difference = "\(key): \(left) against \(right)"
            guard Self.areNear(left, right) else { return .different(difference) }
            near = near ?? difference
        }
        if annotations != other.annotations {
            return .different(
                "annotations \(annotations.subtracting(other.annotations).sorted()) against "
                    + "\(other.annotations.subtracting(annotations).sorted())")
        }
        return near.map { .near($0) } ?? .exact
    }
}
