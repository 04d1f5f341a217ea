// SPDX-License-Identifier: Apache-2.0

#if canImport(TSDB)

    import Bytes
    import ChunkEncoding
    import Foundation
    import Model
    import Platform
    import Storage
    import TSDB

    /// `tsdb/`: folders and blocks of real servers. What is read equals what the real programs
    /// read, and blocks that are written anew equal the originals byte for byte.
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
                reports.append(
                    try loading(directory, FileReport(name: "tsdb/\(name)/source.om.txt")))
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

        /// The sections of an index: symbols and series, then postings. Between them, and behind
        /// the postings, older writers put label indices, which nothing reads any more; offsets in
        /// the table and the contents follow from the sections.
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
            try compare(lines, expected, directory, &report)
            return report
        }

        private func compare(
            _ lines: [String], _ expected: String, _ directory: URL, _ report: inout FileReport
        ) throws {
            let count = try String(
                contentsOf: directory.appendingPathComponent("dump.count.txt"), encoding: .utf8)
            report.record(
                "count",
                Int(count.trimmingCharacters(in: .whitespacesAndNewlines))
                    == lines.count ? nil : "\(lines.count) samples instead of \(count)")
            let lines = lines.sorted { isOrderedBytewise($0, $1) }
            for (number, line) in expected.split(separator: "\n").enumerated() {
                let found = number < lines.count ? lines[number] : "nothing"
                report.record(
                    "line \(number + 1)", found == line ? nil : "\(found) instead of \(line)")
            }
        }

        /// The samples of the source committed to a new database, whose head becomes blocks
        /// meanwhile.
        private func loading(_ directory: URL, _ report: FileReport) throws -> FileReport {
            var report = report
            let source = directory.appendingPathComponent("source.om.txt")
            guard let text = try? String(contentsOf: source, encoding: .utf8) else { return report }
            let scratch = FileManager.default.temporaryDirectory
                .appendingPathComponent("narthex-\(UUID().uuidString)")
            defer { try? FileManager.default.removeItem(at: scratch) }
            var options = DatabaseOptions()
            options.settings.retention.time = 0
            let database = try Database.open(scratch.path, options, DatabaseEnvironment())
            let samples = text.split(separator: "\n").filter { !$0.hasPrefix("#") }.map(sample)
            for (number, sample) in samples.sorted(by: { $0.timestamp < $1.timestamp }).enumerated()
            {
                var batch = SampleBatch(sharedTimestamp: sample.timestamp)
                batch.append(try database.resolve([sample.labels])[0], sample.value)
                let outcome = try database.commit(batch, .skipFaulty)
                for fault in outcome.faults { report.record("\(sample)", "\(fault)") }
                if number % 500 == 0 { try database.maintain() }
            }
            let always = TimeRange(start: .earliest, end: .latest)
            let set = try database.querier(over: always).select(
                [], hints: SelectHints(range: always))
            var lines: [String] = []
            for index in 0..<set.count {
                var columns = SampleColumns()
                try set.read(index, always, into: &columns)
                let labels = set.labels(at: index).description
                for (timestamp, value) in zip(columns.timestamps, columns.values) {
                    lines.append("\(labels) \(formatFloat(value, style: .general)) \(timestamp)")
                }
            }
            try database.close()
            let dump = directory.appendingPathComponent("dump.sorted.txt")
            try compare(lines, String(contentsOf: dump, encoding: .utf8), directory, &report)
            return report
        }

        /// A line of the source: `name{label="value",…} value seconds`.
        private func sample(_ line: Substring) -> (
            labels: Labels, value: Double, timestamp: Timestamp
        ) {
            let open = line.firstIndex(of: "{")!
            let close = line.lastIndex(of: "}")!
            var builder = LabelsBuilder()
            builder.set("__name__", String(line[..<open]))
            var rest = line[line.index(after: open)..<close]
            while let equals = rest.firstIndex(of: "=") {
                let name = String(rest[..<equals])
                rest = rest[rest.index(equals, offsetBy: 2)...]
                var value = ""
                while let character = rest.popFirst(), character != "\"" {
                    if character != "\\" {
                        value.append(character)
                    } else {
                        let escaped = rest.removeFirst()
                        value.append(escaped == "n" ? "\n" : escaped)
                    }
                }
                builder.set(name, value)
                if rest.first == "," { rest.removeFirst() }
            }
            let fields = line[line.index(after: close)...].split(separator: " ")
            return (
                builder.labels(), Double(fields[0])!,
                Timestamp((Double(fields[1])! * 1000).rounded())
            )
        }
    }

#endif
