// SPDX-License-Identifier: Apache-2.0

import Model
import Storage

/// Has one exemplar of one series.
struct OneExemplar: ExemplarQueryable {
    let labels = Labels(["__name__": "up", "instance": "a:1"])

    func exemplars(
        over range: TimeRange, _ matcherSets: [[Matcher]]
    ) -> [SeriesExemplars] {
        let isWanted = matcherSets.contains { $0.allSatisfy { $0.matches(labels) } }
        guard isWanted, range.start <= 1500, 1500 <= range.end else { return [] }
        let exemplar = Exemplar(labels: Labels(["id": "1"]), value: 0.5, timestamp: 1500)
        return [SeriesExemplars(labels: labels, exemplars: [exemplar])]
    }
}
