// SPDX-License-Identifier: Apache-2.0

internal import PromQL
internal import PromQLSyntax

/// What holds for every query of an engine. The defaults are those of a Prometheus server.
public struct EngineOptions: Sendable {
    /// Parts of the language that a server has behind feature flags.
    public struct Features: OptionSet, Sendable {
        public let rawValue: Int
        public init(rawValue: Int) { self.rawValue = rawValue }

        public static let experimentalFunctions = Features(rawValue: 1)
        /// `anchored` and `smoothed`.
        public static let extendedRangeSelectors = Features(rawValue: 2)
        /// `fill`, `fill_left` and `fill_right`.
        public static let fillModifiers = Features(rawValue: 4)
        public static let all: Features = [
            .experimentalFunctions, .extendedRangeSelectors, .fillModifiers,
        ]
    }

    public var features: Features = []
    /// How far back an instant selector looks for the newest sample, in milliseconds.
    public var lookbackDelta: Int64 = 300_000
    /// How long one query may take, in seconds.
    public var timeout = 120.0
    /// How many samples one query may hold at once.
    public var maximumSamples = 50_000_000
    /// How many bytes one query, and all queries of the engine together, may hold on the heap; 0
    /// for no limit. Counted by the allocator, so they hold only in programs that are linked with
    /// jemalloc.
    public var maximumMemory = 0
    public var maximumMemoryInAll = 0
    /// The step of a subquery that states none, in milliseconds.
    public var subqueryStep: Int64 = 60_000
    /// Metric names are dropped at the end of the query instead of in every operation.
    public var delaysNameRemoval = false

    public init() {}

    var parser: ParserOptions {
        var options = ParserOptions()
        options.experimentalFunctions = features.contains(.experimentalFunctions)
        options.extendedRangeSelectors = features.contains(.extendedRangeSelectors)
        options.fillModifiers = features.contains(.fillModifiers)
        return options
    }

    var configuration: EngineConfiguration {
        var configuration = EngineConfiguration()
        configuration.lookbackDelta = lookbackDelta
        configuration.timeout = timeout
        configuration.maxSamples = maximumSamples
        configuration.maxMemory = maximumMemory
        configuration.maxMemoryInAll = maximumMemoryInAll
        configuration.defaultSubqueryStep = subqueryStep
        configuration.delayedNameRemoval = delaysNameRemoval
        configuration.parser = parser
        return configuration
    }
}
