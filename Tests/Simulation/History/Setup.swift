// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Platform
internal import TSDB

/// How the database of a history is set: small enough that everything happens often.
struct Setup: Sendable {
    var blockRange: Milliseconds
    var samplesPerChunk: Int
    var segmentSize: Int
    var compression: WALCompression
    var seriesCount: Int
    var snapshotTail: Int
    /// Of so many series some are histograms, and some become such and back; zero for none.
    var histogramShare: Int
    /// What it begins with of what a reload may change.
    var settings = DatabaseSettings()
    /// A share of it is in use, as a step says; nil for no limit.
    var memoryBudget: Int?

    init(seed: UInt64) {
        var random = RandomNumbers(seed: seed ^ 0x5E70_9A11)
        blockRange = random.element(of: [1000, 2000, 7200, 7_200_000])
        samplesPerChunk = random.element(of: [4, 10, 30, 120])
        segmentSize = random.element(of: [32_768, 65_536, 1 << 20])
        compression = random.element(of: [.none, .snappy, .zstd])
        seriesCount = random.element(of: [3, 10, 40])
        snapshotTail = random.element(of: [1, .max])
        histogramShare = random.element(of: [0, 2, 6])
        settings.outOfOrderWindow = random.element(of: [0, 0, blockRange / 4, blockRange * 3])
        settings.staleSeriesThreshold = random.element(of: [0, 0, 0.01, 0.3])
        settings.blockEncoding = random.isOne(in: 3) ? .dense : .xor
        memoryBudget = random.isOne(in: 4) ? 1 << 30 : nil
        settings.retention.time = random.isOne(in: 3) ? blockRange * 8 : 0
        if random.isOne(in: 4) { setSeriesRetention(&random) }
        // Which blocks go depends on their size, so it must be plain which samples they hold.
        let hasBytes = random.isOne(in: 6)
        if hasBytes, !mayLeaveEarly {
            settings.retention.bytes = random.element(of: [1, 20_000, 200_000])
        }
        // So many that none has to make room.
        settings.maxExemplars = random.isOne(in: 2) ? 1 << 17 : 0
    }

    private mutating func setSeriesRetention(_ random: inout RandomNumbers) {
        let audit = SeriesRetention(
            selectors: [[Matcher("__name__", equals: "metric_0")]],
            time: random.element(of: [0, blockRange * 12]))
        let debug = SeriesRetention(
            selectors: [
                [Matcher("instance", equals: "host-1")], [Matcher("generation", equals: "1")],
            ], time: blockRange * Timestamp(1 + random.below(5)) / 2)
        settings.retention.series = random.isOne(in: 2) ? [audit, debug] : [debug, audit]
    }

    /// Whether series may leave the head before it is cut.
    var mayLeaveEarly: Bool { settings.staleSeriesThreshold > 0 || memoryBudget != nil }

    /// Whether a time may take another value than it has.
    var mayRepeat: Bool { mayLeaveEarly || settings.outOfOrderWindow > 0 }

    /// Whether a series has histograms at any time.
    func hasHistograms(_ number: Int) -> Bool {
        guard histogramShare > 0 else { return false }
        return number % histogramShare == 1 || number % (3 * histogramShare) == 2
    }

    /// Whether a series has histograms at a time.
    func isHistogram(_ number: Int, generation: Int, _ time: Timestamp) -> Bool {
        guard histogramShare > 0 else { return false }
        if number % histogramShare == 1 { return true }
        return number % (3 * histogramShare) == 2 && time / blockRange % 3 == 1
    }

    func databaseOptions(_ memory: MemoryBudget?) -> DatabaseOptions {
        var options = DatabaseOptions()
        options.blockRange = blockRange
        options.largestBlockRange = blockRange * 9
        options.memory = memory
        return options
    }

    func headOptions(_ memory: MemoryBudget?) -> HeadOptions {
        var options = HeadOptions()
        options.blockRange = blockRange
        options.samplesPerChunk = samplesPerChunk
        options.segmentSize = segmentSize
        options.compression = compression
        options.writesInBackground = false
        options.snapshotTail = snapshotTail
        options.memory = memory
        options.maxExemplars = settings.maxExemplars
        return options
    }

    var description: String {
        "block range \(blockRange) ms, \(samplesPerChunk) samples a chunk, segments of "
            + "\(segmentSize) bytes (\(compression)), \(seriesCount) series, histograms "
            + "\(histogramShare), memory \(memoryBudget != nil), retention \(retentionText), "
            + "late \(settings.outOfOrderWindow) ms, stale \(settings.staleSeriesThreshold), "
            + "\(settings.blockEncoding) blocks, \(settings.maxExemplars) exemplars"
    }

    private var retentionText: String {
        let retention = settings.retention
        let rules = retention.series.map { "\($0.selectors.first ?? []) \($0.time) ms" }
        return "\(retention.time) ms \(retention.bytes) bytes \(rules)"
    }
}
