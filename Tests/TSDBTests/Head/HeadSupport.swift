// SPDX-License-Identifier: Apache-2.0

import Foundation
import Instrumentation
import Model
import Platform
import Storage
import Synchronization
import TSDB
import Testing

/// A folder that is removed with the object.
final class TemporaryFolder: Sendable {
    let path: String

    init() {
        path = NSTemporaryDirectory() + "narthex-head-" + UUID().uuidString
        try? FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// A copy of the folder as it is now: what a crash would leave behind.
    func copy() throws -> TemporaryFolder {
        let other = TemporaryFolder()
        try FileManager.default.removeItem(atPath: other.path)
        try FileManager.default.copyItem(atPath: path, toPath: other.path)
        return other
    }

    func files(in directory: String) -> [String] {
        let names = (try? FileManager.default.contentsOfDirectory(atPath: "\(path)/\(directory)"))
        return (names ?? []).sorted()
    }

    func contents(_ file: String) throws -> [UInt8] {
        try [UInt8](Data(contentsOf: URL(fileURLWithPath: "\(path)/\(file)")))
    }

    func remove(_ file: String) throws {
        try FileManager.default.removeItem(atPath: "\(path)/\(file)")
    }

    func write(_ bytes: [UInt8], _ file: String) throws {
        let url = URL(fileURLWithPath: "\(path)/\(file)")
        try FileManager.default.createDirectory(
            at: url.deletingLastPathComponent(), withIntermediateDirectories: true)
        try Data(bytes).write(to: url)
    }
}

/// Random numbers that a seed repeats.
struct SeededGenerator: RandomNumberGenerator {
    var state: UInt64
    init(_ seed: UInt64) { state = seed &* 0x9E37_79B9_7F4A_7C15 | 1 }
    mutating func next() -> UInt64 {
        state ^= state << 13
        state ^= state >> 7
        state ^= state << 17
        return state
    }
}

/// The lines that a logger was given.
final class LogLines: Sendable {
    private let lines = Mutex<[String]>([])

    var all: [String] { lines.withLock { $0 } }
    var logger: Logger {
        Logger(level: .debug, format: .logfmt) { line in self.lines.withLock { $0.append(line) } }
    }
}

/// The samples of one series, by times and bits.
struct SeriesColumn: Hashable {
    var times: [Int64] = []
    var bits: [UInt64] = []
}

func openHead(
    _ folder: TemporaryFolder, _ options: HeadOptions = HeadOptions(),
    minValidTime: Timestamp = .min, _ fileSystem: any FileSystem = LocalFileSystem()
) throws -> Head {
    try Head.open(
        folder.path, options, minValidTime: minValidTime, fileSystem, Registry())
}

extension Head {
    /// As a round of upkeep does.
    func truncateWithLog(before time: Timestamp) throws {
        try truncate(before: time)
        try truncateLog()
    }
}

/// Everything that a selection shows, by labels; also checks that it comes in label order, that the
/// newest sample by itself is that of all, and what is known without decoding.
func headContents(
    _ source: any Queryable, _ matchers: [Matcher] = [], from start: Int64 = .min,
    through end: Int64 = .max
) throws -> [Labels: SeriesColumn] {
    let range = TimeRange(start: start, end: end)
    let querier = try source.querier(over: range)
    let set = try querier.select(matchers, hints: SelectHints(range: range))
    var found: [Labels: SeriesColumn] = [:]
    var previous: Labels?
    #expect(set.groups(.by([])) != nil)
    try checkGroups(set)
    for index in 0..<set.count {
        let labels = set.labels(at: index)
        if let previous { #expect(previous < labels) }
        previous = labels
        var columns = SampleColumns()
        try set.read(index, range, into: &columns)
        var newest = SampleColumns()
        try set.readNewest(index, range, into: &newest)
        if let last = columns.timestamps.last, last > columns.histogramTimestamps.last ?? .min {
            #expect(newest.timestamps.last == last)
            #expect(newest.values.last?.bitPattern == columns.values.last?.bitPattern)
        } else {
            #expect(newest.histogramTimestamps.last == columns.histogramTimestamps.last)
        }
        if start == .min, end == .max { try checkSteadyRun(set, index, columns) }
        if columns.isEmpty { continue }
        found[labels] = SeriesColumn(
            times: columns.timestamps, bits: columns.values.map(\.bitPattern))
    }
    return found
}

func series(_ number: Int) -> Labels {
    Labels(["__name__": "metric_\(number % 7)", "instance": "host-\(number / 7)", "job": "test"])
}

extension Head {
    /// Commits one sample each for some series.
    @discardableResult
    func add(
        _ numbers: [Int], at time: Int64, _ policy: FaultPolicy = .skipFaulty,
        _ value: (Int) -> Double
    ) throws -> CommitOutcome {
        let refs = try resolve(numbers.map(series))
        var batch = SampleBatch(sharedTimestamp: time)
        for (number, ref) in zip(numbers, refs) { batch.append(ref, value(number)) }
        return try commit(batch, policy)
    }
}

/// A file system that refuses to write while it is told so.
final class FullDisk: FileSystem {
    let isFull = Mutex(false)
    /// How often a file was synced.
    let syncs = Monitor(0)
    private let local = LocalFileSystem()

    final class File: OpenFile {
        let inner: any OpenFile
        let disk: FullDisk
        init(_ inner: any OpenFile, _ disk: FullDisk) {
            self.inner = inner
            self.disk = disk
        }
        var path: String { inner.path }
        func size() throws(FileError) -> Int { try inner.size() }
        func read(
            into buffer: UnsafeMutableRawBufferPointer, at offset: Int
        ) throws(FileError) -> Int { try inner.read(into: buffer, at: offset) }
        func write(_ bytes: RawSpan, at offset: Int) throws(FileError) {
            if disk.isFull.withLock({ $0 }) {
                // Half of it arrives, as on a real disk.
                try inner.write(bytes.extracting(0..<bytes.byteCount / 2), at: offset)
                throw FileError(operation: "write", path: path, code: 28)
            }
            try inner.write(bytes, at: offset)
        }
        func truncate(to size: Int) throws(FileError) { try inner.truncate(to: size) }
        func sync() throws(FileError) {
            try inner.sync()
            disk.syncs.withLock { $0 += 1 }
            disk.syncs.notifyAll()
        }
    }

    func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any OpenFile {
        File(try local.open(path, mode), self)
    }
    func map(_ path: String) throws(FileError) -> MappedFile { try local.map(path) }
    func entries(of directory: String) throws(FileError) -> [DirectoryEntry] {
        try local.entries(of: directory)
    }
    func status(of path: String) throws(FileError) -> FileStatus? { try local.status(of: path) }
    func rename(_ old: String, to new: String) throws(FileError) {
        try local.rename(old, to: new)
    }
    func link(_ existing: String, as new: String) throws(FileError) {
        try local.link(existing, as: new)
    }
    func remove(_ path: String) throws(FileError) { try local.remove(path) }
    func createDirectory(_ path: String) throws(FileError) { try local.createDirectory(path) }
    func syncDirectory(_ path: String) throws(FileError) { try local.syncDirectory(path) }
}
