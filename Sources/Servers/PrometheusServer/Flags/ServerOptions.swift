// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import LinearRegex
internal import Model
internal import Platform
internal import Settings
internal import TSDB

/// What the command line asks for, as values.
struct ServerOptions: Sendable {
    enum Failure: Error, Hashable {
        /// The sentence and the exit code.
        case refused(String, code: Int32)
    }

    var flags: ParsedFlags
    var configurationFile: String
    var isConfigurationFileGiven: Bool
    var web: Web
    var storage: Storage
    var features: Features
    var logLevel: LogLevel
    var logFormat: LogFormat

    struct Web: Sendable {
        var listenAddresses: [String]
        /// Without a slash at the end.
        var externalURL: String
        /// `/`, or a path with a slash in front and none at the end.
        var routePrefix: String
        var corsOrigin: AnchoredPattern
        var readTimeout: Milliseconds
        var maxConnections: Int
        var enablesLifecycle: Bool
        var enablesAdministration: Bool
        var enablesRemoteWrite: Bool
    }

    struct Storage: Sendable {
        var path: String
        /// What the flags say, upstream's default where they say nothing.
        var retention: Retention
        var blockRange: Milliseconds
        var largestBlockRange: Milliseconds?
        var walCompression: WALCompression
        /// In bytes; 0 for no limit.
        var memoryBudget: Int
    }

    init(_ flags: ParsedFlags) throws(Failure) {
        self.flags = flags
        configurationFile = flags.text("config.file")
        isConfigurationFileGiven = flags.isGiven("config.file")
        logLevel = LogLevel(rawValue: flags.text("log.level")) ?? .info
        logFormat = LogFormat(rawValue: flags.text("log.format")) ?? .logfmt
        features = Features(flags.all("enable-feature"))
        let agentOnly = flags.given(in: .agent)
        guard agentOnly.isEmpty else {
            let names = agentOnly.map(quoted).joined(separator: " ")
            throw .refused(
                "The following flag(s) can only be used in agent mode: [\(names)]", code: 3)
        }
        web = try Web(flags)
        storage = Storage(flags)
    }
}

extension ServerOptions.Web {
    init(_ flags: ParsedFlags) throws(ServerOptions.Failure) {
        listenAddresses = flags.all("web.listen-address")
        let external = try Self.externalURL(flags.text("web.external-url"), listenAddresses[0])
        externalURL = external.url
        let prefix = flags.text("web.route-prefix")
        let trimmed = (prefix.isEmpty ? external.path : prefix).split(separator: "/")
        routePrefix = "/" + trimmed.joined(separator: "/")
        let origin = flags.text("web.cors.origin")
        do {
            corsOrigin = try AnchoredPattern(origin)
        } catch {
            throw .refused(
                "could not compile CORS regex string \(quoted(origin)): \(error)", code: 2)
        }
        readTimeout = DurationText.parse(flags.text("web.read-timeout")) ?? 300_000
        maxConnections = flags.integer("web.max-connections")
        enablesLifecycle = flags.isOn("web.enable-lifecycle")
        enablesAdministration = flags.isOn("web.enable-admin-api")
        enablesRemoteWrite = flags.isOn("web.enable-remote-write-receiver")
    }

    /// The external URL without a slash at the end, and its path. Made of this host's name and the
    /// port that is listened on where the flag says nothing.
    private static func externalURL(
        _ text: String, _ listenAddress: String
    ) throws(ServerOptions.Failure) -> (url: String, path: String) {
        func refusal(_ reason: String) -> ServerOptions.Failure {
            .refused("parse external URL \(quoted(text)): \(reason)", code: 2)
        }
        var url = text
        if url.isEmpty {
            let port = listenAddress.split(separator: ":").last.map(String.init) ?? "9090"
            url = "http://\(Host.name):\(port)/"
        }
        if let first = url.first, let last = url.last, "\"'".contains(first) || "\"'".contains(last)
        {
            throw refusal("URL must not begin or end with quotes")
        }
        guard let scheme = url.firstRange(of: "://"), !url[..<scheme.lowerBound].isEmpty else {
            throw refusal("URL needs a scheme and a host, as in http://example.org/path")
        }
        let rest = url[scheme.upperBound...]
        guard !rest.contains(where: { $0 == "?" || $0 == "#" || $0.isWhitespace }) else {
            throw refusal("URL must not have a query, a fragment or spaces")
        }
        let path = rest.firstIndex(of: "/").map { rest[$0...] } ?? ""
        while url.hasSuffix("/") { url.removeLast() }
        return (url, String(path))
    }
}

extension ServerOptions.Storage {
    init(_ flags: ParsedFlags) {
        path = flags.text("storage.tsdb.path")
        var own = Retention()
        own.time = DurationText.parse(flags.text("storage.tsdb.retention.time")) ?? 0
        own.size = (try? ByteSize.parse(flags.text("storage.tsdb.retention.size")).get()) ?? 0
        retention = own == Retention() ? .standard : own
        blockRange = DurationText.parse(flags.text("storage.tsdb.min-block-duration")) ?? 7_200_000
        memoryBudget = MemoryAmount.bytes(flags.text("storage.memory-budget"), of: Host.memory) ?? 0
        largestBlockRange = DurationText.parse(flags.text("storage.tsdb.max-block-duration"))
        walCompression =
            if !flags.isOn("storage.tsdb.wal-compression") {
                .none
            } else if flags.text("storage.tsdb.wal-compression-type") == "zstd" {
                .zstd
            } else {
                .snappy
            }
    }
}

extension ParsedFlags {
    /// The value of a whole-number flag; what it says was checked when it was parsed.
    func integer(_ name: String) -> Int { Int(clamping: Int64(Double(text(name)) ?? 0)) }
}
