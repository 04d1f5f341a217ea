// SPDX-License-Identifier: Apache-2.0

import Foundation

/// Compares answers of the HTTP API with recorded ones: `<any>` stands for any value, numbers may
/// differ in the last digits, error sentences are not compared, and results are compared in label
/// order unless `isOrdered`.
enum AnswerComparison {
    /// Keys that newer servers than the recorded one, or products, may add.
    private static let optionalKeys: Set<String> = [
        "anchored", "smoothed", "offsetExpr", "rangeExpr", "stepExpr", "originalOffsetExpr",
        "fillValues", "samplesRead", "samplesReadPerStep", "serverVersion", "product",
        "groupNextToken",
    ]
    private static let any = "<any>"

    /// The first difference; nil where there is none.
    static func difference(_ expected: Any, _ found: Any?, isOrdered: Bool = false) -> String? {
        guard let found else { return "not JSON" }
        return compare(loosened(expected), loosened(isOrdered ? found : sorted(found)), "")
    }

    static func isAny(_ value: Any) -> Bool { value as? String == any }

    private static func compare(_ expected: Any, _ found: Any, _ path: String) -> String? {
        if isAny(expected) { return nil }
        if let expected = expected as? [String: Any], let found = found as? [String: Any] {
            return compareObjects(expected, found, path)
        }
        if let expected = expected as? [Any], let found = found as? [Any] {
            guard expected.count == found.count else {
                return "\(path): \(found.count) elements, expected \(expected.count)"
            }
            for (index, pair) in zip(expected, found).enumerated() {
                if let difference = compare(pair.0, pair.1, "\(path)[\(index)]") {
                    return difference
                }
            }
            return nil
        }
        if isSameScalar(expected, found) { return nil }
        return "\(path): \(text(found)), expected \(text(expected))"
    }

    private static func compareObjects(
        _ expected: [String: Any], _ found: [String: Any], _ path: String
    ) -> String? {
        for key in expected.keys.sorted() {
            guard let value = found[key] else {
                if isAny(expected[key]!) || isEmpty(expected[key]!) { continue }
                return "\(path).\(key) missing"
            }
            if let difference = compare(expected[key]!, value, "\(path).\(key)") {
                return difference
            }
        }
        for key in found.keys.sorted()
        where expected[key] == nil && !optionalKeys.contains(key) {
            return "\(path).\(key) not expected"
        }
        return nil
    }

    private static func isEmpty(_ value: Any) -> Bool {
        value is NSNull || (value as? [Any])?.isEmpty == true
            || (value as? [String: Any])?.isEmpty == true || value as? String == ""
    }

    private static func isSameScalar(_ expected: Any, _ found: Any) -> Bool {
        if let expected = expected as? String, let found = found as? String {
            return expected == found || isSameNumber(Double(expected), Double(found))
        }
        if let expected = expected as? NSNumber, let found = found as? NSNumber {
            return expected == found || isSameNumber(expected.doubleValue, found.doubleValue)
        }
        return expected is NSNull && found is NSNull
    }

    private static func isSameNumber(_ expected: Double?, _ found: Double?) -> Bool {
        guard let expected, let found else { return false }
        if expected.isNaN && found.isNaN || expected == found { return true }
        guard expected.isFinite, found.isFinite else { return false }
        return abs(expected - found) <= 1e-9 * max(abs(expected), abs(found))
    }

    /// Error sentences are replaced; notes are put in order.
    private static func loosened(_ value: Any) -> Any {
        guard var object = value as? [String: Any] else { return value }
        if object["status"] as? String == "error" { object["error"] = any }
        for key in ["warnings", "infos"] {
            if let notes = object[key] as? [String] { object[key] = notes.sorted() }
        }
        return object
    }

    private static func sorted(_ value: Any) -> Any {
        guard var object = value as? [String: Any], let data = object["data"] else { return value }
        if var data = data as? [String: Any],
            ["vector", "matrix"].contains(data["resultType"] as? String),
            let result = data["result"] as? [[String: Any]]
        {
            data["result"] = result.sorted {
                text($0["metric"] as Any) < text($1["metric"] as Any)
            }
            object["data"] = data
        }
        if let list = data as? [[String: Any]], list.first?["target"] != nil {
            object["data"] = list.sorted { text($0["target"] as Any) < text($1["target"] as Any) }
        }
        return object
    }

    private static func text(_ value: Any) -> String {
        let bytes = try? JSONSerialization.data(
            withJSONObject: value,
            options: [.fragmentsAllowed, .sortedKeys, .withoutEscapingSlashes])
        return bytes.map { String(String(decoding: $0, as: UTF8.self).prefix(200)) } ?? "\(value)"
    }
}
