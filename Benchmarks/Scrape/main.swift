// SPDX-License-Identifier: Apache-2.0
//
// What a scrape costs from its body on, without the network: processor time per sample and memory per
// series, into nothing and into a database.
//
//     ScrapeBenchmark <targets> <rounds> [folder of bodies] [folder of a database]
//
// Bodies are files with text expositions, taken in turn; without them a plain one of 1000 series is made
// up, of which a third changes each time.

import Discovery
import Foundation
import Instrumentation
import Model
import Platform
import ScrapeClient
import Scraping
import Storage
import Synchronization
import TSDB
import YAML

/// Takes every sample and keeps none.
final class Nothing: Appendable {
    private let next = Atomic<UInt32>(0)

    func resolve(_ labels: [Labels]) throws(StorageError) -> [SeriesRef] {
        labels.map { _ in
            SeriesRef(slot: next.add(1, ordering: .relaxed).newValue, generation: 0)
        }
    }

    func commit(
        _ batch: borrowing SampleBatch, _ policy: FaultPolicy
    ) throws(StorageError) -> CommitOutcome {
        var outcome = CommitOutcome()
        outcome.stored = batch.count
        return outcome
    }
}

/// Never scrapes by itself.
final class Standstill: ScrapeScheduler {
    private let count = Atomic<UInt64>(0)

    func add(
        _ request: ScrapeRequest, every interval: Milliseconds, phase: Milliseconds,
        _ responder: any ScrapeResponder
    ) -> ScrapeTargetHandle {
        ScrapeTargetHandle(id: count.add(1, ordering: .relaxed).newValue)
    }

    func remove(_ handle: ScrapeTargetHandle, completion: @escaping @Sendable () -> Void) {
        completion()
    }
}

/// Resident memory that is not of files, in bytes.
func residentBytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("RssAnon") } ?? ""
    return (Int(line.filter(\.isNumber)) ?? 0) * 1024
}

func processorNanoseconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(0), &usage)
    let time = { (value: timeval) in Double(value.tv_sec) * 1e9 + Double(value.tv_usec) * 1e3 }
    return time(usage.ru_utime) + time(usage.ru_stime)
}

func madeUpBodies() -> [[UInt8]] {
    (0..<6).map { round in
        var text = ""
        for row in 0..<1000 {
            if row % 5 == 0 { text += "# HELP family_\(row / 5) Some help.\n" }
            if row % 5 == 0 { text += "# TYPE family_\(row / 5) gauge\n" }
            let value = row % 3 == 0 ? Double(row) * 0.37 + Double(round) * 1.25 : Double(row)
            text += "family_\(row / 5){device=\"disk\(row % 5)\",mode=\"read\"} \(value)\n"
        }
        return Array(text.utf8)
    }
}

let arguments = CommandLine.arguments
guard arguments.count >= 3, let targetCount = Int(arguments[1]), let rounds = Int(arguments[2])
else {
    print("usage: ScrapeBenchmark <targets> <rounds> [folder of bodies] [folder of a database]")
    exit(2)
}
var bodies = madeUpBodies()
if arguments.count > 3, !arguments[3].isEmpty {
    let names = try FileManager.default.contentsOfDirectory(atPath: arguments[3]).sorted()
    bodies = try names.map {
        Array(try Data(contentsOf: URL(fileURLWithPath: "\(arguments[3])/\($0)")))
    }
}
let storage: any Appendable
if arguments.count > 4 {
    let environment = DatabaseEnvironment(
        fileSystem: LocalFileSystem(), registry: Registry(), log: .silent,
        now: { currentMilliseconds() })
    storage = try Database.open(arguments[4], DatabaseOptions(), environment)
} else {
    storage = Nothing()
}
let before = residentBytes()
let manager = try ScrapeManager(
    ScrapeSurroundings(
        storage: storage, fileSystem: LocalFileSystem(), log: .silent, registry: Registry()),
    scheduler: Standstill(), externalLabels: .empty)
let job = try YAMLNode(parsing: "job_name: bench\nscrape_interval: 5s\n")!
manager.apply([try ScrapeConfiguration(job, ScrapeDefaults(), in: "/")])
let addresses = (0..<targetCount).map { Labels(["__address__": "host-\($0):9100"]) }
manager.update(["bench": [TargetGroup(source: "0", targets: addresses, labels: .empty)]])
let targets = manager.pools[0].targets
let start = currentMilliseconds() - Int64(rounds) * 5000
for round in 0..<rounds {
    let began = processorNanoseconds()
    for (number, target) in targets.enumerated() {
        let time = start + Int64(round) * 5000
        let body = bodies[(round + number) % bodies.count]
        target.receive(
            body.span.bytes, failure: nil,
            contentType: "text/plain; version=0.0.4",
            ScrapeTiming(scheduled: time, started: time, nanoseconds: 0))
    }
    let used = processorNanoseconds() - began
    let samples = Double(targetCount) * 1000
    if round < 2 || round == rounds - 1 {
        let bytes = (residentBytes() - before) / (targetCount * 1000)
        print(
            "round \(round):", String(format: "%.1f", used / samples), "ns cpu a sample,", bytes,
            "bytes a series, \(manager.layoutUsage.layouts) layouts of",
            manager.layoutUsage.bytes, "bytes")
    }
}
