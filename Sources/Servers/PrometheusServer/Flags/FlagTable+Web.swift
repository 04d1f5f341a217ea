// SPDX-License-Identifier: Apache-2.0

extension FlagTable {
    /// Configuration and HTTP.
    static let web: [Flag] = [
        Flag(
            name: "config.file", kind: .text, defaults: ["prometheus.yml"],
            help: "Configuration file path.",
            mode: .any),
        Flag(
            name: "config.auto-reload", kind: .toggle, defaults: ["false"],
            help: "Read the configuration again when its files change.",
            mode: .any, standing: .absent),
        Flag(
            name: "config.auto-reload-interval", kind: .duration, defaults: ["30s"],
            help: "How often to look for changed configuration files, with "
                + "--config.auto-reload.",
            mode: .any),
        Flag(
            name: "web.listen-address", kind: .list, defaults: ["0.0.0.0:9090"],
            help: "Address to listen on for API and telemetry. Can be repeated.",
            mode: .any),
        Flag(
            name: "auto-gomaxprocs", kind: .toggle, defaults: ["true"],
            help: "Accepted for compatibility; there is no Go runtime to tune.",
            mode: .any),
        Flag(
            name: "auto-gomemlimit", kind: .toggle, defaults: ["true"],
            help: "Accepted for compatibility; there is no Go runtime to tune.",
            mode: .any),
        Flag(
            name: "auto-gomemlimit.ratio", kind: .number, defaults: ["0.9"],
            help: "Accepted for compatibility; there is no Go runtime to tune.",
            mode: .any),
        Flag(
            name: "auto-gomemlimit.refresh-interval", kind: .duration, defaults: ["0s"],
            help: "Accepted for compatibility; there is no Go runtime to tune.",
            mode: .any),
        Flag(
            name: "web.config.file", kind: .text, defaults: [""],
            help: "Path to a file that turns on TLS or authentication.",
            mode: .any, standing: .absent),
        Flag(
            name: "web.read-timeout", kind: .duration, defaults: ["5m"],
            help: "How long reading a request may take and a connection may idle.",
            mode: .any),
        Flag(
            name: "web.max-connections", kind: .integer, defaults: ["512"],
            help: "How many connections all listeners hold at the same time.",
            mode: .any),
        Flag(
            name: "web.max-notifications-subscribers", kind: .integer, defaults: ["16"],
            help: "How many clients may receive live notifications.",
            mode: .any),
        Flag(
            name: "web.external-url", kind: .text, defaults: [],
            help: "The URL under which the server is reachable from outside, for links and, by "
                + "its path, as prefix of all HTTP endpoints. Derived where omitted.",
            mode: .any, placeholder: "<URL>"),
        Flag(
            name: "web.route-prefix", kind: .text, defaults: [],
            help: "Prefix of the HTTP endpoints. Defaults to the path of --web.external-url.",
            mode: .any, placeholder: "<path>"),
        Flag(
            name: "web.user-assets", kind: .text, defaults: [],
            help: "Directory to serve under /user.",
            mode: .any, standing: .absent, placeholder: "<path>"),
        Flag(
            name: "web.enable-lifecycle", kind: .toggle, defaults: ["false"],
            help: "Allow shutdown and reload by HTTP request.",
            mode: .any),
        Flag(
            name: "web.enable-admin-api", kind: .toggle, defaults: ["false"],
            help: "Allow administration by HTTP request.",
            mode: .any),
        Flag(
            name: "web.enable-remote-write-receiver", kind: .toggle, defaults: ["false"],
            help: "Take remote write requests.",
            mode: .any),
        Flag(
            name: "web.remote-write-receiver.accepted-protobuf-messages", kind: .list,
            defaults: ["prometheus.WriteRequest", "io.prometheus.write.v2.Request"],
            help: "The remote write messages to take. Supported values: "
                + "prometheus.WriteRequest, io.prometheus.write.v2.Request",
            mode: .any, standing: .ineffective),
        Flag(
            name: "web.enable-otlp-receiver", kind: .toggle, defaults: ["false"],
            help: "Take OTLP write requests.",
            mode: .any, standing: .absent),
        Flag(
            name: "web.console.templates", kind: .text, defaults: ["consoles"],
            help: "Accepted for compatibility; there are no consoles.",
            mode: .any),
        Flag(
            name: "web.console.libraries", kind: .text, defaults: ["console_libraries"],
            help: "Accepted for compatibility; there are no consoles.",
            mode: .any),
        Flag(
            name: "web.page-title", kind: .text,
            defaults: ["Prometheus Time Series Collection and Processing Server"],
            help: "Title of the web pages.",
            mode: .any, standing: .ineffective),
        Flag(
            name: "web.cors.origin", kind: .text, defaults: [".*"],
            help: "Regular expression for origins of other sites' requests, fully anchored. "
                + "Example: 'https?://(domain1|domain2)\\.com'",
            mode: .any),
        Flag(
            name: "web.search.max-limit", kind: .integer, defaults: ["10000"],
            help: "Upper bound on the \"limit\" of the search API. 0 means none.",
            mode: .server),
    ]
}
