// SPDX-License-Identifier: Apache-2.0

import Glibc

/// A blocking loopback connection that sends bytes as they are and reads what comes.
final class RawClient {
    private let descriptor: Int32
    private var pending: [UInt8] = []

    /// Connects to `127.0.0.1:port`.
    init(_ address: String) {
        descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var target = sockaddr_in()
        target.sin_family = sa_family_t(AF_INET)
        target.sin_port = in_port_t(UInt16(address.split(separator: ":").last!)!).bigEndian
        target.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var patience = timeval(tv_sec: 20, tv_usec: 0)
        setsockopt(
            descriptor, SOL_SOCKET, SO_RCVTIMEO, &patience,
            socklen_t(MemoryLayout<timeval>.size))
        withUnsafePointer(to: &target) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                _ = connect(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size))
            }
        }
    }

    deinit { close() }

    private var isClosed = false
    func close() {
        if isClosed { return }
        isClosed = true
        Glibc.close(descriptor)
    }

    func send(_ text: String) { send(Array(text.utf8)) }
    func send(_ bytes: [UInt8]) {
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            if count <= 0 { return }
            sent += count
        }
    }

    /// The next bytes; empty at the end of the connection.
    private func receive() -> [UInt8] {
        var buffer = [UInt8](repeating: 0, count: 65536)
        let count = recv(descriptor, &buffer, buffer.count, 0)
        return Array(buffer.prefix(max(0, count)))
    }

    struct Answer {
        var status = 0
        var headers: [String: String] = [:]
        var body: [UInt8] = []
        var text: String { String(decoding: body, as: UTF8.self) }
    }

    private func line() -> String? {
        while true {
            if let end = pending.firstIndex(of: 10) {
                let line = String(decoding: pending[..<end], as: UTF8.self)
                pending.removeSubrange(...end)
                return line.hasSuffix("\r") ? String(line.dropLast()) : line.filter { $0 != "\r\n" }
            }
            let more = receive()
            if more.isEmpty { return nil }
            pending += more
        }
    }

    private func take(_ count: Int) -> [UInt8] {
        while pending.count < count {
            let more = receive()
            if more.isEmpty { break }
            pending += more
        }
        let taken = Array(pending.prefix(count))
        pending.removeFirst(taken.count)
        return taken
    }

    /// Reads one answer; nil at the end of the connection.
    func answer(hasBody: Bool = true) -> Answer? {
        guard let first = line() else { return nil }
        var answer = Answer()
        answer.status = Int(first.split(separator: " ")[1])!
        while let header = line(), !header.isEmpty {
            let parts = header.split(separator: ":", maxSplits: 1)
            answer.headers[parts[0].lowercased()] =
                String(parts[1].drop { $0 == " " })
        }
        guard hasBody, answer.status >= 200 else { return answer }
        if answer.headers["transfer-encoding"] == "chunked" {
            while let size = line().flatMap({ Int($0, radix: 16) }) {
                answer.body += take(size)
                _ = line()
                if size == 0 { break }
            }
        } else if let length = answer.headers["content-length"].flatMap({ Int($0) }) {
            answer.body = take(length)
        } else if answer.status != 204 {
            answer.body = take(.max)
        }
        return answer
    }
}
