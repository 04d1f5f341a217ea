// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Discovery
internal import Relabeling
internal import Settings
package import YAML

extension ScrapeConfiguration {
    /// The job in upstream's marshalled form, secrets hidden.
    package var yaml: YAMLNode {
        func list(_ nodes: [YAMLNode]) -> YAMLNode? { nodes.isEmpty ? nil : .sequence(nodes) }
        func text(_ value: String) -> YAMLNode? { value.isEmpty ? nil : .string(value) }
        let parameters = request.parameters.map { parameter in
            (
                parameter.name,
                Optional(YAMLNode.sequence(parameter.values.map { .string($0) }))
            )
        }
        let histogramFields = histograms.yaml
        var fields: [(String, YAMLNode?)] = [
            ("job_name", .string(jobName)),
            ("honor_labels", samples.honorsLabels ? .bool(true) : nil),
            ("honor_timestamps", .bool(samples.honorsTimestamps)),
            ("track_timestamps_staleness", .bool(samples.tracksTimestampsStaleness)),
            ("params", parameters.isEmpty ? nil : .mapping(parameters)),
            ("scrape_interval", .duration(timing.interval)),
            ("scrape_timeout", .duration(timing.timeout)),
            ("scrape_protocols", .sequence(request.protocols.map { .string($0.rawValue) })),
            ("fallback_scrape_protocol", request.fallbackProtocol.map { .string($0.rawValue) }),
        ]
        fields += histogramFields.dropLast()
        fields += [
            ("scrape_failure_log_file", text(failureLogFile)),
            ("metrics_path", text(request.metricsPath)), ("scheme", text(request.scheme)),
            ("enable_compression", .bool(request.asksForCompression)),
        ]
        fields += limits.yaml.dropLast()
        fields += [
            (
                "native_histogram_bucket_limit",
                samples.histogramBucketLimit == 0 ? nil : .integer(samples.histogramBucketLimit)
            ),
            (
                "native_histogram_min_bucket_factor",
                samples.histogramMinBucketFactor == 0
                    ? nil
                    : .plain(formatFloat(samples.histogramMinBucketFactor, style: .general))
            ),
        ]
        fields += limits.yaml.suffix(1)
        fields += names.yaml
        fields += histogramFields.suffix(1)
        fields += request.client.yaml
        fields += [
            ("relabel_configs", list(relabeling.map(\.fields.yaml))),
            ("metric_relabel_configs", list(metricRelabeling.map(\.fields.yaml))),
        ]
        fields += DiscoveryConfiguration.yaml(discovery)
        return .mapping(fields)
    }
}
