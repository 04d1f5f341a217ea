// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Platform

/// The life of a scrape: address, connection, request, answer. Every path ends in `deliver`.
extension ScrapeLoop {
    func begin(_ target: ScrapeTarget, _ start: ScrapeStart) {
        let exchange = Exchange(
            target.request.location, start, bodyLimit: transferLimit(target.request))
        target.exchange = exchange
        open(target, exchange)
    }

    /// The most bytes of a body that may come over the wire: packed ones can be a little longer
    /// than what they hold.
    func transferLimit(_ request: ScrapeRequest) -> Int {
        let limit = bodyLimit(request)
        return limit + limit / 512 + 4096
    }

    /// The plain body must be shorter than this.
    func bodyLimit(_ request: ScrapeRequest) -> Int {
        let limit = configuration.largestBody
        return request.bodyLimit > 0 ? min(request.bodyLimit, limit) : limit
    }

    /// Sends the request for the exchange's location on the kept connection or on a new one.
    func open(_ target: ScrapeTarget, _ exchange: Exchange) {
        if let connection = target.connection {
            if connection.host == exchange.location.authority {
                exchange.isOnKeptConnection = true
                return sendRequest(target, exchange)
            }
            closeConnection(target)
        }
        exchange.isOnKeptConnection = false
        exchange.dialing = Dialing()
        let host = exchange.location.host
        if let numeric = SocketAddress(numeric: host, port: 0) {
            connect(target, .success([numeric]))
        } else if let known = addresses.lookUp(host, now: monotonicNanoseconds()) {
            connect(target, known)
        } else {
            if awaitingAddresses[host] == nil { resolver.resolve(host, for: mailbox) }
            awaitingAddresses[host, default: []].append(target.id)
        }
    }

    func connect(_ target: ScrapeTarget, _ result: Result<[SocketAddress], ResolveError>) {
        guard let exchange = target.exchange else { return }
        switch result {
        case .success(let found):
            let port = exchange.location.port
            exchange.dialing.addresses = found.map { $0.with(port: port) }[...]
            connectNext(target, exchange)
        case .failure(let error):
            failRequest(target, "dial tcp: lookup \(exchange.location.host): \(error.message)")
        }
    }

    private func connectNext(_ target: ScrapeTarget, _ exchange: Exchange) {
        while let address = exchange.dialing.addresses.popFirst() {
            do {
                let socket = try StreamSocket.connecting(to: address)
                let code = events.add(socket.descriptor, .writable, token: target.id)
                guard code == 0 else {
                    socket.close()
                    exchange.dialing.note("dial tcp \(address): epoll: \(systemErrorText(code))")
                    continue
                }
                target.connection = Connection(
                    socket: socket, address: address, host: exchange.location.authority)
                return
            } catch {
                let text = "\(error.operation): \(systemErrorText(error.code))"
                exchange.dialing.note("dial tcp \(address): \(text)")
            }
        }
        failRequest(target, exchange.dialing.firstFailure ?? "dial tcp: no address")
    }

    func handle(_ readiness: Readiness, of target: ScrapeTarget) {
        guard let connection = target.connection else { return }
        guard let exchange = target.exchange else {
            // At rest a peer has nothing to say but that it goes.
            return closeConnection(target)
        }
        if connection.phase == .connecting {
            return finishConnecting(target, exchange, connection)
        }
        if !exchange.unsent.isEmpty, readiness.contains(.writable) {
            send(target, exchange)
            if exchange.unsent.isEmpty { watch(connection, [.readable], target) }
        }
        if readiness.allowsReceiving, target.exchange === exchange, target.connection != nil {
            receive(target, exchange)
        }
    }

    private func finishConnecting(
        _ target: ScrapeTarget, _ exchange: Exchange, _ connection: Connection
    ) {
        let code = connection.socket.connectError
        guard code == 0 else {
            closeConnection(target)
            let text = "connect: \(systemErrorText(code))"
            exchange.dialing.note("dial tcp \(connection.address): \(text)")
            return connectNext(target, exchange)
        }
        target.connection?.phase = .established
        watch(connection, [.readable], target)
        sendRequest(target, exchange)
    }

    private func watch(_ connection: Connection, _ wanted: Readiness, _ target: ScrapeTarget) {
        _ = events.change(connection.socket.descriptor, wanted, token: target.id)
    }

    private func sendRequest(_ target: ScrapeTarget, _ exchange: Exchange) {
        let location = exchange.location
        var writer = ByteWriter(capacity: 256 + target.request.headers.count)
        writer.append("GET ")
        writer.append(location.target)
        writer.append(" HTTP/1.1\r\nHost: ")
        writer.append(location.authority)
        writer.append("\r\n")
        writer.append(target.request.headers)
        if location.host == target.request.location.host {
            writer.append(target.request.credentials)
        }
        writer.append("\r\n")
        exchange.unsent = writer.bytes[...]
        send(target, exchange)
    }

    private func send(_ target: ScrapeTarget, _ exchange: Exchange) {
        guard let connection = target.connection else { return }
        while !exchange.unsent.isEmpty {
            switch unsafe connection.socket.send(exchange.unsent.span.bytes) {
            case .moved(let count): exchange.unsent.removeFirst(count)
            case .wouldBlock: return watch(connection, [.readable, .writable], target)
            case .end: return
            case .failed(let code):
                if exchange.isOnKeptConnection { return reopen(target, exchange) }
                let text = "\(connection.describe("write")): write: \(systemErrorText(code))"
                return failRequest(target, text)
            }
        }
    }

    /// A kept connection that its peer had closed: the request goes out once more, on a new one.
    func reopen(_ target: ScrapeTarget, _ exchange: Exchange) {
        closeConnection(target)
        open(target, exchange)
    }
}
