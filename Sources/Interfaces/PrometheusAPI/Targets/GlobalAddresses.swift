// SPDX-License-Identifier: Apache-2.0

/// The address under which users reach a target that is local to this server: a target on the
/// loopback interface gets the host of the external URL, and this server itself the whole of it.
struct GlobalAddresses: Sendable {
    private let externalScheme: String
    private let externalHost: String
    private let ownPort: String?

    init(_ settings: APISettings) {
        let (scheme, authority, _) = Self.parts(settings.externalURL)
        externalScheme = scheme
        externalHost = authority
        ownPort = Self.hostAndPort(settings.listenAddress).port
    }

    func global(_ url: String) -> String {
        let (scheme, authority, rest) = Self.parts(url)
        let (host, port) = Self.hostAndPort(authority)
        guard ["127.0.0.1", "localhost", "::1"].contains(host), let ownPort else { return url }
        if port == ownPort { return "\(externalScheme)://\(externalHost)\(rest)" }
        var external = Self.hostAndPort(externalHost).host
        if let port {
            if external.contains(":") { external = "[\(external)]" }
            external += ":\(port)"
        }
        return "\(scheme)://\(external)\(rest)"
    }

    private static func parts(
        _ url: String
    ) -> (scheme: String, authority: String, rest: String) {
        let halves = url.split(separator: ":" as Character, maxSplits: 1)
        guard halves.count == 2, halves[1].hasPrefix("//") else { return ("http", url, "") }
        let behind = halves[1].dropFirst(2)
        let end = behind.firstIndex { "/?#".contains($0) } ?? behind.endIndex
        return (String(halves[0]), String(behind[..<end]), String(behind[end...]))
    }

    private static func hostAndPort(_ authority: String) -> (host: String, port: String?) {
        if authority.hasPrefix("["), let end = authority.firstIndex(of: "]") {
            let host = authority[authority.index(after: authority.startIndex)..<end]
            let behind = authority[authority.index(after: end)...]
            return (String(host), behind.hasPrefix(":") ? String(behind.dropFirst()) : nil)
        }
        guard let colon = authority.lastIndex(of: ":") else { return (authority, nil) }
        return (String(authority[..<colon]), String(authority[authority.index(after: colon)...]))
    }
}
