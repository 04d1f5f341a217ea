// SPDX-License-Identifier: Apache-2.0

package import Instrumentation
package import LinearRegex
package import Model
package import PromQL
package import PromQLSyntax
package import Storage

/// Everything that the API shows or acts on. A server fills it in; what is nil or refused here
/// answers as upstream does where the feature is off.
package struct APIContext: Sendable {
    package var engine: Engine
    package var storage: any Queryable
    /// nil where no exemplars are kept.
    package var exemplars: (any ExemplarQueryable)?
    package var parser = ParserOptions()
    package var registry: Registry
    package var logger: Logger
    package var settings: APISettings
    package var lifecycle: Lifecycle
    package var status: StatusSources
    package var targets: any TargetsView
    /// nil where the admin API is off.
    package var administration: Administration?
    /// What remote write stores to; nil where the receiver is off.
    package var receiver: (any Appendable)?

    package init(
        engine: Engine, storage: any Queryable, registry: Registry, logger: Logger,
        sources: APISources
    ) {
        self.engine = engine
        self.storage = storage
        self.registry = registry
        self.logger = logger
        parser = engine.configuration.parser
        settings = sources.settings
        lifecycle = sources.lifecycle
        status = sources.status
        targets = sources.targets
    }
}

/// The parts of a context that describe the server around the storage.
package struct APISources: Sendable {
    package var settings: APISettings
    package var lifecycle: Lifecycle
    package var status: StatusSources
    package var targets: any TargetsView

    package init(
        settings: APISettings, lifecycle: Lifecycle, status: StatusSources,
        targets: any TargetsView
    ) {
        self.settings = settings
        self.lifecycle = lifecycle
        self.status = status
        self.targets = targets
    }
}

/// What flags say about the web side.
package struct APISettings: Sendable {
    /// `/`, or a path that begins with a slash and does not end with one.
    package var routePrefix = "/"
    /// The address under which users reach this server, without a slash at the end.
    package var externalURL = "http://localhost:9090"
    /// The first address that is listened on, as the flag gives it.
    package var listenAddress = "0.0.0.0:9090"
    /// Origins that browsers may call from.
    package var corsOrigin: AnchoredPattern?
    /// `stats=all` gives numbers for each step.
    package var hasStatisticsPerStep = false

    package init() {}
}

/// Whether the server can serve, and how it is told to reload or end.
package struct Lifecycle: Sendable {
    package enum Readiness: Sendable {
        case notReady, ready, stopping
    }

    /// Ready when everything that was ever acknowledged can be queried.
    package var readiness: @Sendable () -> Readiness
    /// Loads the configuration anew; the reason where that failed. nil: the lifecycle API is off.
    package var reload: (@Sendable () -> String?)?
    /// Begins to end the program. nil: the lifecycle API is off.
    package var quit: (@Sendable () -> Void)?

    package init(
        readiness: @escaping @Sendable () -> Readiness, reload: (@Sendable () -> String?)? = nil,
        quit: (@Sendable () -> Void)? = nil
    ) {
        self.readiness = readiness
        self.reload = reload
        self.quit = quit
    }
}

/// What the admin API does.
package struct Administration: Sendable {
    /// Makes a copy of all blocks, with the head where asked for, and returns the folder's name.
    package var snapshot: @Sendable (_ includingHead: Bool) throws(StorageError) -> String
    /// Deletes the samples in a closed range of the series that fulfil the matchers.
    package var delete: @Sendable (_ range: TimeRange, [Matcher]) throws(StorageError) -> Void
    /// Writes blocks anew without what is deleted in them.
    package var cleanTombstones: @Sendable () throws(StorageError) -> Void

    package init(
        snapshot: @escaping @Sendable (Bool) throws(StorageError) -> String,
        delete: @escaping @Sendable (TimeRange, [Matcher]) throws(StorageError) -> Void,
        cleanTombstones: @escaping @Sendable () throws(StorageError) -> Void
    ) {
        self.snapshot = snapshot
        self.delete = delete
        self.cleanTombstones = cleanTombstones
    }
}
