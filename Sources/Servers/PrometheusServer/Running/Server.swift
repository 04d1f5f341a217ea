// SPDX-License-Identifier: Apache-2.0
//
// The life of the server. Start: the configuration is checked, the listener opens (and answers
// 503), the database opens and reads its log, discovery and scraping begin, the server is ready.
// End, the other way round: not ready any more, discovery, scraping, storage, listener.
//
// Threads: the main thread takes wishes from `ServerEvents`; one thread waits for signals; one lets
// the database maintain itself; HTTP, scraping and queries have their own. One task runs discovery.

internal import Discovery
internal import HTTP
internal import Instrumentation
internal import Model
internal import Platform
internal import PromQL
internal import PrometheusAPI
internal import Storage
internal import TSDB

final class Server: Sendable {
    let options: ServerOptions
    let log: Logger
    let registry = Registry()
    let metrics: ServerMetrics
    let source: ConfigurationSource
    let phase: ServerPhase
    let storage = ServerStorage()
    let targets = CollectionView()
    let events = ServerEvents()
    let fileSystem = LocalFileSystem()
    let engine: Engine
    private let activeQueries: ActiveQueries

    /// Runs a server until it is told to end. Returns the exit code.
    static func run(_ options: ServerOptions) -> Int32 {
        let log = Logger(
            level: options.logLevel, format: options.logFormat, write: StandardStream.error)
        for (message, name) in options.features.warnings { log.warn(message, ["option": name]) }
        for name in options.flags.ineffective {
            log.warn("The flag is accepted and changes nothing yet", ["flag": name])
        }
        let source = ConfigurationSource(options, LocalFileSystem())
        do throws(ConfigurationError) {
            let configuration = try source.load()
            let retention = configuration.storage.retention
            if let reason = refusal(retention, storedAt: options.storage.path, log) {
                StandardStream.error(reason + "\n")
                return 2
            }
            return Server(options, log, source, configuration).run()
        } catch {
            log.error(
                "Error loading config (--config.file=\(source.path))",
                ["file": Environment.absolute(source.path), "err": error.description])
            return 2
        }
    }

    private init(
        _ options: ServerOptions, _ log: Logger, _ source: ConfigurationSource,
        _ configuration: Configuration
    ) {
        self.options = options
        self.log = log
        self.source = source
        metrics = ServerMetrics(registry)
        let now = currentMilliseconds()
        phase = ServerPhase(configuration, at: now)
        metrics.reloaded(successfully: true, at: now)
        let settings = Self.engineConfiguration(options, configuration)
        activeQueries = ActiveQueries(
            slots: settings.maxConcurrency, log: log.with(["component": "activeQueryTracker"]))
        engine = Engine(settings, registry: registry, tracker: activeQueries)
    }

    private func run() -> Int32 {
        log.info(
            "Starting Narthex",
            [
                "version": ServerProgram.version,
                "prometheus_version": ServerProgram.prometheusVersion,
            ])
        if ThreadMemory.held == nil {
            log.warn("The allocator does not count: queries are not limited in memory")
        }
        if source.isBuiltIn {
            log.info("No configuration file is in place: the built-in one counts")
        }
        do {
            try openQueryLog(phase.configuration)
            let web = try openListener()
            defer { web.shutDown(patience: 5) }
            let maintenance = try Maintenance(storage, log)
            defer { maintenance.end() }
            try openDatabase(maintenance)
            let collection = try Collection(self)
            targets.show(collection.scrapes)
            collection.apply(phase.configuration)
            try listenToSignals()
            becomeReady()
            serve(collection)
            collection.end()
            maintenance.end()
            try storage.close()
            log.info("See you next time!")
            return 0
        } catch {
            log.error("Fatal error", ["err": "\(error)"])
            return 1
        }
    }

    private func openListener() throws -> HTTPServer {
        var configuration = HTTPServerConfiguration()
        configuration.maxConnections = options.web.maxConnections
        configuration.readTimeout = Double(options.web.readTimeout) / 1000
        configuration.queryThreads = max(1, options.flags.integer("query.max-concurrency"))
        let web = try HTTPServer(
            configuration, router: PrometheusAPI(apiContext(targets: targets)).router(),
            observer: RequestMetrics(registry))
        for address in options.web.listenAddresses {
            let bound = try web.listen(address)
            log.info("Listening on", ["address": bound])
        }
        return web
    }

