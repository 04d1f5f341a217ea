// SPDX-License-Identifier: Apache-2.0

import Foundation

/// What one file of the corpus came to.
struct FileReport {
    /// The area and the file, as printed: `promql_parser/expressions.json`.
    var name: String
    var total = 0
    var passed = 0
    var failures: [(name: String, reason: String)] = []

    init(name: String) { self.name = name }

    /// Counts one case; `reason` is nil where it passed.
    mutating func record(_ name: String, _ reason: String?) {
        total += 1
        if let reason { failures.append((name, reason)) } else { passed += 1 }
    }
}

/// A part of the corpus with a runner of its own.
protocol Area {
    var name: String { get }
    func run(_ folder: URL) throws -> [FileReport]
}

/// The list of areas, each behind the module it needs.
func allAreas() -> [any Area] {
    var areas: [any Area] = []
    #if canImport(Discovery)
        areas.append(FileDiscoveryArea())
    #endif
    #if canImport(Exposition)
        areas.append(ExpositionArea())
        areas.append(OpenMetricsArea())
    #endif
    #if canImport(Model)
        areas.append(LabelsArea())
    #endif
    #if canImport(PrometheusAPI)
        areas.append(HTTPAPIArea())
        areas.append(RemoteWriteArea())
        areas.append(TSDBFolderArea())
    #endif
    #if canImport(PrometheusServer)
        areas.append(PrometheusConfigurationArea())
    #endif
    #if canImport(Relabeling)
        areas.append(RelabelArea())
    #endif
    #if canImport(PromQLSyntax)
        areas.append(PromQLParserArea())
    #endif
    #if canImport(TSDB)
        areas.append(TSDBArea())
        areas.append(HistogramChunksArea())
    #endif
    #if canImport(PromQLScripts)
        areas.append(PromQLScriptArea())
        areas.append(PromQLScriptRunnerArea())
        areas.append(PromQLEngineArea())
    #endif
    return areas
}

func readJSON(_ file: URL) throws -> Any {
    try JSONSerialization.jsonObject(with: Data(contentsOf: file), options: [.fragmentsAllowed])
}

func run(_ areas: [any Area], _ arguments: [String]) -> Int32 {
    func option(_ name: String) -> String? {
        arguments.firstIndex(of: name).flatMap {
            $0 + 1 < arguments.count ? arguments[$0 + 1] : nil
        }
    }
    guard let folder = ProcessInfo.processInfo.environment["CONFORMANCE_DIR"] else {
        print("CONFORMANCE_DIR must name the folder of the corpus")
        return 2
    }
    var reports: [FileReport] = []
    for area in areas where option("--only").map({ $0 == area.name }) ?? true {
        do {
            reports += try area.run(URL(fileURLWithPath: folder))
        } catch {
            print("\(area.name): \(error)")
            return 2
        }
    }
    for report in reports {
        print("\(report.name) \(report.passed)/\(report.total)")
        guard arguments.contains("--failures") else { continue }
        for failure in report.failures { print("  \(failure.name): \(failure.reason)") }
    }
    let passed = reports.reduce(0) { $0 + $1.passed }
    let total = reports.reduce(0) { $0 + $1.total }
    print("\(passed) passed, \(total - passed) failed")
    do {
        if let file = option("--write-ratchet") { try writeRatchet(reports, file) }
        if let file = option("--ratchet") { return try checkRatchet(reports, file) }
    } catch {
        print("ratchet: \(error)")
        return 2
    }
    return 0
}

private func writeRatchet(_ reports: [FileReport], _ file: String) throws {
    let lines = reports.map { "\($0.name) \($0.passed)/\($0.total)" }
    try (lines.joined(separator: "\n") + "\n").write(
        toFile: file, atomically: true, encoding: .utf8)
}

/// A line of the ratchet: `NAME PASSED/TOTAL`.
private struct RatchetEntry {
    struct Malformed: Error, CustomStringConvertible {
        var description: String
    }

    var name: String
    var passed: Int
    var total: Int

    init(_ line: Substring) throws {
        let space = line.lastIndex(of: " ") ?? line.startIndex
        let numbers = line[space...].dropFirst().split(separator: "/").map { Int($0) }
        guard numbers.count == 2, let passed = numbers[0], let total = numbers[1] else {
            throw Malformed(description: "not NAME PASSED/TOTAL: \(line)")
        }
        name = String(line[..<space])
        self.passed = passed
        self.total = total
    }
}

/// 1 where a file of the ratchet passes less than it did, else 0. A corpus of another size than the
/// one that the ratchet was taken from is not compared.
private func checkRatchet(_ reports: [FileReport], _ file: String) throws -> Int32 {
    let before = try String(contentsOfFile: file, encoding: .utf8).split(separator: "\n")
        .map(RatchetEntry.init)
    var status: Int32 = 0
    for entry in before {
        let now = reports.first { $0.name == entry.name }
        guard let now, now.total == entry.total else {
            if now == nil {
                print("ratchet: \(entry.name) was not run")
                status = 1
            }
            continue
        }
        if now.passed < entry.passed {
            print("ratchet: \(entry.name) passes \(now.passed), must pass \(entry.passed)")
            status = 1
        }
    }
    return status
}
