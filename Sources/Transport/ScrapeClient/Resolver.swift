// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// Asks the system for addresses on threads of its own, because that may take seconds.
final class Resolver: Sendable {
    private let pool: BoundedPool

    init() throws(FileError) {
        pool = try BoundedPool("resolve", threads: 2, queueLimit: 10_000)
    }

    /// Posts the addresses of `host` (with port 0) to the mailbox when they are known.
    func resolve(_ host: String, for mailbox: Mailbox) {
        let isTaken = pool.submit {
            let result = Result { () throws(ResolveError) in
                try Platform.resolve(host: host, port: 0)
            }
            mailbox.post(.resolved(host: host, result))
        }
        if !isTaken { mailbox.post(.resolved(host: host, .failure(.temporary))) }
    }

    func close() { pool.close() }
}

/// The addresses that an event thread has heard of lately.
struct AddressCache {
    private struct Entry {
        var result: Result<[SocketAddress], ResolveError>
        var expires: UInt64
    }

    private var entries: [String: Entry] = [:]
    /// Nanoseconds for which an answer, and a refusal, is believed.
    private let lifetime: (answer: UInt64, refusal: UInt64) = (30_000_000_000, 2_000_000_000)

    func lookUp(
        _ host: String, now: UInt64
    ) -> Result<[SocketAddress], ResolveError>? {
        guard let entry = entries[host], entry.expires > now else { return nil }
        return entry.result
    }

    mutating func store(
        _ host: String, _ result: Result<[SocketAddress], ResolveError>, now: UInt64
    ) {
        if entries.count >= 4096 { entries = entries.filter { $0.value.expires > now } }
        let isAnswer = if case .success = result { true } else { false }
        let expires = now + (isAnswer ? lifetime.answer : lifetime.refusal)
        entries[host] = Entry(result: result, expires: expires)
    }
}
