// SPDX-License-Identifier: Apache-2.0

extension Response {
    /// Sends clients that put slashes together (`http://server//api/v1/query`) or use dots to the
    /// path that they mean, as Go's servers do; nil where the path is clean.
    package static func toCleanPath(_ request: Request) -> Response? {
        let clean = cleanPath(request.path)
        guard clean != request.path else { return nil }
        return .moved(request, to: clean, status: 301)
    }

    /// Sends the client of a path with a slash too many or too few to the other one.
    package static func moved(_ request: Request, to path: String, status: Int) -> Response {
        let location = pathEncoded(path) + (request.query.isEmpty ? "" : "?" + request.query)
        return .redirect(request, to: location, status: status)
    }

    /// As Go's servers send redirections: who asks by GET gets a page with the link.
    package static func redirect(
        _ request: Request, to location: String, status: Int = 302
    ) -> Response {
        var response = Response(status: status, headers: ["Location": location])
        guard ["GET", "HEAD"].contains(request.method) else { return response }
        response.headers["Content-Type"] = "text/html; charset=utf-8"
        if request.method == "GET" {
            let names = [301: "Moved Permanently", 302: "Found"]
            let text = "<a href=\"\(htmlEscaped(location))\">\(names[status] ?? "Moved")</a>.\n\n"
            response.body = .bytes(Array(text.utf8))
        }
        return response
    }

    /// What a path answers that has routes for other methods only: `OPTIONS` asks just for these.
    static func forOtherMethods(_ methods: [String], _ request: Request) -> Response {
        let isQuestion = request.method == "OPTIONS"
        var response = isQuestion ? Response() : .error("Method Not Allowed", status: 405)
        response.headers["Allow"] =
            Set(methods).union(["OPTIONS"]).sorted().joined(separator: ", ")
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
