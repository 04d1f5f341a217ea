// SPDX-License-Identifier: Apache-2.0

/// What the server runs with where no configuration file is in place and none was asked for.
package enum DefaultConfiguration {
    /// Watches this server itself. `address` is where it listens.
    package static func text(watching address: String = "0.0.0.0:9090") -> String {
        let port = address.split(separator: ":").last.map(String.init) ?? "9090"
        return """
            # The built-in configuration of Narthex. Put your own into prometheus.yml.
            global:
              scrape_interval: 15s

            scrape_configs:
              - job_name: prometheus
                static_configs:
                  - targets: ["localhost:\(port)"]

            """
    }
}
