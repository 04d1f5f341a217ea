// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

/// Verifies one block: each file by itself, then what they say about one another.
struct BlockVerification {
    private let directory: String
    private let name: String
    private let fileSystem: any FileSystem
    /// What the block says about itself; nil where that is damaged.
    private(set) var meta: BlockMeta?

    init(_ directory: String, _ name: String, _ fileSystem: any FileSystem) {
        self.directory = directory
        self.name = name
        self.fileSystem = fileSystem
    }

    /// As the block's name says.
    private var encoding: BlockEncoding { BlockDirectory.block(named: name)?.encoding ?? .xor }

    private func path(_ file: String) -> String { "\(name)/\(file)" }
    private func full(_ file: String) -> String { "\(directory)/\(name)/\(file)" }

    mutating func run(_ report: inout FolderReport) {
        report.blocks += 1
        verifyMeta(&report)
        var stones: Tombstones?
        do throws(StorageError) {
            stones = try Tombstones("\(directory)/\(name)", fileSystem)
        } catch {
            report.damage(path(Tombstones.fileName), error)
        }
        var segments: ChunkSegments?
        do throws(StorageError) {
            segments = try ChunkSegments(full("chunks"), encoding, fileSystem)
            verifyNames(&report)
        } catch {
            report.damage(path("chunks"), error)
        }
        guard let index = openIndex(&report) else { return }
        var contents = BlockContents(name, index, segments, meta?.range)
        contents.verify(&report)
        var parts = IndexParts(path("index"), index)
        parts.verify(&report)
        verifyTombstones(stones, contents, &report)
        // Counts are only compared where everything could be counted.
        if contents.isComplete { verifyStatistics(contents.statistics, stones, &report) }
    }

    /// Nil, with the reason in the report, where a file cannot be mapped.
    private func map(_ file: String, _ report: inout FolderReport) -> MappedFile? {
        do throws(FileError) { return try fileSystem.map(full(file)) } catch {
            report.damage(path(file), error)
            return nil
        }
    }

    private func openIndex(_ report: inout FolderReport) -> IndexReader? {
        guard let file = map("index", &report) else { return nil }
        do throws(StorageError) { return try IndexReader(file) } catch {
            report.damage(path("index"), error)
            return nil
        }
    }

    private mutating func verifyMeta(_ report: inout FolderReport) {
        guard let file = map("meta.json", &report) else { return }
        do throws(BlockMetaError) { meta = try BlockMeta(parsing: file.bytes) } catch {
            return report.damage(path("meta.json"), error.reason)
        }
        guard let meta else { return }
        if meta.directoryName != name {
            report.damage(path("meta.json"), "names another block: \(meta.directoryName)")
        }
        if meta.range.start > meta.range.end {
            report.damage(
                path("meta.json"),
                "minTime \(meta.range.start) is behind maxTime \(meta.range.end)")
        }
    }

    /// The segments are numbered without gaps.
    private func verifyNames(_ report: inout FolderReport) {
        let names = ((try? fileSystem.entries(of: full("chunks"))) ?? []).filter {
            !$0.isDirectory && Int($0.name) != nil
        }
        for (number, entry) in names.enumerated()
        where entry.name != ChunkSegmentFormat.fileName(number) {
            return report.damage(
                path("chunks"), "segment \(ChunkSegmentFormat.fileName(number)) is missing")
        }
    }

    private func verifyTombstones(
        _ stones: Tombstones?, _ contents: BlockContents, _ report: inout FolderReport
    ) {
        guard let stones else { return }
        for series in stones.ranges.keys.sorted() where !contents.hasSeries(series) {
            report.damage(path(Tombstones.fileName), "there is no series \(series)")
        }
    }

    private func verifyStatistics(
        _ counted: BlockMeta.Statistics, _ stones: Tombstones?, _ report: inout FolderReport
    ) {
        guard let stated = meta?.statistics else { return }
        func compare(_ what: String, _ stated: Int64, _ found: Int64) {
            guard stated != found else { return }
            report.damage(path("meta.json"), "says \(stated) \(what), there are \(found)")
        }
        compare("samples", stated.samples, counted.samples)
        compare("series", stated.series, counted.series)
        compare("chunks", stated.chunks, counted.chunks)
        // Older writers do not say of which kind the samples are.
        if stated.floatSamples + stated.histogramSamples > 0 {
            compare("float samples", stated.floatSamples, counted.floatSamples)
            compare("histogram samples", stated.histogramSamples, counted.histogramSamples)
        }
        if let stones { compare("tombstones", stated.tombstones, Int64(stones.count)) }
    }
}
