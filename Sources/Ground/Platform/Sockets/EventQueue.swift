// SPDX-License-Identifier: Apache-2.0

internal import CPlatform
internal import Glibc

/// What a socket is, or shall be, watched for.
package struct Readiness: OptionSet, Sendable, Hashable {
    package let rawValue: UInt32
    package init(rawValue: UInt32) { self.rawValue = rawValue }

    package static let readable = Readiness(rawValue: UInt32(narthex_readable))
    package static let writable = Readiness(rawValue: UInt32(narthex_writable))
    /// Reported unasked: an error, or both directions closed.
    package static let failed = Readiness(
        rawValue: UInt32(narthex_failed | narthex_hung_up))
    package static let peerClosed = Readiness(rawValue: UInt32(narthex_peer_closed))

    /// Receiving will bring something: bytes, the end, or an error.
    package var allowsReceiving: Bool {
        let wanted = Self.readable.rawValue | Self.failed.rawValue | Self.peerClosed.rawValue
        return rawValue & wanted != 0
    }
}

/// Waits on many descriptors at once (epoll, level-triggered). One thread waits; any thread may
/// add, change, remove, or wake the waiting one.
package final class EventQueue: Sendable {
    package struct Event: Sendable, Hashable {
        package var token: UInt64
        package var readiness: Readiness
    }

    /// The token of the queue's own wake-up, which `wait` swallows.
    private static let wakeToken = UInt64.max
    private let epoll: Int32
    private let wakeup: Int32

    package init() throws(FileError) {
        epoll = narthex_epoll_create()
        guard epoll >= 0 else {
            throw FileError(operation: "epoll_create", path: "", code: errno)
        }
        wakeup = narthex_eventfd()
        guard wakeup >= 0,
            narthex_epoll_add(epoll, wakeup, Readiness.readable.rawValue, Self.wakeToken) == 0
        else {
            let code = errno
            close(epoll)
            if wakeup >= 0 { close(wakeup) }
            throw FileError(operation: "eventfd", path: "", code: code)
        }
    }

    deinit {
        close(epoll)
        close(wakeup)
    }

    /// Watches a descriptor; `token` comes back with its events. Zero, or an errno.
    package func add(_ descriptor: Int32, _ wanted: Readiness, token: UInt64) -> Int32 {
        narthex_epoll_add(epoll, descriptor, wanted.rawValue, token) == 0 ? 0 : errno
    }

    package func change(_ descriptor: Int32, _ wanted: Readiness, token: UInt64) -> Int32 {
        narthex_epoll_change(epoll, descriptor, wanted.rawValue, token) == 0 ? 0 : errno
    }

    package func remove(_ descriptor: Int32) { _ = narthex_epoll_remove(epoll, descriptor) }

    /// Waits until something happens, another thread calls `wake`, or `milliseconds` have passed
    /// (negative: without end). Replaces the contents of `events`.
    package func wait(milliseconds: Int32, into events: inout [Event]) {
        events.removeAll(keepingCapacity: true)
        let capacity = 256
        unsafe withUnsafeTemporaryAllocation(of: narthex_event.self, capacity: capacity) { found in
            let count = unsafe narthex_epoll_wait(
                epoll, found.baseAddress!, Int32(capacity), milliseconds)
            for index in 0..<max(0, Int(count)) {
                let event = unsafe found[index]
                if event.token == Self.wakeToken {
                    drainWakeup()
                } else {
                    events.append(
                        Event(token: event.token, readiness: Readiness(rawValue: event.events)))
                }
            }
        }
    }

    /// Makes a `wait` in progress, or else the next one, return at once.
    package func wake() {
        var one: UInt64 = 1
        unsafe _ = write(wakeup, &one, 8)
    }

    private func drainWakeup() {
        var count: UInt64 = 0
        unsafe _ = read(wakeup, &count, 8)
    }
}
