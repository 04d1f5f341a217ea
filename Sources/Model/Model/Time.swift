// SPDX-License-Identifier: Apache-2.0

/// Milliseconds since the Unix epoch. Plain 64-bit integers, since timestamps live in columns that
/// are computed on directly; names of variables say what they are.
public typealias Timestamp = Int64
/// A length of time in milliseconds.
package typealias Milliseconds = Int64

extension Timestamp {
    /// The earliest and latest times that the API and the storage accept.
    package static let earliest = Timestamp.min
    package static let latest = Timestamp.max
}

/// A half-open or closed pair of times; which of the two is said where it is used.
package struct TimeRange: Sendable, Hashable {
    package var start: Timestamp
    package var end: Timestamp

    package init(start: Timestamp, end: Timestamp) {
        self.start = start
        self.end = end
    }
}

/// Durations in Prometheus' own notation: `1d2h30m`, units y w d h m s ms in that order, no
/// fractions.
package enum DurationText {
    private static let units: [(name: String, milliseconds: Int64)] = [
        ("y", 365 * 86_400_000), ("w", 7 * 86_400_000), ("d", 86_400_000), ("h", 3_600_000),
        ("m", 60_000), ("s", 1000), ("ms", 1),
    ]

    /// The duration, or nil where the text is none or does not fit. `0` is a duration without unit.
    package static func parse(_ text: String) -> Milliseconds? {
        if text == "0" { return 0 }
        var rest = Substring(text).utf8
        guard !rest.isEmpty else { return nil }
        var total: Int64 = 0
        var next = 0
        while !rest.isEmpty {
            let digits = rest.prefix { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            rest = rest.dropFirst(digits.count)
            let letters = rest.prefix { !(UInt8(ascii: "0")...UInt8(ascii: "9")).contains($0) }
            rest = rest.dropFirst(letters.count)
            let name = String(Substring(letters))
            guard !digits.isEmpty, let amount = Int64(Substring(digits)),
                let unit = units[next...].firstIndex(where: { $0.name == name })
            else { return nil }
            let (scaled, tooLong) = amount.multipliedReportingOverflow(by: units[unit].milliseconds)
            let (sum, overflow) = total.addingReportingOverflow(scaled)
            if tooLong || overflow || sum > Int64.max / 1_000_000 { return nil }
            total = sum
            next = unit + 1
        }
        return total
    }

    /// The notation of a duration, as upstream prints it: whole years and weeks only where exact.
    package static func format(_ duration: Milliseconds) -> String {
        if duration == 0 { return "0s" }
        var rest = duration.magnitude
        var text = duration < 0 ? "-" : ""
        for (name, size) in units {
            let size = UInt64(size)
            let exactOnly = name == "y" || name == "w"
            if exactOnly, rest % size != 0 { continue }
            let amount = rest / size
            if amount > 0 {
                text += "\(amount)\(name)"
                rest -= amount * size
            }
        }
        return text
    }
}
