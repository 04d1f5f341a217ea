// SPDX-License-Identifier: Apache-2.0

internal import Exposition
internal import Model
internal import Storage

extension Scrape {
    /// Puts the exemplars of the body into the batch, behind its samples. One without a timestamp
    /// has that of its sample.
    mutating func addExemplars() {
        let found = scratch.result.exemplars
        if found.isEmpty { return }
        let places = places(of: Set(found.map { Int32($0.ordinal) }))
        for one in found {
            guard let index = places[Int32(one.ordinal)] else { continue }
            scratch.batch.exemplars.append(
                BatchExemplar(
                    series: .ref(scratch.batch.refs[index]), exemplar: one.exemplar,
                    defaultTimestamp: one.timestamp ?? timestamp, sample: index))
        }
    }

    /// Where the samples with these sources stand in the batch; those that are not stored are left
    /// out.
    private func places(of wanted: Set<Int32>) -> [Int32: Int] {
        var places: [Int32: Int] = [:]
        for index in 0..<scratch.batch.count {
            let source = source(of: index)
            if wanted.contains(source), places[source] == nil { places[source] = index }
        }
        return places
    }

    /// The exemplars of a sample of the batch, for the place that it gets in another one.
    func exemplars(of index: Int, as ref: SeriesRef, at place: Int) -> [BatchExemplar] {
        scratch.batch.exemplars.filter { $0.sample == index }.map { exemplar in
            var moved = exemplar
            moved.series = .ref(ref)
            moved.sample = place
            return moved
        }
    }
}
