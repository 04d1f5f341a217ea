// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import Synchronization

/// The `Date` header, made once a second: `Tue, 24 Nov 2026 17:18:41 GMT`.
enum DateText {
    private static let cached = Mutex((second: Int64.min, text: ""))

    static func now() -> String {
        let second = currentMilliseconds() / 1000
        return cached.withLock { cached in
            if cached.second != second { cached = (second, text(second)) }
            return cached.text
        }
    }

    /// Seconds since the epoch in the form of RFC 9110.
    static func text(_ second: Int64) -> String {
        let days = second / 86400
        let clock = second % 86400
        let weekday = ["Thu", "Fri", "Sat", "Sun", "Mon", "Tue", "Wed"][Int(days % 7)]
        let months = [
            "Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec",
        ]
        // Days since 1 March of year 0, in eras of 400 years (H. Hinnant, "chrono-compatible
        // low-level date algorithms").
        let shifted = days + 719_468
        let dayOfEra = shifted % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let month = (5 * dayOfYear + 2) / 153
        let day = dayOfYear - (153 * month + 2) / 5 + 1
        let year = yearOfEra + shifted / 146_097 * 400 + (month >= 10 ? 1 : 0)
        let time = [clock / 3600, clock / 60 % 60, clock % 60].map(twoDigits)
        return "\(weekday), \(twoDigits(day)) \(months[Int((month + 2) % 12)]) \(year) "
            + time.joined(separator: ":") + " GMT"
    }

    private static func twoDigits(_ value: Int64) -> String {
        value < 10 ? "0\(value)" : String(value)
    }
}
