// SPDX-License-Identifier: Apache-2.0

import Model
import Storage
import Testing

/// Holds the groups of a selection, where it can give them, against the labels of its series.
func checkGroups(_ set: any SeriesSet) throws {
    let cuts: [LabelCut] = [
        .by([]), .by(["n"]), .by(["instance", "none"]), .without([]),
        .without(["__name__", "n", "instance"]),
    ]
    for cut in cuts {
        guard let groups = set.groups(cut) else { continue }
        try #require(groups.groupOf.count == set.count)
        var known: [Labels] = []
        for index in 0..<set.count {
            let labels = set.labels(at: index)
            let left = Labels(labels.filter { cut.names.contains($0.name) == cut.keepsNamed })
            if !known.contains(left) { known.append(left) }
            let group = Int(groups.groupOf[index])
            try #require(group < known.count && known[group] == left)
            var packed: [UInt8] = []
            set.appendLabels(at: index, to: &packed)
            try #require(packed == labels.packed && set.hasLabels(packed, at: index))
            try #require(!set.hasLabels(packed + [0, 0], at: index))
        }
        #expect(groups.labels == known)
    }
}

/// Holds what is known of a series without decoding against its samples. Returns whether anything
/// is.
@discardableResult
func checkSteadyRun(_ set: any SeriesSet, _ index: Int, _ columns: SampleColumns) throws -> Bool {
    guard let run = set.steadyRun(index) else { return false }
    try #require(run.start <= run.end)
    let times = columns.timestamps
    try #require(times.last == run.end)
    try #require(columns.histogramTimestamps.allSatisfy { $0 < run.start })
    let first = try #require(times.lastIndex { $0 <= run.start })
    for place in first..<times.count {
        #expect(!StaleMarker.isStale(columns.values[place]))
        if place > first { #expect(times[place] - times[place - 1] <= steadyGap) }
    }
    // The time between the sample before the run and its beginning.
    #expect(run.start - times[first] < steadyGap)
    return true
}
