// SPDX-License-Identifier: Apache-2.0

/// What is asked of a target at each scrape.
package struct ScrapeRequest: Sendable, Hashable {
    /// Where the first request goes; redirects lead to others.
    let location: HTTPLocation
    /// Ready header lines, each with its CR LF, without `Host` and `Connection`.
    package var headers: [UInt8]
    /// Header lines that are for the target alone: not sent on to another host by a redirect.
    package var credentials: [UInt8] = []
    /// For all of it: name, connection, redirects, body. Milliseconds.
    package var timeout: Int64
    /// The uncompressed body must stay below this many bytes; zero: no limit but the client's own.
    package var bodyLimit: Int
    package var followsRedirects = true

    /// Fails where `url` is not `http://host[:port][/path][?query]`.
    package init(
        url: String, headers: [UInt8] = [], timeout: Int64, bodyLimit: Int = 0
    ) throws(ScrapeRequestError) {
        self.location = try HTTPLocation(url)
        self.headers = headers
        self.timeout = timeout
        self.bodyLimit = bodyLimit
    }

    package var url: String { location.url }
}

package enum ScrapeRequestError: Error, Sendable, Hashable, CustomStringConvertible {
    case unsupportedScheme(String)
    case noHost(url: String)
    /// No URL at all; the words are Go's.
    case unparsable(String)

    package var description: String {
        switch self {
        case .unsupportedScheme(let scheme): "unsupported protocol scheme \"\(scheme)\""
        case .noHost: "http: no Host in request URL"
        case .unparsable(let fault): fault
        }
    }
}

/// An `http` URL taken apart.
struct HTTPLocation: Sendable, Hashable {
    /// As messages show it.
    let url: String
    /// A name or a numeric address, without brackets.
    let host: String
    let port: UInt16
    /// The value of the `Host` header.
    let authority: String
    /// Path and query, as the request line has them.
    let target: String

    init(_ url: String) throws(ScrapeRequestError) {
        guard let colon = url.firstIndex(of: ":"), url[colon...].hasPrefix("://") else {
            throw .unsupportedScheme("")
        }
        let scheme = url[..<colon].lowercased()
        guard scheme == "http" else { throw .unsupportedScheme(scheme) }
        let rest = url[url.index(colon, offsetBy: 3)...].prefix { $0 != "#" }
        let end = rest.firstIndex { $0 == "/" || $0 == "?" } ?? rest.endIndex
        var authority = rest[..<end]
        if let at = authority.lastIndex(of: "@") { authority = authority[at...].dropFirst() }
        let path = rest[end...]
        (host, port) = try Self.hostAndPort(authority, url)
        self.url = url
        self.authority = String(authority)
        target = path.hasPrefix("/") ? String(path) : "/\(path)"
    }

    private static func hostAndPort(
        _ authority: Substring, _ url: String
    ) throws(ScrapeRequestError) -> (String, UInt16) {
        let host: Substring
        var port = authority[authority.endIndex...]
        if authority.hasPrefix("[") {
            guard let close = authority.firstIndex(of: "]") else {
                throw .unparsable("missing ']' in host")
            }
            host = authority[..<close].dropFirst()
            port = authority[close...].dropFirst()
        } else if let colon = authority.firstIndex(of: ":") {
            host = authority[..<colon]
            port = authority[colon...]
        } else {
            host = authority
        }
        guard !host.isEmpty else { throw .noHost(url: url) }
        if port.isEmpty || port == ":" { return (String(host), 80) }
        guard port.hasPrefix(":"), let number = UInt16(port.dropFirst()) else {
            throw .unparsable("invalid port \"\(port)\" after host")
        }
        return (String(host), number)
    }

    /// Where a `Location` header leads from here.
    func following(_ reference: String) throws(ScrapeRequestError) -> HTTPLocation {
        let beforePath = reference.prefix { $0 != "/" && $0 != "?" && $0 != "#" }
        if beforePath.contains(":") { return try HTTPLocation(reference) }
        if reference.hasPrefix("//") { return try HTTPLocation("http:\(reference)") }
        if reference.hasPrefix("/") { return try HTTPLocation("http://\(authority)\(reference)") }
        let path = target.prefix { $0 != "?" }
        if reference.isEmpty || reference.hasPrefix("#") { return self }
        if reference.hasPrefix("?") {
            return try HTTPLocation("http://\(authority)\(path)\(reference)")
        }
        let folder = path[...(path.lastIndex(of: "/") ?? path.startIndex)]
        return try HTTPLocation(
            "http://\(authority)\(Self.withoutDots(String(folder) + reference))")
    }

    /// The path with `.` and `..` worked out.
    private static func withoutDots(_ target: String) -> String {
        let path = target.prefix { $0 != "?" && $0 != "#" }
        var kept: [Substring] = []
        let parts = path.split(separator: "/", omittingEmptySubsequences: false).dropFirst()
        for (index, part) in parts.enumerated() {
            let isLast = index == parts.count - 1
            switch part {
            case ".": if isLast { kept.append("") }
            case "..":
                if !kept.isEmpty { kept.removeLast() }
                if isLast { kept.append("") }
            default: kept.append(part)
            }
        }
        return "/" + kept.joined(separator: "/") + target[path.endIndex...]
    }
}
