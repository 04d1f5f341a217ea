// SPDX-License-Identifier: Apache-2.0

internal import Bytes

/// Status line and headers of an answer, as far as scraping needs them.
struct ResponseHead: Sendable, Hashable {
    enum Framing: Sendable, Hashable {
        case length(Int)
        case chunked
        case untilClose
    }

    /// As the wire has it: `404 Not Found`.
    var status = ""
    var code = 0
    var framing = Framing.untilClose
    var keepsConnection = true
    var contentType = ""
    var contentEncoding = ""
    var location: String?

    var isInterim: Bool { (100..<200).contains(code) && code != 101 }
    var isRedirect: Bool { location != nil && [301, 302, 303, 307, 308].contains(code) }

    /// Reads a head: all lines, each with its line feed, without the empty line at the end.
    init(_ bytes: RawSpan) throws(ResponseError) {
        var lines = Lines(bytes)
        guard let first = lines.next() else { throw .malformedHead("malformed HTTP response \"\"") }
        if Self.isUsual(bytes, first) {
            (status, code) = ("200 OK", 200)
        } else {
            keepsConnection = try !readStatusLine(Self.text(bytes, first))
        }
        var lengths: [Int] = []
        var isChunked = false
        while let line = lines.next() {
            guard let colon = Self.firstIndex(of: UInt8(ascii: ":"), in: bytes, line),
                colon > line.lowerBound
            else {
                throw .malformedHead(
                    "malformed MIME header: missing colon: \(Self.quotedText(bytes, line))")
            }
            let name = line.lowerBound..<colon
            let value = Self.trimmed(bytes, (colon + 1)..<line.upperBound)
            func isName(_ known: String) -> Bool { Self.isName(bytes, name, known) }
            // No text is made of the headers that nobody asks for.
            if isName("content-length") {
                lengths.append(try Self.length(bytes, value))
            } else if isName("transfer-encoding") {
                let coding = Self.text(bytes, value)
                guard coding.lowercased() == "chunked" else {
                    throw .malformedHead("unsupported transfer encoding: \"\(coding)\"")
                }
                isChunked = true
            } else if isName("connection") {
                readConnection(Self.text(bytes, value).lowercased())
            } else if isName("content-type") {
                contentType = Self.text(bytes, value)
            } else if isName("content-encoding") {
                contentEncoding = Self.text(bytes, value)
            } else if isName("location") {
                location = Self.text(bytes, value)
            }
        }
        guard lengths.count <= 1 || Set(lengths).count == 1 else {
            let got = lengths.map { "\"\($0)\"" }.joined(separator: " ")
            throw .malformedHead(
                "http: message cannot contain multiple Content-Length headers; got [\(got)]")
        }
        setFraming(isChunked: isChunked, length: lengths.first)
    }

    private mutating func setFraming(isChunked: Bool, length: Int?) {
        if isInterim || code == 204 || code == 304 {
            framing = .length(0)
        } else if isChunked {
            framing = .chunked
        } else if let length {
            framing = .length(length)
        } else {
            framing = .untilClose
            keepsConnection = false
        }
    }

    private mutating func readConnection(_ value: String) {
        for token in value.split(separator: ",") {
            switch token.drop(while: { $0 == " " }).prefix(while: { $0 != " " }) {
            case "close": keepsConnection = false
            case "keep-alive": keepsConnection = true
            default: break
            }
        }
    }

    /// True for HTTP/1.0.
    private mutating func readStatusLine(_ line: String) throws(ResponseError) -> Bool {
        guard let space = line.firstIndex(of: " ") else {
            throw .malformedHead("malformed HTTP response \"\(line)\"")
        }
        let version = line[..<space]
        status = String(line[space...].drop { $0 == " " })
        let number = status.prefix { $0 != " " }
        guard number.utf8.count == 3, let code = Int(number), code >= 0 else {
            throw .malformedHead("malformed HTTP status code \"\(number)\"")
        }
        guard version == "HTTP/1.1" || version == "HTTP/1.0" else {
            throw .malformedHead("malformed HTTP version \"\(version)\"")
        }
        self.code = code
        return version == "HTTP/1.0"
    }

