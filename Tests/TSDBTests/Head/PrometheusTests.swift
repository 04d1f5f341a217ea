// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Storage
import TSDB
import Testing

/// The real Prometheus opens a folder that a head wrote. Runs where `PROMETHEUS_BIN` names the
/// program.
@Suite(.enabled(if: ProcessInfo.processInfo.environment["PROMETHEUS_BIN"] != nil))
struct PrometheusTests {
    private let program = ProcessInfo.processInfo.environment["PROMETHEUS_BIN"] ?? ""

    private func later(_ column: SeriesColumn, than time: Int64) -> SeriesColumn? {
        guard let first = column.times.firstIndex(where: { $0 >= time }) else { return nil }
        return SeriesColumn(
            times: Array(column.times[first...]), bits: Array(column.bits[first...]))
    }

    /// All samples of the last thirty days; nil where nobody answers yet.
    private func ask(_ address: String, _ seconds: Int64) throws -> Data? {
        let client = Process()
        client.executableURL = URL(fileURLWithPath: "/usr/bin/curl")
        client.arguments = [
            "-sf", address, "--data-urlencode", "query={__name__=~\".+\"}[30d]",
            "--data-urlencode", "time=\(seconds)",
        ]
        let output = Pipe()
        client.standardOutput = output
        try client.run()
        let data = output.fileHandleForReading.readDataToEndOfFile()
        client.waitUntilExit()
        return client.terminationStatus == 0 && !data.isEmpty ? data : nil
    }

    /// The matrix that a range selector gives at the end of the data, and the server's log.
    private func dump(
        _ folder: TemporaryFolder, port: Int, at time: Int64
    ) throws -> ([Labels: SeriesColumn], String) {
        let configuration = "\(folder.path)/prometheus.yml"
        try "global: {}\n".write(toFile: configuration, atomically: true, encoding: .utf8)
        let process = Process()
        process.executableURL = URL(fileURLWithPath: program)
        process.arguments = [
            "--config.file=\(configuration)", "--storage.tsdb.path=\(folder.path)",
            "--web.listen-address=127.0.0.1:\(port)", "--storage.tsdb.retention.time=100y",
        ]
        let log = "\(folder.path)/log.txt"
        FileManager.default.createFile(atPath: log, contents: nil)
        process.standardError = FileHandle(forWritingAtPath: log)
        process.standardOutput = FileHandle.nullDevice
        try process.run()
        defer {
            process.terminate()
            process.waitUntilExit()
        }
        var answer: Data?
        for _ in 0..<100 where answer == nil {
            answer = try ask("http://127.0.0.1:\(port)/api/v1/query", time / 1000)
            if answer == nil { usleep(100_000) }
        }
        let text = (try? String(contentsOfFile: log, encoding: .utf8)) ?? ""
        let object = try JSONSerialization.jsonObject(with: try #require(answer, "\(text)"))
        let data = try #require((object as? [String: Any])?["data"] as? [String: Any])
        var found: [Labels: SeriesColumn] = [:]
        for series in try #require(data["result"] as? [[String: Any]]) {
            let metric = try #require(series["metric"] as? [String: String])
            var column = SeriesColumn()
            for pair in try #require(series["values"] as? [[Any]]) {
                let seconds = try #require(pair[0] as? Double)
                column.times.append(Int64((seconds * 1000).rounded()))
                column.bits.append(try #require(Double(pair[1] as! String)).bitPattern)
            }
            found[Labels(metric.map { Label($0.key, $0.value) })] = column
        }
        return (found, text)
    }

    @Test(arguments: [WALCompression.none, .snappy, .zstd], [false, true])
    func readsLogCheckpointAndHeadChunks(compression: WALCompression, isKilled: Bool) throws {
        let folder = TemporaryFolder()
        var options = HeadOptions()
        options.compression = compression
        options.segmentSize = 65_536
        let head = try openHead(folder, options)
        let base =
            Int64(Date().timeIntervalSince1970 * 1000) / 7_200_000 * 7_200_000 - 6 * 3_600_000
        for step in 0..<700 {
            let time = base + Int64(step) * 30_000
            try head.add(Array((step / 100)..<(step / 100 + 60)), at: time) {
                $0 % 2 == 0 ? 1 : Double($0 * step) / 7
            }
            if step == 500 { try head.truncateWithLog(before: base + 7_200_000) }
        }
        let expected = try headContents(head)
        if !isKilled { try head.close() }
        let copy = try folder.copy()
        let port = Int.random(in: 20_000..<32_000)
        let (found, log) = try dump(copy, port: port, at: base + 700 * 30_000)
        // Samples from before the truncation may still stand in the younger part of the log.
        let visible = found.compactMapValues { later($0, than: base + 7_200_000) }
        for (labels, column) in expected where visible[labels] != column {
            Issue.record("\(labels) differs")
        }
        #expect(Set(visible.keys) == Set(expected.keys))
        for word in ["corrupt", "unknown series", "repair", "level=ERROR", "level=WARN"] {
            let lines = log.split(separator: "\n").filter { $0.contains(word) }
            #expect(lines.isEmpty)
        }
        // And back: what that server leaves behind.
        let reopened = try openHead(copy, options, minValidTime: base + 7_200_000)
        #expect(try headContents(reopened) == expected)
    }
}
