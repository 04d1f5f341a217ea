// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// A target with its kept connection. Belongs to one event thread.
final class ScrapeTarget {
    let id: UInt64
    let request: ScrapeRequest
    let schedule: Schedule
    let responder: any ScrapeResponder
    /// When it is due next.
    var scheduled: Int64
    var connection: Connection?
    var exchange: Exchange?
    /// Set while there is an exchange.
    var timeout: Timer?
    /// Counts its scrapes, so that the timeout of an earlier one is recognised.
    var serial: UInt32 = 0

    init(
        _ id: UInt64, _ request: ScrapeRequest, _ schedule: Schedule,
        _ responder: any ScrapeResponder, now: Int64
    ) {
        self.id = id
        self.request = request
        self.schedule = schedule
        self.responder = responder
        scheduled = schedule.first(notBefore: now)
    }
}

/// A connection to a target, and the seam for others than plain ones: all that is sent to or
/// received from a target goes through here.
struct Connection {
    enum Phase {
        case connecting
        case established
    }

    let socket: StreamSocket
    let address: SocketAddress
    /// Host and port that it was opened for, so that a redirect elsewhere does not use it.
    let host: String
    var phase = Phase.connecting

    /// `read tcp 10.0.0.1:5000->10.0.0.2:80`, as Go begins an error about a connection that stood.
    func describe(_ operation: String) -> String {
        let local = socket.localAddress.map(\.description) ?? ""
        return "\(operation) tcp \(local)->\(address)"
    }
}

struct ScrapeStart {
    let scheduled: Int64
    let wallClock: Int64
    let nanoseconds: UInt64
}

/// One scrape from its beginning to its result, over as many requests as redirects and a retry
/// need.
final class Exchange {
    let start: ScrapeStart
    var location: HTTPLocation
    var redirects = 0
    /// The request went out on a kept connection, which the peer may have closed meanwhile.
    var isOnKeptConnection = false
    var dialing = Dialing()
    /// What of the request the socket has not taken yet.
    var unsent: ArraySlice<UInt8> = []
    var parser: ResponseParser
    /// Lent when the first byte can be had.
    var buffer: ResponseBuffer?

    init(_ location: HTTPLocation, _ start: ScrapeStart, bodyLimit: Int) {
        self.location = location
        self.start = start
        parser = ResponseParser(bodyLimit: bodyLimit)
    }
}

/// The addresses of a host that are still to be tried, and how the first attempt ended, which is
/// what is reported where none succeeds.
struct Dialing {
    var addresses: ArraySlice<SocketAddress> = []
    var firstFailure: String?

    mutating func note(_ failure: String) { firstFailure = firstFailure ?? failure }
}
