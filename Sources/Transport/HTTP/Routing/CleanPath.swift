// SPDX-License-Identifier: Apache-2.0

extension Response {
    /// Sends clients that put slashes together (`http://server//api/v1/query`) or use dots to the
    /// path that they mean, as Go's servers do; nil where the path is clean.
    package static func toCleanPath(_ request: Request) -> Response? {
        let clean = cleanPath(request.path)
        guard clean != request.path else { return nil }
        let location = pathEncoded(clean) + (request.query.isEmpty ? "" : "?" + request.query)
        var response = Response.redirect(to: location, status: 301)
        guard ["GET", "HEAD"].contains(request.method) else { return response }
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        if request.method == "GET" {
            let text = "<a href=\"\(htmlEscaped(location))\">Moved Permanently</a>.\n\n"
            response.body = .bytes(Array(text.utf8))
        }
        return response
    }
}

/// The path without empty segments, `.` and `..`; a slash at the end stays.
package func cleanPath(_ path: String) -> String {
    var kept: [Substring] = []
    let segments = path.split(separator: "/" as Character)
    for segment in segments {
        if segment == ".." {
            _ = kept.popLast()
        } else if segment != "." {
            kept.append(segment)
        }
    }
    if kept.isEmpty { return "/" }
    return "/" + kept.joined(separator: "/") + (path.hasSuffix("/") ? "/" : "")
}

/// A path with everything escaped that may not stand in a URL.
private func pathEncoded(_ path: String) -> String {
    let plain = Set("/$&+,:;=@-_.~".utf8)
    return path.utf8.reduce(into: "") { text, byte in
        let isLetter = (65...90).contains(byte & 0xDF) && byte < 0x80
        if isLetter || (48...57).contains(byte) || plain.contains(byte) {
            text.unicodeScalars.append(Unicode.Scalar(byte))
        } else {
            let digits = String(byte, radix: 16, uppercase: true)
            text += "%" + (digits.count == 1 ? "0" : "") + digits
        }
    }
}

private func htmlEscaped(_ text: String) -> String {
    text.reduce(into: "") { escaped, character in
        switch character {
        case "&": escaped += "&amp;"
        case "<": escaped += "&lt;"
        case ">": escaped += "&gt;"
        case "\"": escaped += "&#34;"
        case "'": escaped += "&#39;"
        default: escaped.append(character)
        }
    }
}
