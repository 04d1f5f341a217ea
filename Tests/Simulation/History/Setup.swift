// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Platform
internal import TSDB

/// How the database of a history is set: small enough that everything happens often.
struct Setup: Sendable {
    var blockRange: Milliseconds
    var retention: Milliseconds
    var samplesPerChunk: Int
    var segmentSize: Int
    var compression: WALCompression
    var seriesCount: Int
    var snapshotTail: Int
    /// Of so many series some are histograms, and some become such and back; zero for none.
    var histogramShare: Int

    init(seed: UInt64) {
        var random = RandomNumbers(seed: seed ^ 0x5E70_9A11)
        blockRange = random.element(of: [1000, 2000, 7200])
        retention = random.isOne(in: 3) ? blockRange * 8 : 0
        samplesPerChunk = random.element(of: [4, 10, 30, 120])
        segmentSize = random.element(of: [32_768, 65_536, 1 << 20])
        compression = random.element(of: [.none, .snappy, .zstd])
        seriesCount = random.element(of: [3, 10, 40])
        snapshotTail = random.element(of: [1, .max])
        histogramShare = random.element(of: [0, 2, 6])
    }

    /// Whether a series has histograms at any time. Of several that a batch has for one series,
    /// those that are not the newest are left out without a word, as upstream does it.
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

    var databaseOptions: DatabaseOptions {
        var options = DatabaseOptions()
        options.blockRange = blockRange
        options.settings.retention.time = retention
        options.largestBlockRange = blockRange * 9
        return options
    }

    var headOptions: HeadOptions {
        var options = HeadOptions()
        options.blockRange = blockRange
        options.samplesPerChunk = samplesPerChunk
        options.segmentSize = segmentSize
        options.compression = compression
        options.writesInBackground = false
        options.snapshotTail = snapshotTail
        return options
    }

    var description: String {
        "block range \(blockRange) ms, retention \(retention) ms, \(samplesPerChunk) samples a "
            + "chunk, segments of \(segmentSize) bytes (\(compression)), \(seriesCount) series, "
            + "histograms \(histogramShare)"
    }
}
