// SPDX-License-Identifier: Apache-2.0

internal import Model

/// Points in time as texts of RFC 3339.
enum TimeText {
    /// In UTC, with as many decimals as are needed.
    static func format(_ timestamp: Timestamp) -> String {
        let second = timestamp.flooredQuotient(1000)
        let day = second.flooredQuotient(86400)
        let clock = second - day * 86400
        let (year, month, dayOfMonth) = date(day)
        var text = "\(padded(year, 4))-\(padded(month, 2))-\(padded(dayOfMonth, 2))T"
        text += "\(padded(clock / 3600, 2)):\(padded(clock / 60 % 60, 2)):\(padded(clock % 60, 2))"
        var fraction = padded(timestamp - second * 1000, 3)
        while fraction.last == "0" { fraction.removeLast() }
        return text + (fraction.isEmpty ? "" : "." + fraction) + "Z"
    }

    /// Milliseconds since the epoch; nil where the text is no time. Decimals beyond milliseconds
    /// are cut off. The hour may have a single digit, as for Go.
    static func parse(_ text: String) -> Timestamp? {
        var reader = Reader(bytes: Array(text.utf8))
        guard let year = reader.number(4), reader.take("-"), let month = reader.number(2),
            reader.take("-"), let day = reader.number(2), reader.take("T"),
            let hour = reader.number(2) ?? reader.number(1), reader.take(":"),
            let minute = reader.number(2),
            reader.take(":"), let second = reader.number(2), (1...12).contains(month),
            day >= 1, day <= daysIn(month, year), hour < 24, minute < 60, second < 60,
            let fraction = reader.fraction(), let zone = reader.zone(), reader.isAtEnd
        else { return nil }
        let clock = hour * 3600 + minute * 60 + second - zone
        return (days(year, month, day) * 86400 + clock) * 1000 + fraction
    }

    private struct Reader {
        let bytes: [UInt8]
        var at = 0

        var isAtEnd: Bool { at == bytes.count }

        mutating func take(_ character: Unicode.Scalar) -> Bool {
            guard at < bytes.count, bytes[at] == UInt8(ascii: character) else { return false }
            at += 1
            return true
        }

        private func digit(_ index: Int) -> Int64? {
            guard index < bytes.count, (48...57).contains(bytes[index]) else { return nil }
            return Int64(bytes[index]) - 48
        }

        /// A number of so many digits; takes nothing where there are fewer.
        mutating func number(_ width: Int) -> Int64? {
            var value: Int64 = 0
            for index in at..<at + width {
                guard let digit = digit(index) else { return nil }
                value = value * 10 + digit
            }
            at += width
            return value
        }

        /// The milliseconds behind a point or comma; 0 where there is none.
        mutating func fraction() -> Int64? {
            guard take(".") || take(",") else { return 0 }
            var value: Int64 = 0
            var places = 0
            while let digit = digit(at) {
                if places < 3 { value = value * 10 + digit }
                places += 1
                at += 1
            }
            if places == 0 { return nil }
            for _ in places..<max(3, places) { value *= 10 }
            return value
        }

        /// Seconds east of Greenwich.
        mutating func zone() -> Int64? {
            if take("Z") { return 0 }
            let isEast = take("+")
            guard isEast || take("-"), let hours = number(2), take(":"), let minutes = number(2),
                hours <= 24, minutes < 60
            else { return nil }
            return (hours * 3600 + minutes * 60) * (isEast ? 1 : -1)
        }
    }

    private static func daysIn(_ month: Int64, _ year: Int64) -> Int64 {
        let isLeap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
        return month == 2 ? (isLeap ? 29 : 28) : [4, 6, 9, 11].contains(month) ? 30 : 31
    }

    // Both ways count years from March, so that the leap day is the last of its year (H. Hinnant,
    // "chrono-compatible low-level date algorithms").

    private static func days(_ year: Int64, _ month: Int64, _ day: Int64) -> Int64 {
        let year = month <= 2 ? year - 1 : year
        let era = year.flooredQuotient(400)
        let yearOfEra = year - era * 400
        let dayOfYear = (153 * ((month + 9) % 12) + 2) / 5 + day - 1
        let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
        return era * 146_097 + dayOfEra - 719_468
    }

    private static func date(_ day: Int64) -> (year: Int64, month: Int64, day: Int64) {
        let shifted = day + 719_468
        let era = shifted.flooredQuotient(146_097)
        let dayOfEra = shifted - era * 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let shiftedMonth = (5 * dayOfYear + 2) / 153
        let month = shiftedMonth < 10 ? shiftedMonth + 3 : shiftedMonth - 9
        let dayOfMonth = dayOfYear - (153 * shiftedMonth + 2) / 5 + 1
        return (yearOfEra + era * 400 + (month <= 2 ? 1 : 0), month, dayOfMonth)
    }

    private static func padded(_ value: Int64, _ width: Int) -> String {
        let text = String(value)
        return String(repeating: "0", count: max(0, width - text.count)) + text
    }
}

extension Int64 {
    /// The quotient rounded down.
    func flooredQuotient(_ divisor: Int64) -> Int64 {
        let (quotient, remainder) = quotientAndRemainder(dividingBy: divisor)
        return remainder < 0 ? quotient - 1 : quotient
    }
}
