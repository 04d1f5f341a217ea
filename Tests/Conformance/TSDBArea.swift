// SPDX-License-Identifier: Apache-2.0

#if canImport(TSDB)

    import Bytes
    import ChunkEncoding
    import Foundation
    import Model
    import Platform
    import Storage
    import TSDB

    /// `tsdb/`: folders and blocks of real servers. What is read equals what the real programs read, and
    /// blocks that are written anew equal the originals byte for byte.
    struct TSDBArea: Area {
        let name = "tsdb"

        func run(_ folder: URL) throws -> [FileReport] {
            let root = folder.appendingPathComponent("tsdb")
            var reports: [FileReport] = []
            for name in try FileManager.default.contentsOfDirectory(atPath: root.path).sorted() {
                let directory = root.appendingPathComponent(name)
                reports.append(try rewriting(directory, FileReport(name: "tsdb/\(name)/rewriting")))
                reports.append(
                    try samples(directory, FileReport(name: "tsdb/\(name)/dump.sorted.txt")))
            }
            return reports.filter { $0.total > 0 }
        }

        private func blockDirectories(_ directory: URL) throws -> [URL] {
            let data = directory.appendingPathComponent("data")
            return try FileManager.default.contentsOfDirectory(atPath: data.path).sorted()
                .filter { $0.count == 26 }.map { data.appendingPathComponent($0) }
        }

        /// Each block read and written again: index and chunks must be the same bytes.
        private func rewriting(_ directory: URL, _ report: FileReport) throws -> FileReport {
            var report = report
            let scratch = FileManager.default.temporaryDirectory
                .appendingPathComponent("narthex-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: scratch) }
            try FileManager.default.createDirectory(at: scratch, withIntermediateDirectories: true)
            for original in try blockDirectories(directory) {
                let name = original.lastPathComponent
                do {
                    let block = try Block(original.path, LocalFileSystem())
                    _ = try BlockWriter(scratch.path, LocalFileSystem())
                        .write(BlockMerge([block], isExact: true), block.meta)
                } catch {
                    report.record(name, "\(error)")
                    continue
                }
                let copy = scratch.appendingPathComponent(name)
                for file in ["chunks/000001", "index"] {
                    // Version 1 is read and never written.
                    if file == "index", directory.lastPathComponent.hasSuffix("v1") { continue }
                    let before = try Data(contentsOf: original.appendingPathComponent(file))
                    let after = try Data(contentsOf: copy.appendingPathComponent(file))
                    let isEqual =
                        file == "index" ? parts(before) == parts(after) : before == after
                    report.record(
                        "\(name)/\(file)",
                        isEqual ? nil : "\(before.count) bytes became \(after.count) others"
                    )
                }
            }
            return report
        }

        /// The sections of an index: symbols and series, then postings. Between them, and behind the
        /// postings, older writers put label indices, which nothing reads any more; offsets in the table
        /// and the contents follow from the sections.
        private func parts(_ index: Data) -> [Data] {
            let offsets = (0..<6).map { place in
                index[(index.count - 52 + place * 8)..<(index.count - 44 + place * 8)]
                    .reduce(0) { $0 << 8 | Int($1) }
            }
            return [index[..<offsets[2]], index[offsets[4]..<offsets[3]]].map { Data($0) }
        }

        /// The samples of all blocks against the lines that promtool printed.
        private func samples(_ directory: URL, _ report: FileReport) throws -> FileReport {
            var report = report
            let file = directory.appendingPathComponent("dump.sorted.txt")
            guard let expected = try? String(contentsOf: file, encoding: .utf8) else {
                return report
            }
            var lines: [String] = []
            for path in try blockDirectories(directory) {
                let block = try Block(path.path, LocalFileSystem())
                try BlockMerge([block]).forEachSeries { labels, chunks throws(StorageError) in
                    for chunk in chunks {
                        var timestamps: [Timestamp] = []
                        var values: [Double] = []
                        do {
                            try decodeFloats(
                                chunk.bytes.raw, chunk.encoding, within: chunk.range, &timestamps,
                                &values)
                        } catch {
                            throw StorageError(.damaged, "\(error)")
                        }
                        for (timestamp, value) in zip(timestamps, values) {
                            let text = formatFloat(value, style: .general)
                            lines.append("\(labels.description) \(text) \(timestamp)")
                        }
                    }
                }
            }
            let count = try String(
                contentsOf: directory.appendingPathComponent("dump.count.txt"), encoding: .utf8)
            report.record(
                "count",
                Int(count.trimmingCharacters(in: .whitespacesAndNewlines))
                    == lines.count ? nil : "\(lines.count) samples instead of \(count)")
            lines.sort { isOrderedBytewise($0, $1) }
            for (number, line) in expected.split(separator: "\n").enumerated() {
                let found = number < lines.count ? lines[number] : "nothing"
                report.record(
                    "line \(number + 1)", found == line ? nil : "\(found) instead of \(line)")
            }
            return report
        }
    }

#endif
