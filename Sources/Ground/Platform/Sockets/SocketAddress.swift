// SPDX-License-Identifier: Apache-2.0

internal import CPlatform
internal import Glibc

/// An IPv4 or IPv6 address with a port.
package struct SocketAddress: Sendable, Hashable, CustomStringConvertible {
    /// Four or sixteen bytes, in network order.
    package let bytes: [UInt8]
    package let port: UInt16
    /// The interface of a link-local IPv6 address, else zero.
    package let scope: UInt32

    package init(bytes: [UInt8], port: UInt16, scope: UInt32 = 0) {
        precondition(bytes.count == 4 || bytes.count == 16, "an address has 4 or 16 bytes")
        self.bytes = bytes
        self.port = port
        self.scope = scope
    }

    /// Reads `127.0.0.1` or `::1` (without brackets); nil for a name.
    package init?(numeric text: String, port: UInt16) {
        var four = in_addr()
        var six = in6_addr()
        if unsafe inet_pton(AF_INET, text, &four) == 1 {
            self.init(bytes: unsafe withUnsafeBytes(of: four) { unsafe Array($0) }, port: port)
        } else if unsafe inet_pton(AF_INET6, text, &six) == 1 {
            self.init(bytes: unsafe withUnsafeBytes(of: six) { unsafe Array($0) }, port: port)
        } else {
            return nil
        }
    }

    package var isIPv6: Bool { bytes.count == 16 }
    package var family: Int { Int(isIPv6 ? AF_INET6 : AF_INET) }

    /// The address without the port: `127.0.0.1`, `fe80::1`.
    package var host: String {
        unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: 64) { text in
            let done = unsafe bytes.withUnsafeBytes {
                unsafe inet_ntop(Int32(family), $0.baseAddress!, text.baseAddress!, 64)
            }
            return unsafe done.map { unsafe String(cString: $0) } ?? ""
        }
    }

    /// As Go prints it: `127.0.0.1:80`, `[::1]:80`.
    package var description: String { isIPv6 ? "[\(host)]:\(port)" : "\(host):\(port)" }

    func withPointer<Result>(
        _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        if isIPv6 {
            var address = sockaddr_in6()
            address.sin6_family = sa_family_t(AF_INET6)
            address.sin6_port = port.bigEndian
            address.sin6_scope_id = scope
            unsafe withUnsafeMutableBytes(of: &address.sin6_addr) {
                unsafe $0.copyBytes(from: bytes)
            }
            return unsafe Self.lend(&address, body)
        }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        unsafe withUnsafeMutableBytes(of: &address.sin_addr) { unsafe $0.copyBytes(from: bytes) }
        return unsafe Self.lend(&address, body)
    }

    private static func lend<Address, Result>(
        _ address: inout Address, _ body: (UnsafePointer<sockaddr>, socklen_t) -> Result
    ) -> Result {
        unsafe withUnsafePointer(to: &address) { pointer in
            unsafe pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                unsafe body($0, socklen_t(MemoryLayout<Address>.size))
            }
        }
    }
}

/// Why a name has no address, in the words of Go's resolver.
package enum ResolveError: Error, Sendable, Hashable {
    case noSuchHost
    case temporary
    case other(String)

    package var message: String {
        switch self {
        case .noSuchHost: "no such host"
        case .temporary: "server misbehaving"
        case .other(let text): text
        }
    }
}

/// Asks the system for the addresses of a host, in the order to try them. Blocks for as long as the
/// name servers take, so never on an event thread.
package func resolve(host: String, port: UInt16) throws(ResolveError) -> [SocketAddress] {
    if let numeric = SocketAddress(numeric: host, port: port) { return [numeric] }
    var hints = unsafe addrinfo()
    unsafe hints.ai_family = AF_UNSPEC
    unsafe hints.ai_socktype = Int32(SOCK_STREAM.rawValue)
    var list: UnsafeMutablePointer<addrinfo>?
    let code = unsafe getaddrinfo(host, nil, &hints, &list)
    guard code == 0 else {
        switch code {
        case EAI_NONAME: throw .noSuchHost
        case EAI_AGAIN: throw .temporary
        // EAI_NODATA, which the headers hide: the name exists, without an address.
        case -5: throw .noSuchHost
        default: throw .other(unsafe String(cString: gai_strerror(code)))
        }
    }
    defer { unsafe freeaddrinfo(list) }
    var found: [SocketAddress] = []
    var next = unsafe list
    while let entry = unsafe next {
        if let raw = unsafe entry.pointee.ai_addr {
            let address = unsafe SocketAddress(raw)?.with(port: port)
            if let address, !found.contains(address) { found.append(address) }
        }
        unsafe next = entry.pointee.ai_next
    }
    guard !found.isEmpty else { throw .noSuchHost }
    return found
}

extension SocketAddress {
    /// Reads the system's form; nil for other families than IP. `raw` is as long as its family
    /// says.
    init?(_ raw: UnsafePointer<sockaddr>) {
        switch unsafe Int32(raw.pointee.sa_family) {
        case AF_INET:
            let found = unsafe UnsafeRawPointer(raw).loadUnaligned(as: sockaddr_in.self)
            self.init(
                bytes: unsafe withUnsafeBytes(of: found.sin_addr) { unsafe Array($0) },
                port: UInt16(bigEndian: found.sin_port))
        case AF_INET6:
            let found = unsafe UnsafeRawPointer(raw).loadUnaligned(as: sockaddr_in6.self)
            self.init(
                bytes: unsafe withUnsafeBytes(of: found.sin6_addr) { unsafe Array($0) },
                port: UInt16(bigEndian: found.sin6_port), scope: found.sin6_scope_id)
        default: return nil
        }
    }

    package func with(port: UInt16) -> SocketAddress {
        SocketAddress(bytes: bytes, port: port, scope: scope)
    }
}
