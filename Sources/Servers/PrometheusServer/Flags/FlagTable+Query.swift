// SPDX-License-Identifier: Apache-2.0

extension FlagTable {
    /// Rules, scraping, queries and logging.
    static let query: [Flag] = [
        Flag(
            name: "rules.alert.for-outage-tolerance", kind: .duration, defaults: ["1h"],
            help: "How long an outage may be for the \"for\" state of alerts to be restored.",
            mode: .server),
        Flag(
            name: "rules.alert.for-grace-period", kind: .duration, defaults: ["10m"],
            help: "Shortest time between an alert and its restored \"for\" state.",
            mode: .server),
        Flag(
            name: "rules.alert.resend-delay", kind: .duration, defaults: ["1m"],
            help: "How long to wait before an alert is sent again.",
            mode: .server),
        Flag(
            name: "rules.max-concurrent-evals", kind: .integer, defaults: ["4"],
            help: "How many independent rules may run at the same time.",
            mode: .server),
        Flag(
            name: "scrape.adjust-timestamps", kind: .toggle, defaults: ["true"],
            help: "Move scrape timestamps by up to scrape.timestamp-tolerance onto the intended "
                + "schedule.",
            mode: .any, standing: .ineffective, isHidden: true),
        Flag(
            name: "scrape.timestamp-tolerance", kind: .goDuration, defaults: ["2ms"],
            help: "How far scrape.adjust-timestamps moves timestamps.",
            mode: .any, standing: .ineffective, isHidden: true),
        Flag(
            name: "alertmanager.notification-queue-capacity", kind: .integer, defaults: ["10000"],
            help: "How many notifications may wait.",
            mode: .server),
        Flag(
            name: "alertmanager.notification-batch-size", kind: .integer, defaults: ["256"],
            help: "How many notifications are sent at once.",
            mode: .server),
        Flag(
            name: "alertmanager.drain-notification-queue-on-shutdown", kind: .toggle,
            defaults: ["true"],
            help: "Send what is waiting before shutdown.",
            mode: .server),
        Flag(
            name: "query.lookback-delta", kind: .duration, defaults: ["5m"],
            help: "How far back a query looks for the newest sample of a series.",
            mode: .server),
        Flag(
            name: "query.timeout", kind: .duration, defaults: ["2m"],
            help: "How long a query may take.",
            mode: .server),
        Flag(
            name: "query.max-concurrency", kind: .integer, defaults: ["20"],
            help: "How many queries run at the same time.",
            mode: .server),
        Flag(
            name: "query.max-samples", kind: .integer, defaults: ["50000000"],
            help: "How many samples a query may hold in memory, and so how many it may return.",
            mode: .server),
        Flag(
            name: "query.max-memory", kind: .memory, defaults: ["25%"],
            help: "How much memory a query may hold: a size, or a share of the memory that the "
                + "process may use. 0 for no limit.",
            mode: .server),
        Flag(
            name: "query.max-memory-total", kind: .memory, defaults: ["50%"],
            help: "How much memory all running queries may hold together. Beyond it, those that "
                + "hold most fail. 0 for no limit.",
            mode: .server),
        Flag(
            name: "scrape.discovery-reload-interval", kind: .duration, defaults: ["5s"],
            help: "How long changes of targets are gathered.",
            mode: .any, standing: .ineffective, isHidden: true),
        Flag(
            name: "enable-feature", kind: .list, defaults: [""],
            help: "Names of features to enable, separated by commas. Can be repeated.",
            mode: .any),
        Flag(
            name: "agent", kind: .toggle, defaults: ["false"],
            help: "Run in agent mode.",
            mode: .any, standing: .absent),
        Flag(
            name: "log.level", kind: .choice(["debug", "info", "warn", "error"]),
            defaults: ["info"],
            help: "Only log messages with the given severity or above. One of: [debug, info, "
                + "warn, error]",
            mode: .any),
        Flag(
            name: "log.format", kind: .choice(["logfmt", "json"]), defaults: ["logfmt"],
            help: "Output format of log messages. One of: [logfmt, json]",
            mode: .any),
    ]
}
