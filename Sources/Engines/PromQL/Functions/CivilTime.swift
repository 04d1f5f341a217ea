// SPDX-License-Identifier: Apache-2.0

internal import Model

/// A time as date and time of day in UTC, by the proleptic Gregorian calendar.
///
/// Days are counted from the first of March of a year divisible by 400, as in H. Hinnant,
/// https://howardhinnant.github.io/date_algorithms.html; that year is so early that the count is
/// not negative for any year in use. Seconds wrap beyond it and beyond the last year, as upstream's
/// do: NaN and huge numbers have years, too.
struct CivilTime {
    let year: Int64
    let month: Int64
    let day: Int64
    let hour: Int64
    let minute: Int64
    let second: Int64
    /// 0 is Sunday.
    let weekday: Int64

    init(_ timestamp: Timestamp) {
        // Whole seconds towards zero, as upstream cuts milliseconds off.
        self.init(seconds: timestamp / 1000)
    }

    init(seconds: Int64) {
        let absolute = UInt64(bitPattern: seconds &+ Self.daysFromStart * 86_400)
        let days = Int64(absolute / 86_400)
        let rest = Int64(absolute % 86_400)
        hour = rest / 3600
        minute = rest % 3600 / 60
        second = rest % 60
        weekday = (days + 3) % 7

        let era = days / 146_097
        let dayOfEra = days % 146_097
        let yearOfEra =
            (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
        let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
        let monthFromMarch = (5 * dayOfYear + 2) / 153
        day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
        month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
        year = yearOfEra + (era - Self.eras) * 400 + (month <= 2 ? 1 : 0)
    }

    /// Spans of 400 years from the start of the count to the year 0.
    private static let eras: Int64 = 730_692_556
    /// Days from the start of the count to 1970.
    private static let daysFromStart = eras * 146_097 + 719_468

    var isLeapYear: Bool { year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) }

    var daysInMonth: Int64 {
        switch month {
        case 2: isLeapYear ? 29 : 28
        case 4, 6, 9, 11: 30
        default: 31
        }
    }

    /// 1 is the first of January.
    var dayOfYear: Int64 {
        let before: [Int64] = [0, 31, 59, 90, 120, 151, 181, 212, 243, 273, 304, 334]
        return before[Int(month - 1)] + day + (isLeapYear && month > 2 ? 1 : 0)
    }

    var rfc3339: String {
        func padded(_ number: Int64, _ width: Int) -> String {
            let digits = String(number)
            return String(repeating: "0", count: max(0, width - digits.count)) + digits
        }
        let date = "\(padded(year, 4))-\(padded(month, 2))-\(padded(day, 2))"
        return "\(date)T\(padded(hour, 2)):\(padded(minute, 2)):\(padded(second, 2))Z"
    }
}
