// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@Suite("Float text")
struct FloatTextTests {
    /// Value and what Go's strconv prints as 'f', 'g', 'e' and in query results.
    static let table: [(Double, plain: String, general: String, exponent: String, json: String)] = [
        (0, "0", "0", "0e+00", "0"),
        (-0.0, "-0", "-0", "-0e+00", "-0"),
        (1, "1", "1", "1e+00", "1"),
        (-2.5, "-2.5", "-2.5", "-2.5e+00", "-2.5"),
        (0.1, "0.1", "0.1", "1e-01", "0.1"),
        (0.3, "0.3", "0.3", "3e-01", "0.3"),
        (
            0.1 + 0.2, "0.30000000000000004", "0.30000000000000004", "3.0000000000000004e-01",
            "0.30000000000000004"
        ),
        (
            1.0 / 3, "0.3333333333333333", "0.3333333333333333", "3.333333333333333e-01",
            "0.3333333333333333"
        ),
        (100, "100", "100", "1e+02", "100"),
        (123456, "123456", "123456", "1.23456e+05", "123456"),
        (999999.5, "999999.5", "999999.5", "9.999995e+05", "999999.5"),
        (1e6, "1000000", "1e+06", "1e+06", "1000000"),
        (12_345_678, "12345678", "1.2345678e+07", "1.2345678e+07", "12345678"),
        (16777216.25, "16777216.25", "1.677721625e+07", "1.677721625e+07", "16777216.25"),
        (0.0001, "0.0001", "0.0001", "1e-04", "0.0001"),
        (0.00001, "0.00001", "1e-05", "1e-05", "0.00001"),
        (1e-6, "0.000001", "1e-06", "1e-06", "0.000001"),
        (9.99e-7, "0.000000999", "9.99e-07", "9.99e-07", "9.99e-07"),
        (1e-7, "0.0000001", "1e-07", "1e-07", "1e-07"),
        (1e20, "100000000000000000000", "1e+20", "1e+20", "100000000000000000000"),
        (1e21, "1000000000000000000000", "1e+21", "1e+21", "1e+21"),
        (1.5e21, "1500000000000000000000", "1.5e+21", "1.5e+21", "1.5e+21"),
        (1e23, "100000000000000000000000", "1e+23", "1e+23", "1e+23"),
        (
            9_007_199_254_740_992, "9007199254740992", "9.007199254740992e+15",
            "9.007199254740992e+15", "9007199254740992"
        ),
        (1e15, "1000000000000000", "1e+15", "1e+15", "1000000000000000"),
        (
            1767227400.123, "1767227400.123", "1.767227400123e+09", "1.767227400123e+09",
            "1767227400.123"
        ),
        (.nan, "NaN", "NaN", "NaN", "NaN"),
        (.infinity, "+Inf", "+Inf", "+Inf", "+Inf"),
        (-.infinity, "-Inf", "-Inf", "-Inf", "-Inf"),
        (
            .leastNonzeroMagnitude, "0." + String(repeating: "0", count: 323) + "5", "5e-324",
            "5e-324", "5e-324"
        ),
        (
            2.2250738585072014e-308,
            "0." + String(repeating: "0", count: 307) + "22250738585072014",
            "2.2250738585072014e-308", "2.2250738585072014e-308", "2.2250738585072014e-308"
        ),
        (
            1.7976931348623157e308, "17976931348623157" + String(repeating: "0", count: 292),
            "1.7976931348623157e+308", "1.7976931348623157e+308", "1.7976931348623157e+308"
        ),
    ]

    @Test("every style lays out as Go does", arguments: table)
    func styles(_ entry: (Double, plain: String, general: String, exponent: String, json: String)) {
        #expect(formatFloat(entry.0, style: .plain) == entry.plain)
        #expect(formatFloat(entry.0, style: .general) == entry.general)
        #expect(formatFloat(entry.0, style: .exponent) == entry.exponent)
        #expect(formatFloat(entry.0, style: .json) == entry.json)
    }

    @Test("digits are the shortest that read back, for hard and for random values")
    func shortest() {
        var values = [
            9.5e-3, 2.98023223876953125e-8, 5.764607523034235e39, 1.152921504606847e40,
            9.0608011534336e15,
            4.708356024711512e18, 9.409340012568248e18, 1.8531501765868567e21,
            4.4501477170144023e-308,
            2.109808898695963e16, 8.98846567431158e307, 9.007199254740991e15, 6.0221407e23,
        ]
        for exponent in -1074...1023 {
            values.append(Double(sign: .plus, exponent: exponent, significand: 1))
        }
        for exponent in -323...308 { values.append(Double("1e\(exponent)")!) }
        var state: UInt64 = 42
        func random() -> UInt64 {
            state ^= state << 13
            state ^= state >> 7
            state ^= state << 17
            return state
        }
        for _ in 0..<200_000 {
            values.append(Double(bitPattern: random()).magnitude)
            values.append(Double(random() % 1_000_000_000) / 1e5)
            values.append(Double(random() >> 12) / 7)
            values.append(Double(random() % 100_000) * 0.001)
        }
        for value in values where value.isFinite {
            let text = formatFloat(value, style: .exponent)
            #expect(Double(text)?.bitPattern == value.bitPattern)
            // Swift prints the shortest digits too, laid out otherwise.
            let mine = text.prefix { $0 != "e" }.filter { $0 != "." }
            var theirs = value.description.prefix { $0 != "e" }.filter { $0 != "." }
            theirs = String(theirs.drop { $0 == "0" })
            while theirs.last == "0" { theirs.removeLast() }
            #expect(mine == (theirs.isEmpty ? "0" : theirs), "\(value)")
        }
    }

    @Test(
        "integers",
        arguments: [
            0, 1, 9, 10, 99, 100, 12_345_678, 99_999_999, 100_000_000,
            9_999_999_999_999_999, 10_000_000_000_000_000, 99_999_999_999_999_999,
            100_000_000_000_000_000,
            UInt64.max, UInt64.max / 10,
        ])
    func integers(_ value: UInt64) {
        var writer = ByteWriter()
        writer.decimal(value)
        #expect(String(decoding: writer.bytes, as: UTF8.self) == String(value))
        writer.removeAll()
        writer.decimal(Int64(truncatingIfNeeded: value))
        #expect(
            String(decoding: writer.bytes, as: UTF8.self)
                == String(Int64(truncatingIfNeeded: value)))
    }
}
