// SPDX-License-Identifier: Apache-2.0

internal import CPlatform
internal import Glibc

/// A non-blocking TCP connection. A plain value around a descriptor: whoever holds it closes it.
package struct StreamSocket: Sendable, Hashable {
    package let descriptor: Int32

    /// What a receive or send came to.
    package enum Progress: Sendable, Hashable {
        case moved(Int)
        /// Nothing to be had now; wait for readiness.
        case wouldBlock
        /// The peer has said all it will say.
        case end
        case failed(code: Int32)
    }

    /// Begins to connect; readiness to write tells that it is decided, `connectError` how.
    package static func connecting(
        to address: SocketAddress
    ) throws(FileError) -> StreamSocket {
        let descriptor = narthex_stream_socket(Int32(address.family))
        guard descriptor >= 0 else { throw FileError(operation: "socket", path: "", code: errno) }
        _ = narthex_set_no_delay(descriptor)
        let code = unsafe address.withPointer { pointer, length in
            unsafe connect(descriptor, pointer, length) == 0 ? 0 : errno
        }
        guard code == 0 || code == EINPROGRESS else {
            Glibc.close(descriptor)
            throw FileError(operation: "connect", path: "", code: code)
        }
        return StreamSocket(descriptor: descriptor)
    }

    /// The errno that connecting ended with; zero where the connection stands.
    package var connectError: Int32 { narthex_socket_error(descriptor) }

    /// Our end of the connection.
    package var localAddress: SocketAddress? {
        var storage = sockaddr_storage()
        var length = socklen_t(MemoryLayout<sockaddr_storage>.size)
        return unsafe withUnsafeMutablePointer(to: &storage) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { address in
                guard unsafe getsockname(descriptor, address, &length) == 0 else { return nil }
                return unsafe SocketAddress(address)
            }
        }
    }

    package func receive(into buffer: UnsafeMutableRawBufferPointer) -> Progress {
        let count = unsafe narthex_receive(descriptor, buffer.baseAddress, buffer.count)
        if count > 0 { return .moved(count) }
        return count == 0 ? .end : failure()
    }

    package func send(_ bytes: RawSpan) -> Progress {
        let count = unsafe bytes.withUnsafeBytes {
            unsafe narthex_send(descriptor, $0.baseAddress, $0.count)
        }
        return count >= 0 ? .moved(count) : failure()
    }

    private func failure() -> Progress {
        errno == EAGAIN || errno == EWOULDBLOCK ? .wouldBlock : .failed(code: errno)
    }

    package func close() { _ = Glibc.close(descriptor) }
}
