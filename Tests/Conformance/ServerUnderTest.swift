// SPDX-License-Identifier: Apache-2.0

import Foundation

/// The program under test, started on a free loopback port with a folder of its own. `NARTHEX_BIN`
/// names the program; any that takes Prometheus' flags will do.
final class ServerUnderTest {
    struct Failure: Error, CustomStringConvertible {
        var description: String
    }

    private let process = Process()
    private let folder: URL
    private let port: UInt16

    static var program: String {
        ProcessInfo.processInfo.environment["NARTHEX_BIN"] ?? ".build/release/narthex"
    }

    /// `data` is a data folder to serve a copy of.
    init(
        configuration: String = "global: {}\n", data: URL? = nil, flags: [String]
    ) throws {
        guard FileManager.default.isExecutableFile(atPath: Self.program) else {
            throw Failure(
                description: "no program at \(Self.program); build it or set NARTHEX_BIN")
        }
        folder = FileManager.default.temporaryDirectory
            .appendingPathComponent("narthex-conformance-\(UUID().uuidString)")
        try FileManager.default.createDirectory(at: folder, withIntermediateDirectories: true)
        let file = folder.appendingPathComponent("prometheus.yml")
        try configuration.write(to: file, atomically: true, encoding: .utf8)
        if let data { try Self.copy(data, to: folder.appendingPathComponent("data")) }
        port = LoopbackConnection.freePort()
        process.executableURL = URL(fileURLWithPath: Self.program)
        process.arguments =
            [
                "--config.file=\(file.path)",
                "--storage.tsdb.path=\(folder.appendingPathComponent("data").path)",
                "--web.listen-address=127.0.0.1:\(port)",
            ] + flags
        let log = folder.appendingPathComponent("log")
        try Data().write(to: log)
        process.standardOutput = try FileHandle(forWritingTo: log)
        process.standardError = process.standardOutput
        try process.run()
        try waitUntilReady(log)
    }

    /// Copies files and folders as writable ones, whatever they were.
    private static func copy(_ source: URL, to target: URL) throws {
        let manager = FileManager.default
        try manager.createDirectory(at: target, withIntermediateDirectories: true)
        for name in try manager.contentsOfDirectory(atPath: source.path) {
            let from = source.appendingPathComponent(name)
            let to = target.appendingPathComponent(name)
            var isDirectory: ObjCBool = false
            _ = manager.fileExists(atPath: from.path, isDirectory: &isDirectory)
            if isDirectory.boolValue {
                try copy(from, to: to)
            } else {
                try Data(contentsOf: from).write(to: to)
            }
        }
    }

    private func waitUntilReady(_ log: URL) throws {
        for _ in 0..<300 {
            if let answer = try? send("GET", "/-/ready"), answer.status == 200 { return }
            guard process.isRunning else {
                let text = (try? String(contentsOf: log, encoding: .utf8)) ?? ""
                throw Failure(description: "\(Self.program) ended: \(text.suffix(500))")
            }
            poll(nil, 0, 100)  // a tenth of a second between attempts
        }
        throw Failure(description: "\(Self.program) does not become ready")
    }

    func stop() {
        process.terminate()
        process.waitUntilExit()
        try? FileManager.default.removeItem(at: folder)
    }

    /// Sends one request on a connection of its own. `parameters` go into the URL.
    func send(
        _ method: String, _ path: String, parameters: [(String, String)] = [],
        headers: [(String, String)] = [], body: Data? = nil
    ) throws -> HTTPAnswer {
        let query = parameters.isEmpty ? "" : "?" + formEncoded(parameters)
        let lines =
            ["\(method) \(path)\(query) HTTP/1.1", "Host: 127.0.0.1:\(port)", "Connection: close"]
            + headers.map { "\($0.0): \($0.1)" }
            + (body.map { ["Content-Length: \($0.count)"] } ?? [])
        let head = Data((lines.joined(separator: "\r\n") + "\r\n\r\n").utf8)
        return try LoopbackConnection(port).exchange(head + (body ?? Data()))
    }
}

/// Pairs as `application/x-www-form-urlencoded`.
func formEncoded(_ pairs: [(String, String)]) -> String {
    let plain = CharacterSet(
        charactersIn: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.~")
    func encoded(_ text: String) -> String {
        text.addingPercentEncoding(withAllowedCharacters: plain)!
    }
    return pairs.map { "\(encoded($0.0))=\(encoded($0.1))" }.joined(separator: "&")
}

struct HTTPAnswer {
    var status: Int
    /// Names in lower case.
    var headers: [String: String]
    var body: Data

    var json: Any? { try? JSONSerialization.jsonObject(with: body, options: .fragmentsAllowed) }
}

/// One request and its answer over a raw socket.
struct LoopbackConnection {
    private let descriptor: Int32

    init(_ port: UInt16) throws {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var patience = timeval(tv_sec: 60, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience,
            socklen_t(MemoryLayout<timeval>.size))
        let isConnected = Self.withAddress(port) { connect(descriptor, $0, $1) } == 0
        guard isConnected else {
            close(descriptor)
            throw ServerUnderTest.Failure(description: "no connection")
        }
    }

    /// A port that nobody listens on now.
    static func freePort() -> UInt16 {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        defer { close(descriptor) }
        _ = withAddress(0) { bind(descriptor, $0, $1) }
        var address = sockaddr_in()
        var size = socklen_t(MemoryLayout<sockaddr_in>.size)
        _ = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                getsockname(descriptor, $0, &size)
            }
        }
        return UInt16(bigEndian: address.sin_port)
    }

    private static func withAddress(
        _ port: UInt16, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Int32
    ) -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                body($0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    func exchange(_ request: Data) throws -> HTTPAnswer {
        defer { close(descriptor) }
        var sent = 0
        let bytes = [UInt8](request)
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Foundation.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { break }
            sent += count
        }
        var received = Data()
        var buffer = [UInt8](repeating: 0, count: 65536)
        while true {
            let count = recv(descriptor, &buffer, buffer.count, 0)
            if count <= 0 { break }
            received.append(contentsOf: buffer[..<count])
        }
        guard let end = received.firstRange(of: Data("\r\n\r\n".utf8)) else {
            throw ServerUnderTest.Failure(description: "the connection was dropped")
        }
        return Self.parse(received[..<end.lowerBound], received[end.upperBound...])
    }

    private static func parse(_ head: Data, _ body: Data) -> HTTPAnswer {
        let lines = String(decoding: head, as: UTF8.self).components(separatedBy: "\r\n")
        let status = Int(lines[0].split(separator: " ")[1]) ?? 0
        var headers: [String: String] = [:]
        for line in lines.dropFirst() {
            let parts = line.split(separator: ":", maxSplits: 1)
            guard parts.count == 2 else { continue }
            headers[parts[0].lowercased()] = parts[1].trimmingCharacters(in: .whitespaces)
        }
        let isChunked = headers["transfer-encoding"] == "chunked"
        return HTTPAnswer(
            status: status, headers: headers, body: isChunked ? unchunked(body) : Data(body))
    }

    private static func unchunked(_ body: Data) -> Data {
        var rest = body[...]
        var result = Data()
        while let end = rest.firstRange(of: Data("\r\n".utf8)),
            let size = Int(String(decoding: rest[..<end.lowerBound], as: UTF8.self), radix: 16),
            size > 0
        {
            result += rest[end.upperBound...].prefix(size)
            rest = rest[end.upperBound...].dropFirst(size + 2)
        }
        return result
    }
}
