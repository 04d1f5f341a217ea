// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

/// Verifies the head chunk files: their order, the checksum of each chunk, and that a chunk holds
/// the times that its entry says.
struct HeadChunkVerification {
    private let directory: String
    private let fileSystem: any FileSystem
    private static let name = "chunks_head"

    init(_ directory: String, _ fileSystem: any FileSystem) {
        self.directory = directory
        self.fileSystem = fileSystem
    }

    func run(_ report: inout FolderReport) {
        let files = HeadChunkFiles("\(directory)/\(Self.name)", fileSystem)
        do throws(FileError) {
            var previous: UInt32?
            for number in try files.numbersOnDisk() {
                let path = "\(Self.name)/\(HeadChunkFormat.name(ofFile: number))"
                if let previous, number != previous + 1 {
                    report.damage(path, "the file before it is missing")
                }
                previous = number
                let file = try fileSystem.map("\(directory)/\(path)")
                verify(file.bytes, path, &report)
            }
        } catch {
            report.damage(Self.name, error)
        }
    }

    private func verify(_ bytes: RawSpan, _ path: String, _ report: inout FolderReport) {
        let header = HeadChunkFormat.header
        for index in header.indices where index >= bytes.byteCount || bytes[index] != header[index]
        {
            return report.damage(path, "wrong header at offset \(index)")
        }
        var at = header.count
        while at < bytes.byteCount {
            if bytes.isZero(at..<min(at + 24, bytes.byteCount)) {
                if !bytes.isZero(at..<bytes.byteCount) {
                    report.damage(path, "unexpected bytes behind the end at offset \(at)")
                }
                return
            }
            guard let entry = HeadChunkEntry(bytes, at: at), entry.isSound(bytes, at: at) else {
                return report.damage(path, "damaged chunk at offset \(at)")
            }
            report.headChunks += 1
            verify(entry, bytes, at, path, &report)
            at = entry.end
        }
    }

    private func verify(
        _ entry: HeadChunkEntry, _ bytes: RawSpan, _ offset: Int, _ path: String,
        _ report: inout FolderReport
    ) {
        let code = entry.encoding & ~HeadChunkFormat.outOfOrderFlag
        guard let encoding = EncodedChunk.Encoding(rawValue: code) else {
            return report.damage(path, "unknown chunk encoding \(code) at offset \(offset)")
        }
        var columns = SampleColumns()
        do throws(ChunkError) {
            let always = TimeRange(start: .earliest, end: .latest)
            try columns.append(bytes.extracting(entry.data), encoding, within: always)
        } catch {
            return report.damage(path, "\(error) in the chunk at offset \(offset)")
        }
        let times =
            columns.timestamps.isEmpty ? columns.histogramTimestamps : columns.timestamps
        if times.first != entry.range.start || times.last != entry.range.end
            || !zip(times, times.dropFirst()).allSatisfy({ $0 < $1 })
        {
            report.damage(
                path, "the chunk at offset \(offset) does not have the times that it says")
        }
    }
}
