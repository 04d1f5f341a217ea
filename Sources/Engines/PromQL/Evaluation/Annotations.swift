// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// The warnings and infos of a query, each once. Two are the same where their texts without
/// position are the same; the later one gives the position, as upstream.
final class Annotations {
    private var order: [String] = []
    private var found: [String: Annotation] = [:]

    func add(_ annotation: Annotation) {
        let key = annotation.text
        guard let before = found[key] else {
            order.append(key)
            found[key] = annotation
            return
        }
        found[key] = annotation.merged(with: before)
    }

    /// The texts as the API shows them.
    func texts(_ level: Annotation.Level, in query: String) -> [String] {
        order.compactMap { key in
            guard let annotation = found[key], annotation.level == level else { return nil }
            return annotation.fullText(in: query)
        }
    }
}

/// Something that a user should know about how a result came about.
struct Annotation {
    enum Level { case warning, info }

    /// What is known beyond the text, summed up over all occurrences.
    enum Detail {
        case none
        case forcedMonotonicity(ForcedMonotonicity)
        case occurrences(Int)
    }

    let level: Level
    /// Without prefix and position.
    let message: String
    let source: SourceRange
    var detail = Detail.none

    var text: String { (level == .warning ? "PromQL warning: " : "PromQL info: ") + message }

    func fullText(in query: String) -> String {
        let position = source.position(in: query)
        switch detail {
        case .none: return "\(text) (\(position))"
        case .forcedMonotonicity(let forced): return "\(text), \(forced.text) (\(position))"
        case .occurrences(let count):
            return count > 1
                ? "\(text) (\(count) occurrences) (\(position))" : "\(text) (\(position))"
        }
    }

    func merged(with before: Annotation) -> Annotation {
        switch (detail, before.detail) {
        case (.forcedMonotonicity(let new), .forcedMonotonicity(let old)):
            var merged = before
            merged.detail = .forcedMonotonicity(old.merged(with: new))
            return merged
        case (.occurrences(let new), .occurrences(let old)):
            var merged = before
            merged.detail = .occurrences(old + new)
            return merged
        default: return self
        }
    }
}

/// Where and how far the buckets of classic histograms had to be lifted to ascend.
struct ForcedMonotonicity {
    var firstTime: Timestamp
    var lastTime: Timestamp
    var lowestBound: Double
    var highestBound: Double
    var largestDifference: Double
    var count = 1

    func merged(with other: ForcedMonotonicity) -> ForcedMonotonicity {
        ForcedMonotonicity(
            firstTime: min(firstTime, other.firstTime), lastTime: max(lastTime, other.lastTime),
            lowestBound: min(lowestBound, other.lowestBound),
            highestBound: max(highestBound, other.highestBound),
            largestDifference: max(largestDifference, other.largestDifference),
            count: count + other.count)
    }

    var text: String {
        let bounds = "from buckets \(goText(lowestBound)) to \(goText(highestBound))"
        let times = "from \(CivilTime(firstTime).rfc3339) to \(CivilTime(lastTime).rfc3339)"
        let difference = goText(largestDifference, digits: 2)
        return "\(bounds), with a max diff of \(difference), over \(count) samples \(times)"
    }
}

extension SourceRange {
    /// `line:column` of the start, both from 1, columns in bytes.
    func position(in query: String) -> String {
        let bytes = query.utf8
        guard start >= 0, start <= bytes.count else { return "invalid position" }
        var line = 1
        var column = 1
        for byte in bytes.prefix(start) {
            column += 1
            if byte == UInt8(ascii: "\n") {
                line += 1
                column = 1
            }
        }
        return "\(line):\(column)"
    }
}
