// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import JSON
internal import Platform
internal import ScrapeClient

/// Why a server gave no answer that is of use, in a sentence.
struct ServerFailure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
}

/// A server that is asked over plain HTTP: `http://host:port/prefix`.
struct ServerAddress: Sendable {
    private let host: String
    private let port: UInt16
    private let prefix: String
    /// The longest answer that is read.
    private static let limit = 256 << 20

    /// nil where the text is no such address. `http://` may be left out, the port is 80 then.
    init?(_ text: String) {
        var rest = Substring(text)
        if let scheme = rest.firstRange(of: "://") {
            guard rest[..<scheme.lowerBound] == "http" else { return nil }
            rest = rest[scheme.upperBound...]
        }
        let authority = rest.prefix { $0 != "/" }
        var path = String(rest[authority.endIndex...])
        while path.hasSuffix("/") { path.removeLast() }
        guard !path.contains(where: { $0 == "?" || $0 == "#" || $0 == " " }) else { return nil }
        prefix = path
        var name = authority
        var number = Substring("80")
        if let colon = authority.lastIndex(of: ":"), !authority[colon...].contains("]") {
            name = authority[..<colon]
            number = authority[colon...].dropFirst()
        }
        if name.hasPrefix("["), name.hasSuffix("]") { name = name.dropFirst().dropLast() }
        guard !name.isEmpty, let port = UInt16(number) else { return nil }
        host = String(name)
        self.port = port
    }

    /// Sends a form and returns the answer of the API, which must be a success.
    func post(
        _ path: String, _ parameters: [(name: String, value: String)], timeout: Double
    ) throws(ServerFailure) -> JSONValue {
        let form = parameters.map { "\($0.name)=\(Self.encoded($0.value))" }.joined(separator: "&")
        let authority = host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)"
        let head =
            "POST \(prefix)\(path) HTTP/1.1\r\nHost: \(authority)\r\nConnection: close\r\n"
            + "Content-Type: application/x-www-form-urlencoded\r\n"
            + "Content-Length: \(form.utf8.count)\r\n\r\n"
        let bytes = try exchange(Array((head + form).utf8), timeout: timeout)
        guard let answer = CapturedResponse([bytes], bodyLimit: Self.limit) else {
            throw ServerFailure("\(authority) does not answer in HTTP")
        }
        let body: JSONValue
        do throws(JSONError) {
            body = try JSONValue(parsing: answer.body.raw)
        } catch {
            throw ServerFailure("\(authority) answers \(answer.status), and not in JSON")
        }
        guard body["status"]?.text == "success" else {
            throw ServerFailure(body["error"]?.text ?? "\(authority) answers \(answer.status)")
        }
        return body
    }

    private func exchange(_ request: [UInt8], timeout: Double) throws(ServerFailure) -> [UInt8] {
        let addresses: [SocketAddress]
        do throws(ResolveError) {
            addresses = try resolve(host: host, port: port)
        } catch {
            throw ServerFailure("lookup \(host): \(error)")
        }
        var failure = "lookup \(host): no address"
        for address in addresses {
            do throws(FileError) {
                return try WaitingConnection.exchange(
                    request, with: address, timeout: timeout, limit: Self.limit)
            } catch {
                failure = "\(address): \(error)"
            }
        }
        throw ServerFailure(failure)
    }

    /// Everything but letters and digits as percent escapes.
    private static func encoded(_ text: String) -> String {
        let digits = Array("0123456789ABCDEF")
        var result = ""
        for byte in text.utf8 {
            let scalar = Unicode.Scalar(byte)
            if scalar.isASCII, scalar.properties.isAlphabetic || ("0"..."9").contains(scalar) {
                result.unicodeScalars.append(scalar)
            } else {
                result += "%\(digits[Int(byte >> 4)])\(digits[Int(byte & 15)])"
            }
        }
        return result
    }
}
