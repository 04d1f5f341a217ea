// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Scraping
internal import Settings
internal import YAML

/// The `global` section.
struct GlobalConfiguration: Sendable, Hashable {
    var scraping = ScrapeDefaults()
    var evaluationInterval: Milliseconds = 60_000
    var ruleQueryOffset: Milliseconds = 0
    var queryLogFile = ""
    var externalLabels = Labels.empty

    init() {}

    /// `environment` gives the values for the variables in external labels, nil where there is
    /// none.
    init(
        _ node: YAMLNode, in directory: String, environment: (String) -> String?
    ) throws(YAMLError) {
        var fields = try YAMLMapping(node, "config.plain")
        scraping = try ScrapeDefaults(&fields, in: directory)
        if let own = try fields.duration("evaluation_interval"), own != 0 {
            evaluationInterval = own
        }
        ruleQueryOffset = try fields.duration("rule_query_offset") ?? 0
        queryLogFile = try fields.path("query_log_file", in: directory) ?? ""
        if let written = fields.take("external_labels") {
            externalLabels = try Self.labels(written, scraping.names.validation, environment)
        }
        try fields.finish()
    }

    private static func labels(
        _ node: YAMLNode, _ validation: NameValidation, _ environment: (String) -> String?
    ) throws(YAMLError) -> Labels {
        var builder = LabelsBuilder()
        for (key, value) in try node.entries("map[string]string") {
            let name = try key.string(as: "valid label name")
            guard validation.isValidLabelName(name) else {
                throw key.invalid("\(quoted(name)) is not a valid label name")
            }
            let text = value.isNull ? "" : try value.string(as: "valid label value")
            builder.set(name, expanded(text, environment))
        }
        return builder.labels()
    }

    /// The section in upstream's marshalled form.
    var yaml: YAMLNode {
        func text(_ value: String) -> YAMLNode? { value.isEmpty ? nil : .string(value) }
        let labels = externalLabels.map { ($0.name, Optional(YAMLNode.string($0.value))) }
        var fields: [(String, YAMLNode?)] = [
            ("scrape_interval", .duration(scraping.interval)),
            ("scrape_timeout", .duration(scraping.timeout)),
            (
                "scrape_protocols",
                scraping.protocols.map { .sequence($0.map { .string($0.rawValue) }) }
            ),
            ("evaluation_interval", .duration(evaluationInterval)),
            ("rule_query_offset", ruleQueryOffset == 0 ? nil : .duration(ruleQueryOffset)),
            ("query_log_file", text(queryLogFile)),
            ("scrape_failure_log_file", text(scraping.failureLogFile)),
            ("external_labels", labels.isEmpty ? nil : .mapping(labels)),
        ]
        fields += scraping.limits.yaml
        fields += scraping.names.yaml
        let histograms = scraping.histograms
        fields += [
            ("scrape_native_histograms", .bool(histograms.scrapesNative)),
            ("convert_classic_histograms_to_nhcb", histograms.convertsClassic ? .bool(true) : nil),
            (
                "always_scrape_classic_histograms",
                histograms.alwaysScrapesClassic ? .bool(true) : nil
            ),
            ("extra_scrape_metrics", .bool(histograms.hasExtraMetrics)),
        ]
        return .mapping(fields)
    }
}

/// Puts environment variables into a text by the rules of Go's `os.Expand`: `$NAME`, `${NAME}`,
/// `$$` for a dollar sign; a variable that is not set is empty.
func expanded(_ text: String, _ environment: (String) -> String?) -> String {
    var result = ""
    var rest = Substring(text)
    func isNamePart(_ character: Character) -> Bool {
        character == "_" || character.isASCII && (character.isLetter || character.isNumber)
    }
    while let dollar = rest.firstIndex(of: "$") {
        result += rest[..<dollar]
        rest = rest[rest.index(after: dollar)...]
        var name: Substring
        if rest.first == "{" {
            rest = rest.dropFirst()
            guard let end = rest.firstIndex(of: "}") else { continue }
            name = rest[..<end]
            rest = rest[rest.index(after: end)...]
            if name.isEmpty { continue }
        } else if let first = rest.first, "*#$@!?-0123456789".contains(first) {
            name = rest.prefix(1)
            rest = rest.dropFirst()
        } else {
            name = rest.prefix(while: isNamePart)
            rest = rest.dropFirst(name.count)
        }
        if name.isEmpty {
            result += "$"
        } else {
            result += name == "$" ? "$" : environment(String(name)) ?? ""
        }
    }
    return result + rest
}
