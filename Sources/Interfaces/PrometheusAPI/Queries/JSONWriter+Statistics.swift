// SPDX-License-Identifier: Apache-2.0

internal import JSON
internal import Model
internal import PromQL

/// The statistics of a query, as its answer and the query log show them.
extension JSONWriter {
    mutating func statistics(_ statistics: QueryStatistics) {
        object { json in
            json.key("timings")
            json.timings(statistics.timings)
            json.key("samples")
            json.object { json in
                let steps = statistics.steps
                json.counts(
                    "totalQueryableSamplesPerStep", statistics.totalSamplesPerStep, steps)
                json.member("totalQueryableSamples", Int64(statistics.totalSamples))
                json.counts("samplesReadPerStep", statistics.samplesReadPerStep, steps)
                json.member("samplesRead", Int64(statistics.samplesRead))
                json.member("peakSamples", Int64(statistics.peakSamples))
            }
        }
    }

    private mutating func timings(_ timings: QueryTimings) {
        let all = [
            ("evalTotalTime", timings.evaluation), ("resultSortTime", timings.sorting),
            ("queryPreparationTime", timings.preparation),
            ("innerEvalTime", timings.innerEvaluation), ("execQueueTime", timings.queue),
            ("execTotalTime", timings.execution),
        ]
        object { json in
            for (name, seconds) in all {
                json.key(name)
                json.number(seconds)
            }
        }
    }

    /// A number for each step, with its time; left out where they were not asked for.
    private mutating func counts(
        _ name: String, _ counts: [Int]?, _ steps: (start: Timestamp, interval: Milliseconds)
    ) {
        guard let counts, !counts.isEmpty else { return }
        key(name)
        beginArray()
        for (step, count) in counts.enumerated() {
            beginArray()
            number(Double(steps.start + Int64(step) * steps.interval) / 1000)
            integer(Int64(count))
            endArray()
        }
        endArray()
    }
}
