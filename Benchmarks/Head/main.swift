// SPDX-License-Identifier: Apache-2.0
//
// What the head costs: time per sample of a commit, memory per series, selections, and a restart.
//
//     HeadBenchmark <folder> <series> <rounds> [snappy|none|zstd]

import Foundation
import Instrumentation
import Model
import Platform
import Storage
import TSDB

let arguments = CommandLine.arguments
guard arguments.count >= 4, let seriesCount = Int(arguments[2]), let rounds = Int(arguments[3])
else {
    print("usage: HeadBenchmark <folder> <series> <rounds> [snappy|none|zstd]")
    exit(2)
}
let folder = arguments[1]
var options = HeadOptions()
options.compression =
    arguments.count > 4 && arguments[4] == "none"
    ? .none : arguments.count > 4 && arguments[4] == "zstd" ? .zstd : .snappy

/// Resident memory that is not of files, in bytes.
func residentBytes() -> Int {
    let text = (try? String(contentsOfFile: "/proc/self/status", encoding: .utf8)) ?? ""
    let line = text.split(separator: "\n").first { $0.hasPrefix("RssAnon") } ?? ""
    return (Int(line.filter(\.isNumber)) ?? 0) * 1024
}

/// Processor time of this process in seconds.
func processorSeconds() -> Double {
    var usage = rusage()
    getrusage(__rusage_who_t(0), &usage)
    let time = { (value: timeval) in Double(value.tv_sec) + Double(value.tv_usec) / 1e6 }
    return time(usage.ru_utime) + time(usage.ru_stime)
}

func measured(_ name: String, _ body: () throws -> Int) rethrows {
    let began = monotonicNanoseconds()
    let processor = processorSeconds()
    let count = try body()
    let elapsed = Double(monotonicNanoseconds() - began) / 1e9
    let used = processorSeconds() - processor
    let perItem = count > 0 ? used * 1e9 / Double(count) : 0
    print(
        name,
        String(
            format: "%.3f s, cpu %.3f s, %d items, %.1f ns cpu each", elapsed, used, count, perItem)
    )
}

/// One exporter's thousand series: families with a few labels each.
func labels(target: Int, row: Int) -> Labels {
    var builder = LabelsBuilder()
    builder.set("__name__", "node_family_\(row / 3)_total")
    builder.set("instance", String(format: "host-%06d:9100", target))
    builder.set("job", "bench")
    if row % 3 != 0 {
        builder.set("cpu", "\(row % 16)")
        builder.set("mode", ["idle", "user", "system", "iowait"][row % 4])
    }
    return builder.labels()
}

let perTarget = 1000
let targets = seriesCount / perTarget
let before = residentBytes()
let head = try Head.open(folder, options, minValidTime: .min, LocalFileSystem(), Registry())
var refs: [[SeriesRef]] = []
try measured("resolve") {
    for target in 0..<targets {
        refs.append(try head.resolve((0..<perTarget).map { labels(target: target, row: $0) }))
    }
    return seriesCount
}
print("after resolve:", (residentBytes() - before) / seriesCount, "bytes a series")
var batches = refs.map { refs in
    var batch = SampleBatch(sharedTimestamp: 0)
    for (row, ref) in refs.enumerated() { batch.append(ref, Double(row)) }
    return batch
}
refs = []
let batchBytes = seriesCount * 16
var committing = 0.0
let base: Int64 = 1_700_000_000_000
@MainActor func run(_ range: Range<Int>) throws -> Int {
    var batches = batches
    for round in range {
        for target in 0..<targets {
            // 47 % never change, 40 % of the others at each step.
            for row in 0..<perTarget where row % 2 == 0 && (row &* 7 &+ round) % 5 < 2 {
                batches[target].values[row] += Double((row ^ round) & 1023)
            }
            batches[target].sharedTimestamp = base + Int64(round) * 15_000 + Int64(target)
            let before = processorSeconds()
            _ = try head.commit(batches[target], .skipFaulty)
            committing += processorSeconds() - before
        }
        if round % 60 == 59 {
            print(
                "round", round + 1, (residentBytes() - before - batchBytes) / seriesCount,
                "bytes a series")
        }
    }
    return range.count * targets * perTarget
}
try measured("commit, first 8 rounds") { try run(0..<8) }
try measured("commit, the rest") { try run(8..<rounds) }
print(
    "within commit:",
    String(format: "%.1f ns cpu a sample", committing * 1e9 / Double(rounds * targets * perTarget)))
print("memory:", (residentBytes() - before - batchBytes) / seriesCount, "bytes a series")

let range = TimeRange(start: .min, end: .max)
@MainActor func select(_ name: String, _ matchers: [Matcher]) throws {
    let querier = try head.querier(over: range)
    for attempt in 0..<2 {
        var set: (any SeriesSet)?
        try measured("select \(name), attempt \(attempt)") {
            set = try querier.select(matchers, hints: SelectHints(range: range))
            return set!.count
        }
        guard attempt == 1, let set else { continue }
        try measured("  labels") {
            var bytes = 0
            for index in 0..<set.count { bytes += set.labels(at: index).packed.count }
            return bytes > 0 ? set.count : 0
        }
        try measured("  samples") {
            var columns = SampleColumns()
            var samples = 0
            for index in 0..<set.count {
                columns.removeAll()
                try set.read(index, range, into: &columns)
                samples += columns.timestamps.count
            }
            return samples
        }
    }
}
try select("one family", [Matcher("__name__", equals: "node_family_7_total")])
try select("one target", [Matcher("instance", equals: "host-000003:9100")])
try select(
    "regex",
    [Matcher("__name__", .regexMatch, "node_family_1.*_total"), Matcher("mode", .notEqual, "idle")])
/// Many threads at once, each with selections of a target's series: what waiting for the head costs.
@Sendable func readTargets(_ first: Int) {
    for attempt in 0..<100 {
        let target = String(format: "host-%06d:9100", (first * 31 + attempt) % min(targets, 100))
        guard let querier = try? head.querier(over: range),
            let set = try? querier.select(
                [Matcher("instance", equals: target)], hints: SelectHints(range: range))
        else { return }
        var columns = SampleColumns()
        for index in 0..<set.count {
            _ = set.labels(at: index)
            columns.removeAll()
            try? set.read(index, range, into: &columns)
        }
    }
}
try measured("20 threads read series") {
    let threads = try (0..<20).map { number in
        try SystemThread("reader") { readTargets(number) }
    }
    for thread in threads { thread.join() }
    return 20 * 100 * perTarget
}
try measured("close") {
    try head.close()
    return 0
}
try measured("open again") {
    let again = try Head.open(folder, options, minValidTime: .min, LocalFileSystem(), Registry())
    print("series after restart:", again.seriesCount)
    try again.close()
    return rounds * targets * perTarget
}
// As after a loss of all head chunk files: everything comes from the log.
try LocalFileSystem().remove("\(folder)/chunks_head")
try measured("open again without head chunks") {
    let again = try Head.open(folder, options, minValidTime: .min, LocalFileSystem(), Registry())
    print("series after restart:", again.seriesCount)
    try again.close()
    return rounds * targets * perTarget
}
