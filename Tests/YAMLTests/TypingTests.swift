// SPDX-License-Identifier: Apache-2.0

import Testing
import YAML

@Suite struct TypingTests {
    @Test(
        "Plain scalars resolve by the rules of YAML 1.1",
        arguments: [
            ("", .null), ("~", .null), ("null", .null), ("NULL", .null), ("nUll", .string),
            ("yes", .bool(true)), ("On", .bool(true)), ("y", .bool(true)), ("off", .bool(false)),
            ("True", .bool(true)), ("tRue", .string),
            ("12", .integer(12)), ("-12", .integer(-12)), ("+12", .integer(12)),
            ("1_000", .integer(1000)), ("0755", .integer(493)), ("0o17", .integer(15)),
            ("0x1F", .integer(31)), ("0b101", .integer(5)), ("-0b101", .integer(-5)),
            ("089", .float(89)), ("--1", .string), ("1-2", .string),
            ("9223372036854775807", .integer(.max)), ("-9223372036854775808", .integer(.min)),
            ("18446744073709551615", .unsigned(.max)), ("18446744073709551616", .float(0x1p64)),
            ("1.5", .float(1.5)), ("1e3", .float(1000)), (".5", .float(0.5)), ("1.", .float(1)),
            (".inf", .float(.infinity)), ("-.Inf", .float(-.infinity)), ("1e", .string),
            (".", .string), ("1h30m", .string), ("0x", .string), ("1:30", .string),
        ] as [(String, YAMLValue)])
    func resolution(text: String, expected: YAMLValue) {
        #expect(resolve(text) == expected)
    }

    @Test(
        "Scalars convert, or say what they are",
        arguments: [
            ("12", "int 12"), ("1e3", "int 1000"),
            ("1.5", "cannot unmarshal !!float `1.5` into int"),
            ("'12'", "cannot unmarshal !!str `12` into int"),
            ("abcdefghijkl", "cannot unmarshal !!str `abcdefg...` into int"),
            ("true", "cannot unmarshal !!bool `true` into int"),
            ("[1]", "cannot unmarshal !!seq into int"),
            ("{a: 1}", "cannot unmarshal !!map into int"),
        ])
    func integers(text: String, expected: String) throws {
        let node = try #require(try YAMLNode(parsing: text))
        do {
            #expect("int \(try node.integer())" == expected)
        } catch {
            #expect(error.message == expected)
        }
    }

    @Test("Any scalar is a string, binary ones where they are UTF-8")
    func strings() throws {
        for text in ["12", "true", "'x'", "1_000"] {
            let node = try #require(try YAMLNode(parsing: text))
            #expect(try node.string() == text.filter { $0 != "'" })
        }
        let binary = try #require(try YAMLNode(parsing: "!!binary aGFs bG8="))
        #expect(try binary.string() == "hallo")
        let broken = try #require(try YAMLNode(parsing: "!!binary \"/w==\""))
        #expect(throws: YAMLError.self) { try broken.string() }
        do {
            _ = try broken.string(as: "valid label name")
        } catch {
            #expect(error.message == "\"\\xff\" is not a valid label name")
        }
    }
}
