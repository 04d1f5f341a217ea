// SPDX-License-Identifier: Apache-2.0

import Foundation
import Model
import Storage
import TSDB
import Testing

/// A directory that goes with the object.
final class Scratch {
    let path: String

    init() {
        path =
            FileManager.default.temporaryDirectory
            .appendingPathComponent("narthex-\(UUID().uuidString)").path
        try! FileManager.default.createDirectory(
            atPath: path, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: path) }

    /// Puts what the directory holds into another one.
    func copy(to other: Scratch) throws {
        try FileManager.default.removeItem(atPath: other.path)
        try FileManager.default.copyItem(atPath: path, toPath: other.path)
    }

    /// The names in the directory, sorted.
    func names(_ inner: String = "") -> [String] {
        ((try? FileManager.default.contentsOfDirectory(atPath: path + "/" + inner)) ?? []).sorted()
    }

    /// The names that are names of blocks.
    var blockNames: [String] { names().filter { ULID($0) != nil } }
}

/// Numbers that are the same in every run.
struct SplitMix: RandomNumberGenerator {
    var state: UInt64

    mutating func next() -> UInt64 {
        state &+= 0x9E37_79B9_7F4A_7C15
        var word = state
        word = (word ^ (word >> 30)) &* 0xBF58_476D_1CE4_E5B9
        word = (word ^ (word >> 27)) &* 0x94D0_49BB_1331_11EB
        return word ^ (word >> 31)
    }

    mutating func below(_ bound: Int) -> Int { Int(next() % UInt64(bound)) }
}

let always = TimeRange(start: .earliest, end: .latest)

/// Everything a querier selects, decoded.
func contents(
    _ queryable: any Queryable, _ matchers: [Matcher] = [], _ range: TimeRange = always
) throws -> [Labels: [Sample]] {
    let querier = try queryable.querier(over: range)
    let set = try querier.select(matchers, hints: SelectHints(range: range))
    var series: [Labels: [Sample]] = [:]
    var previous: Labels?
    try checkGroups(set)
    for index in 0..<set.count {
        let labels = set.labels(at: index)
        if let previous, !(previous < labels) { throw Disorder() }
        previous = labels
        var columns = SampleColumns()
        try set.read(index, range, into: &columns)
        var newest = SampleColumns()
        try set.readNewest(index, range, into: &newest)
        #expect(newest.timestamps.last == columns.timestamps.last)
        if range == always { try checkSteadyRun(set, index, columns) }
        if columns.timestamps.isEmpty { continue }
        series[labels] = zip(columns.timestamps, columns.values).map {
            Sample(timestamp: $0, value: $1)
        }
    }
    return series
}

struct Disorder: Error {}
