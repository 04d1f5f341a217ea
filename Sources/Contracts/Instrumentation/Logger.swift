// SPDX-License-Identifier: Apache-2.0

package import Model
internal import Platform

package enum LogLevel: String, Sendable, Hashable, Comparable, CaseIterable {
    case debug, info, warn, error

    private var rank: Int { LogLevel.allCases.firstIndex(of: self)! }
    package static func < (left: LogLevel, right: LogLevel) -> Bool { left.rank < right.rank }
}

package enum LogFormat: String, Sendable, Hashable, CaseIterable {
    case logfmt, json
}

/// Writes lines about what happens, with named fields, as upstream does:
/// `time=… level=INFO source=Head.swift:12 msg="WAL replayed" duration=1.2s`. A value that any
/// thread may use; a line is handed to `write` whole. Secrets do not belong into fields.
package struct Logger: Sendable {
    private let level: LogLevel
    private let format: LogFormat
    private let now: @Sendable () -> Timestamp
    private let write: @Sendable (String) -> Void
    private var context: [(String, String)] = []

    package init(
        level: LogLevel, format: LogFormat,
        now: @escaping @Sendable () -> Int64 = currentMilliseconds,
        write: @escaping @Sendable (String) -> Void
    ) {
        self.level = level
        self.format = format
        self.now = now
        self.write = write
    }

    /// Writes nothing.
    package static let silent = Logger(level: .error, format: .logfmt) { _ in }

    /// A logger that adds fields to every line.
    package func with(_ fields: KeyValuePairs<String, String>) -> Logger {
        var copy = self
        copy.context += fields.map { ($0.key, $0.value) }
        return copy
    }

    package func debug(
        _ message: String, _ fields: KeyValuePairs<String, String> = [:],
        file: String = #fileID, line: Int = #line
    ) { log(.debug, message, fields, file, line) }

    package func info(
        _ message: String, _ fields: KeyValuePairs<String, String> = [:],
        file: String = #fileID, line: Int = #line
    ) { log(.info, message, fields, file, line) }

    package func warn(
        _ message: String, _ fields: KeyValuePairs<String, String> = [:],
        file: String = #fileID, line: Int = #line
    ) { log(.warn, message, fields, file, line) }

    package func error(
        _ message: String, _ fields: KeyValuePairs<String, String> = [:],
        file: String = #fileID, line: Int = #line
    ) { log(.error, message, fields, file, line) }

    private func log(
        _ level: LogLevel, _ message: String, _ fields: KeyValuePairs<String, String>,
        _ file: String, _ line: Int
    ) {
        guard level >= self.level else { return }
        let source = file.split(separator: "/").last.map(String.init) ?? file
        let first = [
            ("time", utcText(now())), ("level", level.rawValue.uppercased()),
            ("source", "\(source):\(line)"), ("msg", message),
        ]
        let all = first + context + fields.map { ($0.key, $0.value) }
        switch format {
        case .logfmt:
            write(all.map { "\($0)=\(logfmtValue($1))" }.joined(separator: " ") + "\n")
        case .json:
            let members = all.map { "\(jsonText($0)):\(jsonText($1))" }
            write("{\(members.joined(separator: ","))}\n")
        }
    }
}

private func logfmtValue(_ text: String) -> String {
    let isPlain = text.unicodeScalars.allSatisfy {
        $0 > " " && $0 != "\"" && $0 != "=" && $0 != "\u{7F}"
    }
    return isPlain && !text.isEmpty ? text : quoted(text)
}

private func jsonText(_ text: String) -> String {
    var result = "\""
    for scalar in text.unicodeScalars {
        switch scalar {
        case "\"": result += "\\\""
        case "\\": result += "\\\\"
        case "\n": result += "\\n"
        case "\t": result += "\\t"
        case "\r": result += "\\r"
        case "\0"..<" ":
            let digits = String(scalar.value, radix: 16)
            result += "\\u" + String(repeating: "0", count: 4 - digits.count) + digits
        default: result.unicodeScalars.append(scalar)
        }
    }
    return result + "\""
}

/// `2026-01-31T12:00:00.000Z`. The date is computed with years that begin in March, so that the
/// leap day is the last of its year.
package func utcText(_ timestamp: Timestamp) -> String {
    func floorDivided(_ value: Int64, by divisor: Int64) -> Int64 {
        value / divisor - (value % divisor < 0 ? 1 : 0)
    }
    func digits(_ value: Int64, _ count: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, count - text.count)) + text
    }
    let day = floorDivided(timestamp, by: 86_400_000)
    let rest = timestamp - day * 86_400_000
    let shifted = day + 719_468
    let era = floorDivided(shifted, by: 146_097)
    let dayOfEra = shifted - era * 146_097
    let yearOfEra =
        (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let marchMonth = (5 * dayOfYear + 2) / 153
    let month = marchMonth < 10 ? marchMonth + 3 : marchMonth - 9
    let year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
    let dayOfMonth = dayOfYear - (153 * marchMonth + 2) / 5 + 1
    return "\(digits(year, 4))-\(digits(month, 2))-\(digits(dayOfMonth, 2))T"
        + "\(digits(rest / 3_600_000, 2)):\(digits(rest / 60_000 % 60, 2)):"
        + "\(digits(rest / 1000 % 60, 2)).\(digits(rest % 1000, 3))Z"
}
