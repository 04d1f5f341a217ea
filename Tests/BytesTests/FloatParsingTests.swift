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
        "0.000000000000000000000000000001", "-0.00044937368339128267", "0.00000000000000000000",
        "000000000000000000001.25", "6.02214076e+23", "18446744073709551615",
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

    @Test func `many digits read as the C library reads them`() {
        var random = SystemRandomNumberGenerator()
        for _ in 0..<20_000 {
            let value = Double(bitPattern: random.next())
            guard value.isFinite else { continue }
            let digits = String(random.next() % 10_000_000_000_000_000_000)
            let point = Int.random(in: 0...digits.utf8.count, using: &random)
            let exponent = Int.random(in: -330...310, using: &random)
            let texts = [
                value.description, "\(digits.prefix(point)).\(digits.dropFirst(point))",
                "\(digits)e\(exponent)",
            ]
            for text in texts where Double("0" + text.drop { $0 == "-" })?.isFinite == true {
                let expected = Double(
                    text.hasPrefix(".") ? "0" + text : text.hasSuffix(".") ? text + "0" : text)!
                #expect(parse(text) == .success(expected.bitPattern), "\(text)")
            }
        }
    }

    @Test(arguments: [
        "9007199254740993", "9007199254740992999", "1.00000000000000011102230246251565",
        "2.2250738585072012e-308", "4.4501477170144023e-308", "8.988465674311579e307",
        "1.7976931348623158e308", "0.500000000000000166533453693773481063544750213623046875",
        "89255.0e-22", "6631236846766476e-316", "1448997445238699", "9355950000000000000.00",
    ])
    func `numbers near the middle of two floats are rounded right`(text: String) {
        #expect(parse(text) == .success(Double(text)!.bitPattern))
    }
}
