// SPDX-License-Identifier: Apache-2.0
//
// Asks PromQL of series in memory, and of a storage of one's own.
//
//     NARTHEX_ONLY=NarthexPromQL swift run --package-path Examples/EmbeddedEngine

import NarthexPromQL

let minute: Int64 = 60_000

// Series in memory: two counters that grow by 6 and 12 a minute.
let store = SeriesStore()
for (instance, growth) in [("a", 6.0), ("b", 12.0)] {
    var samples = SampleHistory()
    for index in 0...10 {
        samples.append(Double(index) * growth, at: Int64(index) * minute)
    }
    try store.append(samples, to: ["__name__": "requests_total", "instance": "\(instance)"])
}

let engine = QueryEngine()
let total = try engine.instant(
    "sum(rate(requests_total[5m]))", at: 10 * minute, in: store)
if case .vector(let elements) = total.value {
    for element in elements { print("sum:", element.labels, element.value) }
}

// A storage of one's own: thermometers whose readings are worked out when they are asked for.
struct Thermometers: SeriesSource {
    let rooms = ["kitchen", "cellar", "attic"]

    func series(
        matching matchers: [LabelMatcher], from start: Int64, through end: Int64
    ) throws -> any SelectedSeries {
        let all = rooms.map { LabelSet([("__name__", "temperature"), ("room", $0)]) }
        return Readings(
            sets: all.filter { labels in matchers.allSatisfy { $0.isFulfilled(by: labels) } })
    }
}

struct Readings: SelectedSeries {
    let sets: [LabelSet]

    var count: Int { sets.count }
    func labels(at index: Int) -> LabelSet { sets[index] }

    func samples(at index: Int, from start: Int64, through end: Int64) throws -> SampleHistory {
        let warmth = Double(sets[index]["room"]?.count ?? 0)
        var samples = SampleHistory()
        for time in stride(from: max(0, start / minute * minute), through: end, by: Int(minute))
        where time >= start {
            samples.append(10 + warmth + Double(time / minute % 5), at: time)
        }
        return samples
    }
}

let warmest = try engine.range(
    "max by (room) (max_over_time(temperature{room=~\".*e.*\"}[3m]))", from: 0,
    through: 4 * minute, step: minute, in: Thermometers())
if case .matrix(let series) = warmest.value {
    for one in series { print("warmest:", one.labels, one.samples.values) }
}

// What is wrong with a query is told with its place.
do {
    _ = try Query("sum(rate(requests_total))")
} catch {
    print("mistake:", error)
}
print("tidy:", try Query("sum by(job)(rate(x[5m]))").description)
