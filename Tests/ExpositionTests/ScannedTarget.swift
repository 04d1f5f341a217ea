// SPDX-License-Identifier: Apache-2.0

import Bytes
import Exposition
import Model

/// A target that is scraped again and again, as the scanner sees it.
struct ScannedTarget {
    var layout: Layout
    /// The series of each sample of the layout.
    var series: [Labels] = []
    var result = ScanResult()
    let pool = LayoutPool()
    let options: ExpositionOptions

    init(_ dialect: TextDialect, _ options: ExpositionOptions = .init()) {
        layout = Layout(emptyFor: dialect)
        self.options = options
    }

    /// The samples of a body in any order, or the error.
    mutating func scrape(_ body: [UInt8], honorsTimestamps: Bool = true) -> Outcome {
        var scanner = LayoutScanner(
            body.raw, layout: layout, honorsTimestamps: honorsTimestamps, options: options,
            into: result)
        var new: [(labels: Labels, sample: NewSample)] = []
        var isNewLayout = false
        var revision: LayoutRevision?
        do {
            scan: while true {
                switch try scanner.next() {
                case .newSample(let sample): new.append((scanner.labels, sample))
                case .finished: break scan
                }
            }
            isNewLayout = !scanner.isUnchanged
            if isNewLayout { revision = scanner.revision() }
        } catch {
            result = scanner.result
            return Outcome(error: error.message)
        }
        result = scanner.result
        var outcome = Outcome(total: scanner.sampleCount)
        for (ordinal, labels) in series.enumerated() where result.hasSeen(ordinal) {
            let timestamp =
                result.timestamps.isEmpty ? ScanResult.noTimestamp : result.timestamps[ordinal]
            outcome.add(labels, result.values[ordinal], timestamp)
        }
        for (labels, sample) in new {
            outcome.add(labels, sample.value, sample.timestamp ?? ScanResult.noTimestamp)
        }
        func labels(_ ordinal: Int) -> Labels {
            ordinal < 0 ? new[~ordinal].labels : series[ordinal]
        }
        for sample in result.repeats {
            outcome.add(labels(sample.ordinal), sample.value, sample.timestamp)
        }
        outcome.duplicates = result.duplicates.count
        if let revision {
            series = revision.origins.map { labels(Int($0)) }
            layout = pool.intern(revision.layout)
        }
        outcome.samples.sort()
        return outcome
    }
}

struct Outcome: Equatable {
    var samples: [String] = []
    var total = 0
    var duplicates = 0
    var error: String?

    mutating func add(_ labels: Labels, _ value: Double, _ timestamp: Timestamp) {
        samples.append("\(labels) \(value.bitPattern) \(timestamp)")
    }
}

/// What the general reader makes of bodies; a series that was in the last body keeps its labels,
/// even where the metadata before it have changed.
struct Reference {
    let dialect: TextDialect
    var options = ExpositionOptions()
    var known: [[UInt8]: Labels] = [:]

    mutating func read(_ body: [UInt8]) -> Outcome {
        var outcome = Outcome()
        var seen: [[UInt8]: Labels] = [:]
        var reader = ExpositionReader(body.raw, dialect: dialect, options: options)
        do {
            while let entry = try reader.next() {
                guard entry == .series else { continue }
                outcome.total += 1
                // Series are told apart by what is written before the number.
                let prefix = Array(body[reader.lineStart..<reader.valueRange.lowerBound])
                let first = seen[prefix]
                let labels = first ?? known[prefix] ?? reader.labels()
                seen[prefix] = labels
                if first == nil || reader.timestamp != nil {
                    outcome.add(
                        labels, reader.value, reader.timestamp ?? ScanResult.noTimestamp)
                } else {
                    outcome.duplicates += 1
                }
            }
        } catch {
            return Outcome(error: error.message)
        }
        known = seen
        outcome.samples.sort()
        return outcome
    }
}
