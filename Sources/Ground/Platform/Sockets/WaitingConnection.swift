// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// One request and its whole answer over TCP, on the thread of the caller, which waits. For tools:
/// a server has event loops.
package enum WaitingConnection {
    /// Sends `request` and returns all that the other end sends until it closes. `timeout` is in
    /// seconds and holds for all of it; more than `limit` bytes are refused.
    package static func exchange(
        _ request: [UInt8], with address: SocketAddress, timeout: Double, limit: Int
    ) throws(FileError) -> [UInt8] {
        let deadline = monotonicNanoseconds() + UInt64(max(0, min(timeout, 1e9)) * 1e9)
        let socket = try StreamSocket.connecting(to: address)
        defer { socket.close() }
        try wait(socket, Int16(POLLOUT), deadline, "connect")
        let code = socket.connectError
        guard code == 0 else { throw FileError(operation: "connect", path: "", code: code) }
        var sent = 0
        while sent < request.count {
            let rest = unsafe request.span.extracting(sent...).bytes
            switch socket.send(rest) {
            case .moved(let count): sent += count
            case .wouldBlock: try wait(socket, Int16(POLLOUT), deadline, "write")
            case .end: throw FileError(operation: "write", path: "", code: EPIPE)
            case .failed(let code): throw FileError(operation: "write", path: "", code: code)
            }
        }
        return try receive(socket, deadline, limit)
    }

    private static func receive(
        _ socket: StreamSocket, _ deadline: UInt64, _ limit: Int
    ) throws(FileError) -> [UInt8] {
        var answer: [UInt8] = []
        var piece = [UInt8](repeating: 0, count: 64 << 10)
        while true {
            let progress = unsafe piece.withUnsafeMutableBytes { unsafe socket.receive(into: $0) }
            switch progress {
            case .moved(let count):
                guard answer.count + count <= limit else {
                    throw FileError(operation: "read", path: "", code: EFBIG)
                }
                answer.append(contentsOf: piece[..<count])
            case .wouldBlock: try wait(socket, Int16(POLLIN), deadline, "read")
            case .end: return answer
            case .failed(let code): throw FileError(operation: "read", path: "", code: code)
            }
        }
    }

    private static func wait(
        _ socket: StreamSocket, _ events: Int16, _ deadline: UInt64, _ operation: String
    ) throws(FileError) {
        while true {
            let now = monotonicNanoseconds()
            guard now < deadline else {
                throw FileError(operation: operation, path: "", code: ETIMEDOUT)
            }
            var entry = pollfd(fd: socket.descriptor, events: events, revents: 0)
            let milliseconds = Int32(min(60_000, (deadline - now) / 1_000_000 + 1))
            let count = unsafe poll(&entry, 1, milliseconds)
            if count > 0 { return }
            if count < 0, errno != EINTR {
                throw FileError(operation: operation, path: "", code: errno)
            }
        }
    }
}
