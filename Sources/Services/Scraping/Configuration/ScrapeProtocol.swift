// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import YAML

/// An exposition format that targets may be asked for.
package enum ScrapeProtocol: String, Sendable, Hashable, CaseIterable {
    case prometheusProto = "PrometheusProto"
    case prometheusText004 = "PrometheusText0.0.4"
    case prometheusText100 = "PrometheusText1.0.0"
    case openMetricsText001 = "OpenMetricsText0.0.1"
    case openMetricsText100 = "OpenMetricsText1.0.0"

    package static let defaultOrder: [ScrapeProtocol] = [
        .openMetricsText100, .openMetricsText001, .prometheusText100, .prometheusText004,
    ]

    package var mediaType: String {
        switch self {
        case .prometheusProto:
            "application/vnd.google.protobuf;proto=io.prometheus.client.MetricFamily;"
                + "encoding=delimited"
        case .prometheusText004: "text/plain;version=0.0.4"
        case .prometheusText100: "text/plain;version=1.0.0"
        case .openMetricsText001: "application/openmetrics-text;version=0.0.1"
        case .openMetricsText100: "application/openmetrics-text;version=1.0.0"
        }
    }

    static let names = allCases.map(\.rawValue).sorted()

    /// The protocol of this name, or the sentence that refuses it.
    static func named(_ node: YAMLNode, _ context: ScrapeContext) throws(YAMLError) -> Self {
        let name = try node.string()
        guard let known = ScrapeProtocol(rawValue: name) else {
            throw node.invalid(
                "unknown scrape protocol \(name), supported: "
                    + "[\(names.joined(separator: " "))]\(context.suffix)",
                hint: nearestName(to: name, among: names).map { "did you mean \"\($0)\"?" })
        }
        return known
    }

    /// Reads an order of preference: not empty, each once.
    static func list(
        _ node: YAMLNode?, _ context: ScrapeContext
    ) throws(YAMLError) -> [ScrapeProtocol]? {
        guard let node else { return nil }
        let elements = try node.elements("[]config.ScrapeProtocol")
        guard !elements.isEmpty else {
            throw node.invalid("scrape_protocols cannot be empty\(context.suffix)")
        }
        var protocols: [ScrapeProtocol] = []
        for element in elements {
            do throws(YAMLError) {
                let next = try named(element, context)
                guard !protocols.contains(next) else {
                    let all = try elements.map { node throws(YAMLError) in try node.string() }
                    throw element.invalid(
                        "duplicated protocol in scrape_protocols, got "
                            + "[\(all.joined(separator: " "))]\(context.suffix)")
                }
                protocols.append(next)
            } catch {
                guard error.message.hasPrefix("unknown") else { throw error }
                var prefixed = error
                prefixed.message = "scrape_protocols: " + error.message
                throw prefixed
            }
        }
        return protocols
    }
}

/// Where in the configuration a scrape setting stands, for messages.
enum ScrapeContext {
    case global
    case job(String)

    var suffix: String {
        switch self {
        case .global: " for global config"
        case .job(let name): " for scrape config with job name \(quoted(name))"
        }
    }
}
