// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Platform
internal import Settings

/// The lines of a scrape request's head.
struct RequestHeaders {
    /// For whoever answers.
    var general = ""
    /// For the target alone: a redirect to another host must not carry them on.
    var credentials = ""

    init(_ request: ScrapeConfiguration.Request, _ escaping: NameEscaping, timeout: Int64) {
        var weight = ScrapeProtocol.allCases.count + 1
        var accepted: [String] = []
        for wanted in request.protocols {
            var entry = wanted.mediaType
            if wanted == .prometheusText100 || wanted == .openMetricsText100 {
                entry += ";escaping=\(escaping.rawValue)"
            }
            accepted.append("\(entry);q=0.\(weight)")
            weight -= 1
        }
        accepted.append("*/*;q=0.\(weight)")
        let seconds = formatFloat(Double(timeout) / 1000, style: .plain)
        add("Accept", accepted.joined(separator: ","))
        add("Accept-Encoding", request.asksForCompression ? "gzip" : "identity")
        add("User-Agent", RequestHeaders.userAgent)
        add("X-Prometheus-Scrape-Timeout-Seconds", seconds)
    }

    /// Targets see who scrapes them; those that filter by name know the name before the slash.
    static let userAgent = "Narthex/0.1.0 (compatible; Prometheus/3.14.0)"

    private mutating func add(_ name: String, _ value: String) { general += line(name, value) }

    private func line(_ name: String, _ value: String) -> String {
        // A line break in a value would begin another header.
        let clean = value.utf8.filter { $0 != UInt8(ascii: "\r") && $0 != UInt8(ascii: "\n") }
        return "\(name): \(String(decoding: Array(clean), as: UTF8.self))\r\n"
    }

    /// Adds what proves who asks, and the headers of the configuration; files are read now.
    mutating func add(
        _ client: ClientOptions, _ fileSystem: any FileSystem
    ) throws(FileError) {
        if let basic = client.basicAuthentication {
            let user =
                basic.usernameFile.isEmpty
                ? basic.username : try secret(basic.usernameFile, fileSystem)
            let password =
                basic.passwordFile.isEmpty
                ? basic.password.text : try secret(basic.passwordFile, fileSystem)
            credentials += line(
                "Authorization", "Basic " + base64(Array("\(user):\(password)".utf8)))
        }
        if let authorization = client.authorization {
            let token =
                authorization.credentialsFile.isEmpty
                ? authorization.credentials.text
                : try secret(authorization.credentialsFile, fileSystem)
            credentials += line("Authorization", "\(authorization.type) \(token)")
        }
        for header in client.headers {
            for value in header.values { credentials += line(header.name, value) }
            for secret in header.secrets { credentials += line(header.name, secret.text) }
            for file in header.files {
                credentials += line(header.name, try secret(file, fileSystem))
            }
        }
    }

    private func secret(_ path: String, _ fileSystem: any FileSystem) throws(FileError) -> String {
        let text = String(
            decoding: try fileSystem.contents(of: path, limit: 1 << 20), as: UTF8.self)
        let isSpace = { (character: Character) in character.isWhitespace }
        return String(text.drop(while: isSpace).reversed().drop(while: isSpace).reversed())
    }
}

extension ClientOptions {
    /// Whether something of it stands in files, which may change.
    var readsFiles: Bool {
        !(basicAuthentication?.usernameFile.isEmpty ?? true)
            || !(basicAuthentication?.passwordFile.isEmpty ?? true)
            || !(authorization?.credentialsFile.isEmpty ?? true)
            || headers.contains { !$0.files.isEmpty }
    }
}

/// RFC 4648 with padding.
func base64(_ bytes: [UInt8]) -> String {
    let alphabet = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var result: [UInt8] = []
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let group = bytes[start..<min(start + 3, bytes.count)]
        var bits = UInt32(0)
        for offset in 0..<3 {
            bits = bits << 8 | (offset < group.count ? UInt32(group[start + offset]) : 0)
        }
        for digit in 0..<4 {
            let isPadding = digit > group.count
            result.append(
                isPadding
                    ? UInt8(ascii: "=") : alphabet[Int(bits >> UInt32(18 - 6 * digit)) & 63])
        }
    }
    return String(decoding: result, as: UTF8.self)
}
