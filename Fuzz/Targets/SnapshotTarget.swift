// SPDX-License-Identifier: Apache-2.0

import Bytes
import Instrumentation
import Model
import Simulation
import Storage

@testable import TSDB

/// What a data folder holds beside the snapshot, and the frames of a sound one.
private struct Base {
    var files: [(path: String, bytes: [UInt8])]
    var summary: [UInt8]
    var frames: [(kind: UInt8, data: [UInt8])]
}

private let folder = "/data"
private let snapshotPath = "\(folder)/\(SnapshotFormat.path)"

private func open(_ disk: MemoryDisk) throws -> Head {
    var options = HeadOptions()
    options.writesInBackground = false
    options.snapshotTail = .max
    options.samplesPerChunk = 4
    return try Head.open(folder, options, minValidTime: .min, disk, Registry())
}

/// Appends floats and histograms, and takes a snapshot in the middle.
private let base: Base = {
    do {
        let disk = MemoryDisk()
        try disk.createDirectory(folder)
        let head = try open(disk)
        let labels = (0..<4).map { number in
            Labels([LabelName.metric: "m", "n": "\(number / 2)", "o": "\(number)"])
        }
        for time in 0..<20 as Range<Timestamp> {
            let refs = try head.resolve(labels)
            var batch = SampleBatch(sharedTimestamp: time * 1000)
            for ref in refs.dropLast() { batch.append(ref, Double(time) / 7) }
            var histogram = FloatHistogram()
            histogram.positiveSpans = [BucketSpan(offset: 1, length: 1)]
            histogram.positiveBuckets = [Double(time)]
            histogram.count = Double(time)
            batch.histograms = [
                HistogramSample(refs[3], .float(histogram), at: time * 1000)
            ]
            _ = try head.commit(batch, .skipFaulty)
            try head.writePending()
            if time == 14 { head.takeSnapshot() }
        }
        disk.kill()
        var files: [(path: String, bytes: [UInt8])] = []
        for (path, _) in disk.allFiles where path != snapshotPath {
            files.append((path, try disk.contents(of: path)))
        }
        let frames = try frames(of: try disk.contents(of: snapshotPath))
        return Base(
            files: files, summary: frames[0].data, frames: Array(frames.dropFirst()))
    } catch {
        preconditionFailure("a folder with a snapshot can be made: \(error)")
    }
}()

private func frames(of file: [UInt8]) throws -> [(kind: UInt8, data: [UInt8])] {
    var reader = ByteReader(file.span.bytes, at: SnapshotFormat.magic.count)
    var found: [(kind: UInt8, data: [UInt8])] = []
    while !reader.isAtEnd {
        let kind = try reader.uint8()
        let length = Int(try reader.uint32LE())
        _ = try reader.uint32LE()
        found.append((kind, Array(file[reader.offset..<reader.offset + length])))
        try reader.skip(length)
    }
    return found
}

private func read(_ head: Head) throws {
    let always = TimeRange(start: .earliest, end: .latest)
    let set = try head.querier(over: always).select([], hints: SelectHints(range: always))
    var columns = SampleColumns()
    for index in 0..<set.count {
        columns.removeAll()
        _ = set.labels(at: index).description
        try set.read(index, always, into: &columns)
    }
}

/// What the target begins with: the frames of a sound snapshot.
var snapshotSeeds: [[UInt8]] {
    var seed: [UInt8] = []
    for (kind, data) in base.frames {
        seed += [kind, UInt8(truncatingIfNeeded: data.count), UInt8(data.count >> 8)] + data
    }
    return [seed]
}

/// Reads the bytes as frames (kind, length in 16 bits, data), puts right checksums to them, and
/// starts a head from them. Whatever they hold, the head starts, and reading it does not trap.
func fuzzSnapshot(_ bytes: [UInt8]) {
    var file = ByteWriter()
    file.append(SnapshotFormat.magic)
    func append(_ kind: SnapshotFrame, _ data: [UInt8]) {
        file.uint8(kind.rawValue)
        file.uint32LE(UInt32(data.count))
        file.uint32LE(kind.checksum(data.span.bytes))
        file.append(data)
    }
    append(.summary, base.summary)
    var reader = ByteReader(bytes.span.bytes)
    while let number = try? reader.uint8(), let kind = SnapshotFrame(rawValue: number % 10) {
        guard let low = try? reader.uint8(), let high = try? reader.uint8() else { break }
        let length = min(Int(low) | Int(high) << 8, reader.remaining)
        append(kind, Array(bytes[reader.offset..<reader.offset + length]))
        guard (try? reader.skip(length)) != nil else { break }
    }
    append(.end, [])
    do {
        let disk = MemoryDisk()
        for path in [folder, "\(folder)/wal", "\(folder)/chunks_head", "\(folder)/narthex"] {
            try disk.createDirectory(path)
        }
        for (path, bytes) in base.files + [(snapshotPath, file.bytes)] {
            try disk.open(path, .replace).write(bytes.span.bytes, at: 0)
        }
        let head = try open(disk)
        try? read(head)
        try head.close()
    } catch {
        preconditionFailure("a head starts whatever its snapshot is: \(error)")
    }
}