    private func openDatabase(_ maintenance: Maintenance) throws(StorageError) {
        let started = monotonicNanoseconds()
        let environment = DatabaseEnvironment(
            fileSystem: fileSystem, registry: registry,
            log: log.with(["component": "tsdb"]), now: { currentMilliseconds() })
        let database: Database
        do {
            database = try Database.open(
                storagePath, databaseOptions { maintenance.request() }, environment,
                walCompression: options.storage.walCompression)
        } catch {
            throw StorageError(error.code, "opening storage failed: \(error.message)")
        }
        storage.open(database)
        logRetention(phase.configuration.storage.retention)
        openActiveQueries()
        let seconds = Double(monotonicNanoseconds() - started) / 1e9
        log.info("TSDB started", ["dir": storagePath, "duration": "\(seconds)s"])
    }

    /// A server that cannot note its queries runs without.
    private func openActiveQueries() {
        do throws(FileError) {
            try activeQueries.open(in: storagePath, fileSystem)
        } catch {
            log.error("Error opening query log file", ["err": error.description])
        }
    }

    /// Opens the query log anew, for it may have been moved away.
    private func openQueryLog(_ configuration: Configuration) throws(ConfigurationError) {
        let path = configuration.global.queryLogFile
        if path.isEmpty { return engine.setQueryLog(nil) }
        do throws(FileError) {
            engine.setQueryLog(try QueryLogFile(path, fileSystem))
        } catch {
            throw ConfigurationError(description: "can't create json log file: \(error)")
        }
    }

    private func listenToSignals() throws {
        let events = events
        _ = try SystemThread("signals") {
            while true {
                switch Signals.next() {
                case .hangUp: events.reload()
                case .interrupt, .terminate: events.end("Received an OS signal")
                }
            }
        }
    }

    private func becomeReady() {
        phase.enter(.ready)
        metrics.ready.set(1)
        log.info("Server is ready to receive web requests.")
        if StandardStream.isOutputTerminal {
            StandardStream.output(Welcome.text(options, source))
        }
    }

    /// Takes wishes until one of them is to end.
    private func serve(_ collection: Collection) {
        while true {
            switch events.next() {
            case .reload(let reply): reply(reload(collection))
            case .end(let reason):
                log.warn("\(reason), exiting gracefully...")
                phase.enter(.stopping)
                metrics.ready.set(0)
                return
            }
        }
    }

    /// Loads the configuration anew. All of it is checked before anything of it is applied. A part
    /// that fails to take it, which only the storage can, keeps no other from doing so. Returns the
    /// reason of a failure.
    private func reload(_ collection: Collection) -> String? {
        log.info("Loading configuration file", ["filename": source.path])
        let started = monotonicNanoseconds()
        do throws(ConfigurationError) {
            let configuration = try source.load()
            try openQueryLog(configuration)
            let storageTookIt = applyToStorage(configuration)
            collection.apply(configuration)
            guard storageTookIt else {
                return failedToReload(
                    "one or more errors occurred while applying the new configuration "
                        + "(--config.file=\"\(source.path)\")")
            }
            let now = currentMilliseconds()
            phase.loaded(configuration, at: now)
            metrics.reloaded(successfully: true, at: now)
            let seconds = Double(monotonicNanoseconds() - started) / 1e9
            log.info(
                "Completed loading of configuration file",
                ["filename": source.path, "totalDuration": "\(seconds)s"])
            return nil
        } catch {
            return failedToReload(
                "couldn't load configuration (--config.file=\"\(source.path)\"): \(error)")
        }
    }

    private func failedToReload(_ reason: String) -> String {
        phase.failedToLoad()
        metrics.reloaded(successfully: false, at: 0)
        log.error("Error reloading config", ["err": reason])
        return reason
    }

    /// False where the storage could not take it, which the log explains.

    private func applyToStorage(_ configuration: Configuration) -> Bool {
        do throws(StorageError) {
            try storage.current?.apply(databaseSettings(configuration))
            let retention = configuration.storage.retention
            if retention != phase.configuration.storage.retention { logRetention(retention) }
            return true
        } catch {
            log.error("Failed to apply configuration", ["err": error.message])
            return false
        }
    }
}
