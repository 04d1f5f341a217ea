// SPDX-License-Identifier: Apache-2.0

package import JSON

/// The plan of a query as text: a tree of operations, with what is known of each below its name.
package struct PlanText {
    private var lines: [String] = []

    private init() {}

    /// nil where the value is no plan.
    package static func of(_ plan: JSONValue) -> String? {
        guard plan["operation"]?.text != nil else { return nil }
        var text = PlanText()
        text.add(plan, first: "", rest: "")
        return text.lines.joined(separator: "\n") + "\n"
    }

    private mutating func add(_ node: JSONValue, first: String, rest: String) {
        let children = node["children"]?.elements ?? []
        lines.append(first + Self.title(node))
        let margin = rest + (children.isEmpty ? "     " : "│    ")
        for note in Self.notes(node) { lines.append(margin + note) }
        for (index, child) in children.enumerated() {
            let isLast = index == children.count - 1
            add(
                child, first: rest + (isLast ? "└─ " : "├─ "),
                rest: rest + (isLast ? "   " : "│  "))
        }
    }

    private static func title(_ node: JSONValue) -> String {
        let operation = node["operation"]?.text ?? ""
        let expression = node["expression"]?.text ?? ""
        switch operation {
        case "selector", "range selector", "number", "string": return "\(operation) \(expression)"
        default: break
        }
        guard let grouping = node["grouping"] else { return operation }
        for word in ["by", "without"] {
            guard let labels = grouping[word]?.elements?.compactMap(\.text) else { continue }
            if word == "by", labels.isEmpty { return operation }
            return "\(operation) \(word) (\(labels.joined(separator: ", ")))"
        }
        return operation
    }

    private static func notes(_ node: JSONValue) -> [String] {
        var notes: [String] = []
        if let matching = node["matching"] {
            let word = matching["on"] == nil ? "ignoring" : "on"
            let labels = matching[word]?.elements?.compactMap(\.text) ?? []
            let kind = matching["cardinality"]?.text ?? ""
            notes.append("\(kind) \(word) (\(labels.joined(separator: ", ")))")
        }
        if let start = node["reads"]?["start"]?.double, let end = node["reads"]?["end"]?.double {
            notes.append("reads \(start) to \(end)")
        }
        notes += node["rewrites"]?.elements?.compactMap(\.text) ?? []
        if let analysis = node["analysis"] { notes.append(text(of: analysis)) }
        return notes
    }

    private static func text(of analysis: JSONValue) -> String {
        func count(_ name: String) -> Int64 { analysis[name]?.integer ?? 0 }
        var parts = ["\(count("series")) series, \(count("samples")) samples"]
        if count("samplesRead") > 0 { parts.append("read \(count("samplesRead"))") }
        if let bytes = analysis["bytes"]?.integer { parts.append(byteText(bytes)) }
        let time = analysis["time"]?.double ?? 0
        let own = analysis["ownTime"]?.double ?? 0
        parts.append("\(milliseconds(time)) ms (own \(milliseconds(own)))")
        if let windows = analysis["windows"] {
            let reused = windows["reused"]?.integer ?? 0
            let all = reused + (windows["computed"]?.integer ?? 0)
            parts.append("windows reused \(reused) of \(all)")
        }
        return parts.joined(separator: ", ")
    }

    private static func milliseconds(_ seconds: Double) -> String {
        "\((seconds * 1_000_000).rounded() / 1000)"
    }

    private static func byteText(_ bytes: Int64) -> String {
        if bytes < 1024 { return "\(bytes) B" }
        let isLarge = bytes >= 1 << 20
        let value = Double(bytes) / (isLarge ? 1_048_576 : 1024)
        return "\((value * 10).rounded() / 10) \(isLarge ? "MiB" : "KiB")"
    }
}
