// SPDX-License-Identifier: Apache-2.0

import Glibc
import Platform
import Synchronization

/// A server on the loopback that answers by script: what it sends, when it closes. One thread
/// accepts and each connection has its own.
final class LoopbackServer: Sendable {
    /// Called with the number of the connection, of the request on it, and the request's text.
    /// Writes to the descriptor what it likes; false closes the connection.
    typealias Script = @Sendable (Peer) -> Bool

    struct Peer {
        let descriptor: Int32
        let connection: Int
        let request: Int
        let text: String

        func send(_ text: String) { send(Array(text.utf8)) }

        @discardableResult
        func send(_ bytes: [UInt8]) -> Bool {
            var done = 0
            while done < bytes.count {
                let count = bytes[done...].withUnsafeBytes {
                    Glibc.send(descriptor, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
                }
                if count <= 0 { return false }
                done += count
            }
            return true
        }

        /// Closes so that the other side sees a reset.
        func reset() {
            var linger = Glibc.linger(l_onoff: 1, l_linger: 0)
            setsockopt(
                descriptor, SOL_SOCKET, SO_LINGER, &linger,
                socklen_t(MemoryLayout<Glibc.linger>.size))
        }
    }

    let port: UInt16
    private let listener: Int32
    private let script: Script

    init(_ script: @escaping Script) throws {
        self.script = script
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let listener = listener
        let isBound = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && listen(listener, 64) == 0
                    && getsockname(listener, $0, &length) == 0
            }
        }
        precondition(isBound, "the loopback is there")
        port = UInt16(bigEndian: address.sin_port)
        _ = try SystemThread("test-server") { [listener, script] in
            var count = 0
            while true {
                let descriptor = accept(listener, nil, nil)
                if descriptor < 0 { return }
                let connection = count
                count += 1
                _ = try? SystemThread("test-peer") {
                    LoopbackServer.serve(descriptor, connection, script)
                }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
    }

    private static func serve(_ descriptor: Int32, _ connection: Int, _ script: Script) {
        defer { close(descriptor) }
        var request = 0
        var text = ""
        var bytes = [UInt8](repeating: 0, count: 4096)
        while true {
            let count = recv(descriptor, &bytes, bytes.count, 0)
            if count <= 0 { return }
            text += String(decoding: bytes[..<count], as: UTF8.self)
            guard text.hasSuffix("\r\n\r\n") else { continue }
            let peer = Peer(
                descriptor: descriptor, connection: connection, request: request, text: text)
            guard script(peer) else { return }
            request += 1
            text = ""
        }
    }

    func url(_ path: String = "/metrics") -> String { "http://127.0.0.1:\(port)\(path)" }
}
