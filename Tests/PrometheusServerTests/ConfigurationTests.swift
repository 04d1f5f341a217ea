// SPDX-License-Identifier: Apache-2.0

import Platform
import PrometheusServer
import Testing

private func loaded(_ text: String, variables: [String: String] = [:]) -> String {
    do {
        let file = ConfigurationFile(fileSystem: LocalFileSystem()) { variables[$0] }
        return try file.load(Array(text.utf8), name: "p.yml", in: "/etc/x").text
    } catch {
        return "\(error)"
    }
}

private let dump = """
    global:
      scrape_interval: 1m
      scrape_timeout: 10s
      evaluation_interval: 1m
      metric_name_validation_scheme: utf8
      metric_name_escaping_scheme: allow-utf-8
      scrape_native_histograms: false
      extra_scrape_metrics: false
    runtime:
      gogc: 75
    storage:
      tsdb:
        outofordertimewindow: 0
        retention:
          time: 15d
    otlp:
      translation_strategy: UnderscoreEscapingWithSuffixes
      label_name_underscore_sanitization: true
      label_name_preserve_multiple_underscores: true

    """

@Suite struct ConfigurationTests {
    @Test(
        "An empty configuration is all defaults",
        arguments: [
            "", "{}", "# nothing\n", "global:\n", "rule_files:\nremote_write: []\nalerting: {}",
        ])
    func empty(text: String) {
        #expect(loaded(text) == dump)
    }

    @Test("External labels take environment variables")
    func environment() {
        let text = "global: {external_labels: {a: '$A-${B}', c: '$$x', d: $NONE}}"
        let result = loaded(text, variables: ["A": "1", "B": "2"])
        #expect(result.contains("external_labels:\n    a: 1-2\n    c: $x\n  metric"))
    }

    @Test(
        "Mistakes name file, place and what was meant",
        arguments: [
            (
                "scrape_config:\n- job_name: x\n",
                "parsing YAML file p.yml: yaml: unmarshal errors:\n  line 1, column 1: field "
                    + "scrape_config not found in type config.plain; did you mean "
                    + "\"scrape_configs\"?"
            ),
            (
                "rule_files: [a.yml]",
                "parsing YAML file p.yml: rule_files is not supported yet by this version of Narthex "
                    + "(line 1, column 1)"
            ),
            (
                "scrape_configs: [{job_name: a}, {job_name: a}]",
                "parsing YAML file p.yml: found multiple scrape configs with job name \"a\" (line 1, "
                    + "column 33)"
            ),
        ])
    func mistakes(text: String, expected: String) {
        #expect(loaded(text) == expected)
    }

    @Test("Series with a retention time of their own are shown as they were written")
    func seriesRetention() {
        let rules =
            "[{match: ['{job=\"a\"}', up], time: 2y}, {match: [x], time: 0s}]"
        let text = loaded("storage: {tsdb: {narthex_series_retention: \(rules)}}")
        #expect(
            text.contains(
                """
                    narthex_series_retention:
                    - match:
                      - '{job="a"}'
                      - up
                      time: 2y
                    - match:
                      - x
                      time: 0s

                """))
    }

    @Test(
        "A retention time that cannot be meant is refused",
        arguments: [
            ("{time: 1d}", "'match' must name at least one selector"),
            ("{match: [up]}", "'time' is missing; 0s keeps the series for ever"),
            (
                "{match: ['{a=~\".*\"}'], time: 1d}",
                #"selector "{a=~\".*\"}" must contain at least one non-empty matcher"#
            ),
            ("{match: ['{a=\"b\"'], time: 1d}", #"selector "{a=\"b\"": "#),
            ("{match: [up], time: 1x}", "unknown unit"),
            ("{match: [up], time: 1d, size: 1}", "field size not found"),
        ])
    func wrongSeriesRetention(rule: String, expected: String) {
        let text = loaded("storage: {tsdb: {narthex_series_retention: [\(rule)]}}")
        #expect(text.hasPrefix("parsing YAML file p.yml: "))
        #expect(text.contains(expected), "\(text)")
    }

    @Test("The encoding of merged blocks is one of two, and shown where it is not upstream's")
    func blockEncoding() {
        let text = loaded("storage: {tsdb: {block_encoding: dense}}")
        #expect(text.contains("    block_encoding: dense\n"))
        #expect(!loaded("storage: {tsdb: {block_encoding: xor}}").contains("block_encoding"))
        #expect(
            loaded("storage: {tsdb: {block_encoding: zip}}").contains(
                "'storage.tsdb.block_encoding' must be 'xor' or 'dense', or the field must be "
                    + "omitted entirely, got \"zip\""))
    }

    @Test("A file that is not there is an error in the system's words")
    func missing() {
        #expect {
            try ConfigurationFile(fileSystem: LocalFileSystem()).load("/nowhere/p.yml")
        } throws: {
            "\($0)" == "open /nowhere/p.yml: no such file or directory"
        }
    }
}
