// SPDX-License-Identifier: Apache-2.0

import Model
import Scraping
import Testing
import YAML

private func decoded(_ text: String, global: String = "{}") throws(YAMLError) -> String {
    guard let globalNode = try YAMLNode(parsing: global), let node = try YAMLNode(parsing: text)
    else { return "nothing" }
    var fields = try YAMLMapping(globalNode, "config.plain")
    let defaults = try ScrapeDefaults(&fields, in: "/etc/x")
    return try ScrapeConfiguration(node, defaults, in: "/etc/x").yaml.yaml()
}

@Suite struct ScrapeConfigurationTests {
    @Test("A job with nothing but a name has upstream's defaults")
    func defaults() throws {
        let expected = """
            job_name: x
            honor_timestamps: true
            track_timestamps_staleness: false
            scrape_interval: 1m
            scrape_timeout: 10s
            scrape_protocols:
            - OpenMetricsText1.0.0
            - OpenMetricsText0.0.1
            - PrometheusText1.0.0
            - PrometheusText0.0.4
            scrape_native_histograms: false
            always_scrape_classic_histograms: false
            convert_classic_histograms_to_nhcb: false
            metrics_path: /metrics
            scheme: http
            enable_compression: true
            metric_name_validation_scheme: utf8
            metric_name_escaping_scheme: allow-utf-8
            extra_scrape_metrics: false
            follow_redirects: true
            enable_http2: true

            """
        #expect(try decoded("job_name: x") == expected)
    }

    @Test(
        "What the job does not say comes from the global section",
        arguments: [
            ("{job_name: x}", "{scrape_interval: 5s}", "scrape_timeout: 5s"),
            ("{job_name: x, scrape_interval: 1m}", "{scrape_interval: 5s}", "scrape_timeout: 5s"),
            ("{job_name: x}", "{sample_limit: 7, body_size_limit: 1MB}", "body_size_limit: 1MiB"),
            ("{job_name: x, sample_limit: 3}", "{sample_limit: 7}", "sample_limit: 3"),
            (
                "{job_name: x, metric_name_validation_scheme: legacy}", "{}",
                "metric_name_escaping_scheme: underscores"
            ),
            (
                "{job_name: x}", "{scrape_protocols: [PrometheusText0.0.4]}",
                "scrape_protocols:\n- PrometheusText0.0.4\nscrape_native"
            ),
        ])
    func inheritance(job: String, global: String, expected: String) throws {
        #expect(try decoded(job, global: global).contains(expected))
    }

    @Test(
        "Mistakes are refused in upstream's words",
        arguments: [
            ("{}", "job_name is empty"),
            ("", "nothing"),
            (
                "{job_name: x, scrape_interval: 5s, scrape_timeout: 6s}",
                "scrape timeout greater than scrape interval for scrape config with job name \"x\""
            ),
            (
                "{job_name: x, static_configs: [{targets: ['http://x']}]}",
                "\"http://x\" is not a valid hostname"
            ),
            ("{job_name: x, static_configs: [null]}", "empty or null section in static_configs"),
            (
                "{job_name: x, consul_sd_configs: [{server: s}]}",
                "consul_sd_configs is not supported yet"
            ),
            ("{job_name: x, metrics_pth: /m}", "did you mean \"metrics_path\"?"),
            ("{job_name: x, scrape_protocols: []}", "scrape_protocols cannot be empty"),
            ("{job_name: x, sample_limit: -1}", "cannot unmarshal !!int `-1` into uint"),
            ("{job_name: x, scrape_interval: 5}", "not a valid duration string: \"5\""),
        ])
    func mistakes(job: String, expected: String) throws {
        do throws(YAMLError) {
            #expect(try decoded(job).contains(expected))
        } catch {
            #expect(error.text.contains(expected))
        }
    }
}
