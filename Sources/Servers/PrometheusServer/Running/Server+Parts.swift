// SPDX-License-Identifier: Apache-2.0

internal import ChunkEncoding
internal import Instrumentation
internal import Model
internal import Platform
internal import PromQL
internal import PromQLSyntax
internal import PrometheusAPI
internal import Settings
internal import Storage
internal import TSDB

/// How the parts of the server are set up from its options.
extension Server {
    /// The data folder without a slash at the end.
    var storagePath: String {
        var path = options.storage.path
        while path.count > 1, path.hasSuffix("/") { path.removeLast() }
        return path
    }

    func databaseOptions(onMaintenanceDue: @escaping @Sendable () -> Void) -> DatabaseOptions {
        var database = DatabaseOptions()
        database.blockRange = options.storage.blockRange
        database.largestBlockRange = options.storage.largestBlockRange
        let budget = options.storage.memoryBudget
        if budget > 0 { database.memory = MemoryBudget(limit: budget) }
        database.filePages = FilePages()
        database.onMaintenanceDue = onMaintenanceDue
        database.storesStarts = options.features.isEnabled("st-storage")
        database.ingestsZeros = options.features.isEnabled("created-timestamp-zero-ingestion")
        database.hasHistogramStarts = options.features.isEnabled("histograms-st-encoding")
        database.settings = databaseSettings(phase.configuration)
        return database
    }

    /// What of the configuration a reload changes in the database.
    func databaseSettings(_ configuration: Configuration) -> DatabaseSettings {
        var settings = DatabaseSettings()
        settings.retention = Self.settings(configuration.storage)
        settings.staleSeriesThreshold = configuration.storage.staleSeriesThreshold
        settings.outOfOrderWindow = configuration.storage.outOfOrderWindow
        settings.blockEncoding = configuration.storage.blockEncoding
        settings.floatEncoding =
            configuration.storage.floatEncoding
            ?? (options.features.isEnabled("xor2-encoding") ? .xor2 : .xor)
        if options.features.isEnabled("exemplar-storage") {
            settings.maxExemplars = configuration.storage.maxExemplars ?? 100_000
        }
        return settings
    }

    static func engineConfiguration(
        _ options: ServerOptions, _ configuration: Configuration
    ) -> EngineConfiguration {
        let flags = options.flags
        var engine = EngineConfiguration()
        engine.lookbackDelta = DurationText.parse(flags.text("query.lookback-delta")) ?? 300_000
        engine.timeout = Double(DurationText.parse(flags.text("query.timeout")) ?? 120_000) / 1000
        engine.maxSamples = flags.integer("query.max-samples")
        let memory = Host.memory
        engine.maxMemory = MemoryAmount.bytes(flags.text("query.max-memory"), of: memory) ?? 0
        engine.maxMemoryInAll =
            MemoryAmount.bytes(flags.text("query.max-memory-total"), of: memory) ?? 0
        engine.maxConcurrency = max(1, flags.integer("query.max-concurrency"))
        engine.defaultSubqueryStep = configuration.global.evaluationInterval
        // Queries come to the same answers without helpers, only later.
        if Host.processorCount > 1 {
            engine.helpers = try? Helpers("query-helper", threads: min(7, Host.processorCount - 1))
        }
        let features = options.features
        engine.delayedNameRemoval = features.isEnabled("promql-delayed-name-removal")
        engine.typeAndUnitLabels = features.isEnabled("type-and-unit-labels")
        engine.usesStartTimestamps = features.isEnabled("use-start-timestamps")
        engine.parser.experimentalFunctions = features.isEnabled("promql-experimental-functions")
        engine.parser.extendedRangeSelectors = features.isEnabled("promql-extended-range-selectors")
        engine.parser.fillModifiers = features.isEnabled("promql-binop-fill-modifiers")
        return engine
    }

    func apiContext(targets: any TargetsView) -> APIContext {
        let sources = APISources(
            settings: apiSettings, lifecycle: lifecycle, status: statusSources, targets: targets)
        var context = APIContext(
            engine: engine, storage: storage,
            registry: registry, logger: log.with(["component": "web"]), sources: sources)
        let storage = storage
        if options.web.enablesAdministration {
            context.administration = Administration(
                snapshot: { includingHead throws(StorageError) in
                    try storage.snapshot(includingHead: includingHead)
                },
                delete: { range, matchers throws(StorageError) in
                    try storage.delete(range, matchers)
                },
                cleanTombstones: { () throws(StorageError) in try storage.cleanTombstones() })
        }
        if options.web.enablesRemoteWrite { context.receiver = storage }
        if options.features.isEnabled("exemplar-storage") { context.exemplars = storage }
        return context
    }

    private var apiSettings: APISettings {
        var settings = APISettings()
        settings.routePrefix = options.web.routePrefix
        settings.externalURL = options.web.externalURL
        settings.listenAddress = options.web.listenAddresses[0]
        settings.corsOrigin = options.web.corsOrigin
        settings.hasStatisticsPerStep = options.features.isEnabled("promql-per-step-stats")
        return settings
    }

    private var lifecycle: Lifecycle {
        let (phase, events) = (phase, events)
        var lifecycle = Lifecycle(readiness: {
            switch phase.current {
            case .starting: .notReady
            case .ready: .ready
            case .stopping: .stopping
            }
        })
        if options.web.enablesLifecycle {
            lifecycle.reload = { events.reloadAndWait() }
            lifecycle.quit = { events.end("Received termination request via web service") }
        }
        return lifecycle
    }

    private var statusSources: StatusSources {
        let (phase, storage) = (phase, storage)
        var build = BuildStatus(
            version: ServerProgram.prometheusVersion, product: "narthex",
            productVersion: ServerProgram.version)
        build.branch = "HEAD"
        return StatusSources(
            configuration: { phase.configuration.text }, flags: options.flags.shown,
            runtime: { Self.runtimeStatus(phase) }, build: build
        ) { limit in
            Result { () throws(StorageError) in StorageStatus(try storage.status(limit: limit)) }
        }
    }

    private static func runtimeStatus(_ phase: ServerPhase) -> RuntimeStatus {
        let process = ProcessStatistics.current()
        let load = phase.lastLoad
        var status = RuntimeStatus()
        status.startTime = Timestamp(process.startTime * 1000)
        status.workingDirectory = Environment.absolute("")
        status.hostName = Host.name
        status.isConfigurationLoaded = load.isSuccessful
        status.lastConfigurationTime = load.time
        status.threadCount = process.threads
        status.retention = phase.configuration.storage.retention.description
        return status
    }
}

extension StorageStatus {
    /// What the database says, as the API shows it.
    fileprivate init(_ status: DatabaseStatus) {
        func counts(_ entries: [DatabaseStatus.Entry]) -> [Count] {
            entries.map { Count($0.name, $0.value) }
        }
        self.init()
        seriesCount = UInt64(status.seriesCount)
        labelPairCount = status.labelPairCount
        chunkCount = Int64(status.chunkCount)
        timeRange = status.timeRange
        seriesByMetricName = counts(status.seriesCountByMetricName)
        valuesByLabelName = counts(status.labelValueCountByLabelName)
        memoryByLabelName = counts(status.memoryInBytesByLabelName)
        seriesByLabelPair = counts(status.seriesCountByLabelValuePair)
    }
}
