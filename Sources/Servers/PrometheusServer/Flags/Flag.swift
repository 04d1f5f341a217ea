// SPDX-License-Identifier: Apache-2.0

internal import LinearRegex
internal import Model
internal import Settings

/// A command line flag: one entry feeds parsing, help and `status/flags`.
struct Flag: Sendable {
    enum Kind: Sendable {
        case text, duration, goDuration, bytes, integer, number, toggle
        /// A size, or a share of the memory.
        case memory
        /// Repeatable text.
        case list
        case choice([String])
    }

    enum Mode: Sendable { case any, server, agent }

    enum Standing: Sendable {
        /// Does what upstream's flag does, or needs nothing done here (tuning of Go's runtime).
        case working
        /// Belongs to something that is not built yet: refused where it is given another value than
        /// its default.
        case absent
        /// Tunes something that works without it: accepted, with a warning where it is given.
        case ineffective
    }

    var name: String
    var kind: Kind
    var defaults: [String]
    var help: String
    var mode: Mode
    var standing = Standing.working
    var isHidden = false
    var placeholder: String?

    /// What is wrong with a value, in upstream's words; nil where it is fine.
    func problem(with value: String) -> String? {
        switch kind {
        case .text, .list, .toggle: return nil
        case .duration:
            return DurationText.parse(value) == nil ? durationProblem(value) : nil
        case .goDuration:
            return GoDuration.milliseconds(value) == nil
                ? "time: invalid duration \(quoted(value))" : nil
        case .bytes:
            if case .failure(let error) = ByteSize.parse(value) { return error.description }
            return nil
        case .memory:
            return MemoryAmount.bytes(value, of: 0) == nil
                ? "\(quoted(value)) is neither a size nor a share of the memory in percent" : nil
        case .integer, .number:
            // Whole numbers may be written as floats too: 1e6.
            return Double(value) == nil
                ? "strconv.ParseFloat: parsing \(quoted(value)): invalid syntax" : nil
        case .choice(let choices):
            if choices.contains(value) { return nil }
            switch name {
            case "log.level": return "unrecognized log level \(value)"
            case "log.format": return "unrecognized log format \(value)"
            default:
                return "enum value must be one of \(choices.joined(separator: ",")), got '\(value)'"
            }
        }
    }

    /// The value as `status/flags` shows it.
    func canonical(_ value: String) -> String {
        switch kind {
        case .duration: return DurationText.parse(value).map(DurationText.format) ?? value
        case .bytes: return (try? ByteSize.parse(value).get()).map(ByteSize.format) ?? value
        case .integer: return Double(value).flatMap { Int(exactly: $0) }.map(String.init) ?? value
        case .text, .goDuration, .memory, .number, .toggle, .list, .choice: return value
        }
    }
}

/// Durations as Go's own flags take them: one number with one unit is all that is used here.
enum GoDuration {
    static func milliseconds(_ text: String) -> Double? {
        let units: [(String, Double)] = [
            ("ms", 1), ("us", 0.001), ("ns", 0.000_001), ("s", 1000), ("m", 60_000),
            ("h", 3_600_000),
        ]
        if text == "0" { return 0 }
        guard let (unit, size) = units.first(where: { text.hasSuffix($0.0) }) else { return nil }
        return Double(text.dropLast(unit.count)).map { $0 * size }
    }
}
