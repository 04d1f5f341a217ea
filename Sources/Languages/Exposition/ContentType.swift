// SPDX-License-Identifier: Apache-2.0

/// What a response body is written in.
package enum ExpositionFormat: Sendable, Hashable {
    case text(TextDialect)
    case protobuf

    /// The media type that stands for the format in headers and messages.
    package var mediaType: String {
        switch self {
        case .text(.text): "text/plain"
        case .text(.openMetrics): "application/openmetrics-text"
        case .protobuf: "application/vnd.google.protobuf"
        }
    }

    init?(mediaType: String) {
        switch mediaType {
        case "text/plain": self = .text(.text)
        case "application/openmetrics-text": self = .text(.openMetrics)
        case "application/vnd.google.protobuf": self = .protobuf
        default: return nil
        }
    }

    /// The format that a Content-Type header names, or `fallback` where it names none that is
    /// known; then `warning` says why. Without fallback the response cannot be used.
    package static func select(
        contentType: String, fallback: ExpositionFormat?
    ) throws(ExpositionError) -> (format: ExpositionFormat, warning: String?) {
        let problem: (refusal: String, warning: String, detail: String)
        if contentType.isEmpty {
            let complaint = "non-compliant scrape target sending blank Content-Type"
            problem = (
                "\(complaint) and no fallback_scrape_protocol specified for target", complaint, ""
            )
        } else {
            do throws(MediaTypeError) {
                let mediaType = try parseMediaType(contentType)
                if let format = ExpositionFormat(mediaType: mediaType) { return (format, nil) }
                let complaint = "received unsupported Content-Type \"\(contentType)\""
                problem = (
                    "\(complaint) and no fallback_scrape_protocol specified for target", complaint,
                    ""
                )
            } catch {
                let header = "Content-Type \"\(contentType)\""
                problem = (
                    "cannot parse \(header) and no fallback_scrape_protocol for target",
                    "could not parse received \(header)", "\n\(error.message)"
                )
            }
        }
        guard let fallback else { throw ExpositionError(problem.refusal + problem.detail) }
        let used = ", using fallback_scrape_protocol \"\(fallback.mediaType)\""
        return (fallback, problem.warning + used + problem.detail)
    }
}

/// Why a header value is no media type, in the words of Go's `mime` package.
struct MediaTypeError: Error {
    var message: String
}

/// The media type in lower case without its parameters, which are checked, though.
func parseMediaType(_ header: String) throws(MediaTypeError) -> String {
    let bytes = Array(header.utf8)
    let end = bytes.firstIndex(of: UInt8(ascii: ";")) ?? bytes.count
    let mediaType = String(decoding: trimmed(bytes[..<end]), as: UTF8.self).lowercased()
    try checkMediaType(Array(mediaType.utf8))
    var seen: Set<String> = []
    var rest = trimmed(bytes[end...])
    while !rest.isEmpty {
        guard let name = takeParameter(&rest) else {
            // Semicolons at the end are ignored.
            if rest.elementsEqual(";".utf8) { break }
            throw MediaTypeError(message: "mime: invalid media parameter")
        }
        guard seen.insert(name).inserted else {
            throw MediaTypeError(message: "mime: duplicate parameter name")
        }
        rest = trimmed(rest)
    }
    return mediaType
}

private func checkMediaType(_ bytes: [UInt8]) throws(MediaTypeError) {
    let type = bytes.prefix(while: isTokenByte)
    guard !type.isEmpty else { throw MediaTypeError(message: "mime: no media type") }
    var rest = bytes[type.endIndex...]
    if rest.isEmpty { return }
    guard rest.first == UInt8(ascii: "/") else {
        throw MediaTypeError(message: "mime: expected slash after first token")
    }
    rest = rest.dropFirst()
    let subtype = rest.prefix(while: isTokenByte)
    guard !subtype.isEmpty else {
        throw MediaTypeError(message: "mime: expected token after slash")
    }
    guard subtype.endIndex == bytes.count else {
        throw MediaTypeError(message: "mime: unexpected content after media subtype")
    }
}

/// Takes `; name=value` off the front and returns the name in lower case; nil where there is none.
private func takeParameter(_ rest: inout ArraySlice<UInt8>) -> String? {
    var at = trimmed(rest)
    guard at.first == UInt8(ascii: ";") else { return nil }
    at = trimmed(at.dropFirst())
    let name = at.prefix(while: isTokenByte)
    guard !name.isEmpty else { return nil }
    at = trimmed(at[name.endIndex...])
    guard at.first == UInt8(ascii: "=") else { return nil }
    at = trimmed(at.dropFirst())
    if at.first == UInt8(ascii: "\"") {
        at = at.dropFirst()
        while let byte = at.first, byte != UInt8(ascii: "\"") {
            at = at.dropFirst(byte == UInt8(ascii: "\\") ? 2 : 1)
        }
        guard !at.isEmpty else { return nil }
        rest = at.dropFirst()
    } else {
        let value = at.prefix(while: isTokenByte)
        guard !value.isEmpty else { return nil }
        rest = at[value.endIndex...]
    }
    return String(decoding: name, as: UTF8.self).lowercased()
}

private func trimmed(_ bytes: ArraySlice<UInt8>) -> ArraySlice<UInt8> {
    var bytes = bytes.drop(while: isSpace)
    while let last = bytes.last, isSpace(last) { bytes = bytes.dropLast() }
    return bytes
}

private func isSpace(_ byte: UInt8) -> Bool { byte == blank || (9...13).contains(byte) }

/// Bytes of a token as RFC 2045 has it.
private func isTokenByte(_ byte: UInt8) -> Bool {
    byte > blank && byte < 0x7F && !#"()<>@,;:\"/[]?="#.utf8.contains(byte)
}
