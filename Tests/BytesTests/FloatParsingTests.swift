// SPDX-License-Identifier: Apache-2.0

import Bytes
import Testing

@Suite struct FloatParsingTests {
    private func parse(_ text: String, hexadecimal: Bool = false) -> Result<
        UInt64, FloatTextError
    > {
        let bytes = Array(text.utf8)
        do {
            return .success(
                try parseFloat(bytes.raw, allowsHexadecimal: hexadecimal).bitPattern)
        } catch {
            return .failure(error)
        }
    }

    @Test(arguments: [
        "0", "-0", "1", "+1", "1.", ".5", "-1.5e3", "1e22", "1e23", "9007199254740993",
        "0.1", "123456789012345678901234567890", "4.9351e-05", "5e-324", "2.2250738585072011e-308",
        "1.7976931348623157e308", "7.424100000000001e-05", "1E5", "00012", "1e-400",
        "0.000000000000000000000000000001", "6.02214076e+23", "18446744073709551615",
    ])
    func `decimal text reads as the nearest float`(text: String) {
        #expect(
            parse(text) == .success(Double(text.hasSuffix(".") ? text + "0" : text)!.bitPattern))
    }

    @Test(arguments: [
        ("inf", Double.infinity), ("+Inf", .infinity), ("-INF", -.infinity),
        ("Infinity", .infinity), ("-infinity", -.infinity),
    ])
    func `infinities have names in any case`(text: String, value: Double) {
        #expect(parse(text) == .success(value.bitPattern))
    }

    @Test(arguments: ["nan", "NaN", "NAN"])
    func `NaN is a number here`(text: String) throws {
        #expect(Double(bitPattern: try parse(text).get()).isNaN)
    }

    @Test(arguments: [
        "", "+", ".", "e5", "1e", "1e+", "-nan", "+NaN", "0x1", "0x1p3", "1_0", " 1", "1 ", "1,5",
        "--1", "1.2.3", "infinit", "1e5.0", "\u{00e9}",
    ])
    func `anything else is refused`(text: String) {
        #expect(parse(text) == .failure(.syntax))
    }

    @Test func `a number beyond the largest float is out of range`() {
        #expect(parse("1e309") == .failure(.range))
        #expect(parse("-" + String(repeating: "9", count: 400)) == .failure(.range))
    }

    @Test func `hexadecimal floats are read on request`() {
        #expect(parse("0x1.8p3", hexadecimal: true) == .success(12.0.bitPattern))
        #expect(parse("0x1", hexadecimal: true) == .failure(.syntax))
    }
}
