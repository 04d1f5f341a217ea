// SPDX-License-Identifier: Apache-2.0

internal import Model
package import Scraping
internal import Settings
internal import YAML

/// A whole configuration file, checked, with all defaults filled in. A value: to change the
/// configuration of a running server, make another one and apply that.
package struct Configuration: Sendable {
    var global = GlobalConfiguration()
    var storage: StorageConfiguration
    /// Go's setting for its garbage collector: kept for the dump, without meaning here.
    var goGC = 75
    var scrapeConfigurationFiles: [String] = []
    /// The jobs of the main file.
    var ownJobs: [ScrapeConfiguration] = []
    /// The jobs of the files that `scrape_config_files` names.
    var includedJobs: [ScrapeConfiguration] = []

    package var jobs: [ScrapeConfiguration] { ownJobs + includedJobs }

    /// Sections of upstream that later versions bring. Empty ones do no harm.
    private static let absent = [
        "rule_files", "alerting", "remote_write", "remote_read", "tracing", "otlp",
    ]

    /// Decodes the main file; `node` is nil where it is empty. The files that it includes are not
    /// read here.
    init(
        _ node: YAMLNode?, in directory: String, flags: Retention,
        environment: (String) -> String?
    ) throws(YAMLError) {
        storage = StorageConfiguration(flags: flags)
        guard let node else { return }
        var fields = try YAMLMapping(node, "config.plain")
        if let section = fields.take("global") {
            global = try GlobalConfiguration(section, in: directory, environment: environment)
        }
        if let section = fields.take("runtime") {
            var inner = try YAMLMapping(section, "config.RuntimeConfig")
            let written = try inner.integer("gogc") ?? 0
            if written != 0 { goGC = written }
            try inner.finish()
        }
        if let section = fields.take("storage") {
            storage = try StorageConfiguration(section, flags: flags)
        }
        scrapeConfigurationFiles = try fields.list(
            "scrape_config_files", "[]string"
        ) { element throws(YAMLError) in
            try Self.includePath(element, in: directory)
        }
        let defaults = global.scraping
        let element = { (node: YAMLNode) throws(YAMLError) -> (YAMLNode, ScrapeConfiguration) in
            (node, try ScrapeConfiguration(node, defaults, in: directory))
        }
        let jobs = try fields.list("scrape_configs", "[]*config.ScrapeConfig", element)
        for name in Self.absent { try fields.refuse(name) }
        try fields.finish()
        ownJobs = try Self.distinct(jobs)
    }

    /// A path with stars in its last element at most.
    private static func includePath(
        _ node: YAMLNode, in directory: String
    ) throws(YAMLError) -> String {
        let path = try node.string()
        if let star = path.firstIndex(of: "*"), path[star...].contains("/") {
            throw node.invalid("invalid scrape config file path \(quoted(path))")
        }
        return joined(directory, path)
    }

    private static func distinct(
        _ jobs: [(YAMLNode, ScrapeConfiguration)]
    ) throws(YAMLError) -> [ScrapeConfiguration] {
        var names: Set<String> = []
        for (node, job) in jobs where !names.insert(job.jobName).inserted {
            throw node.invalid(
                "found multiple scrape configs with job name \(quoted(job.jobName))")
        }
        return jobs.map(\.1)
    }

    /// The configuration in upstream's marshalled form, secrets hidden.
    package var text: String {
        func list(_ nodes: [YAMLNode]) -> YAMLNode? { nodes.isEmpty ? nil : .sequence(nodes) }
        return YAMLNode.mapping([
            ("global", global.yaml),
            ("runtime", .mapping([("gogc", .integer(goGC))])),
            ("scrape_config_files", list(scrapeConfigurationFiles.map { .string($0) })),
            ("scrape_configs", list(ownJobs.map(\.yaml))),
            ("storage", storage.yaml),
            (
                "otlp",
                .mapping([
                    ("translation_strategy", .string("UnderscoreEscapingWithSuffixes")),
                    ("label_name_underscore_sanitization", .bool(true)),
                    ("label_name_preserve_multiple_underscores", .bool(true)),
                ])
            ),
        ]).yaml()
    }
}