    private static func length(
        _ bytes: RawSpan, _ range: Range<Int>
    ) throws(ResponseError) -> Int {
        var length = 0
        for index in range {
            let digit = Int(bytes[index]) - 48
            let (product, isTooLarge) = length.multipliedReportingOverflow(by: 10)
            let (sum, overflows) = product.addingReportingOverflow(digit)
            guard (0...9).contains(digit), !isTooLarge, !overflows else {
                length = -1
                break
            }
            length = sum
        }
        guard !range.isEmpty, length >= 0 else {
            throw .malformedHead("bad Content-Length \"\(text(bytes, range))\"")
        }
        return length
    }

    /// Whether this is the status line of almost every answer.
    private static func isUsual(_ bytes: RawSpan, _ line: Range<Int>) -> Bool {
        let usual = "HTTP/1.1 200 OK".utf8
        guard line.count == usual.count else { return false }
        var at = line.lowerBound
        for letter in usual {
            if bytes[at] != letter { return false }
            at += 1
        }
        return true
    }

    /// Whether a header's name is this one, which is in small letters.
    private static func isName(_ bytes: RawSpan, _ range: Range<Int>, _ known: String) -> Bool {
        guard range.count == known.utf8.count else { return false }
        var at = range.lowerBound
        for letter in known.utf8 {
            let byte = bytes[at]
            if (65...90).contains(byte) ? byte | 0x20 != letter : byte != letter { return false }
            at += 1
        }
        return true
    }

    static func text(_ bytes: RawSpan, _ range: Range<Int>) -> String {
        var run: [UInt8] = []
        run.reserveCapacity(range.count)
        for index in range { run.append(bytes[index]) }
        return String(decoding: run, as: UTF8.self)
    }

    /// The text in double quotes, with escapes as in Go for all that is no printable ASCII.
    static func quotedText(_ bytes: RawSpan, _ range: Range<Int>) -> String {
        let letters: [UInt8: String] = [
            7: "a", 8: "b", 9: "t", 10: "n", 11: "v", 12: "f", 13: "r", 34: "\"", 92: "\\",
        ]
        var result = "\""
        for index in range {
            let byte = bytes[index]
            if let letter = letters[byte] {
                result += "\\\(letter)"
            } else if (32...126).contains(byte) {
                result.unicodeScalars.append(Unicode.Scalar(byte))
            } else {
                result += (byte < 16 ? "\\x0" : "\\x") + String(byte, radix: 16)
            }
        }
        return result + "\""
    }

    private static func firstIndex(
        of byte: UInt8, in bytes: RawSpan, _ range: Range<Int>
    ) -> Int? {
        for index in range where bytes[index] == byte { return index }
        return nil
    }

    private static func trimmed(_ bytes: RawSpan, _ range: Range<Int>) -> Range<Int> {
        func isSpace(_ byte: UInt8) -> Bool { byte == 32 || byte == 9 }
        var (low, high) = (range.lowerBound, range.upperBound)
        while low < high, isSpace(bytes[low]) { low += 1 }
        while low < high, isSpace(bytes[high - 1]) { high -= 1 }
        return low..<high
    }
}

/// The lines of a head, without their ends.
private struct Lines: ~Escapable {
    let bytes: RawSpan
    var at = 0

    @_lifetime(copy bytes)
    init(_ bytes: RawSpan) { self.bytes = bytes }

    @_lifetime(self: copy self)
    mutating func next() -> Range<Int>? {
        guard at < bytes.byteCount else { return nil }
        let start = at
        while at < bytes.byteCount, bytes[at] != 10 { at += 1 }
        var end = at
        at += 1
        if end > start, bytes[end - 1] == 13 { end -= 1 }
        return start..<end
    }
}
