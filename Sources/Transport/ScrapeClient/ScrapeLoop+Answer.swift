// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Compression
internal import Platform

/// From the first byte of an answer to the responder.
extension ScrapeLoop {
    /// How often in a row one connection is read before the others get their turn.
    private static let readsPerTurn = 8

    func receive(_ target: ScrapeTarget, _ exchange: Exchange) {
        guard let connection = target.connection else { return }
        for _ in 0..<Self.readsPerTurn {
            var buffer = exchange.buffer.take() ?? buffers.take()
            let room = buffer.room - buffer.filled
            let progress = buffer.receive(from: connection.socket)
            switch progress {
            case .moved(let count):
                guard let isWhole = advance(target, exchange, &buffer) else {
                    return buffers.giveBack(buffer)
                }
                exchange.buffer = buffer
                if isWhole { return complete(target, exchange) }
                // Less than there was room for: the socket is empty.
                if count < room { return }
            case .wouldBlock:
                if buffer.filled > 0 { exchange.buffer = buffer } else { buffers.giveBack(buffer) }
                return
            case .end:
                return end(target, exchange, buffer)
            case .failed(let code):
                let hasBegun = buffer.filled > 0
                defer { buffers.giveBack(buffer) }
                if !hasBegun, exchange.isOnKeptConnection { return reopen(target, exchange) }
                let text = "\(connection.describe("read")): read: \(systemErrorText(code))"
                if exchange.parser.head != nil { return fail(target, .transport(text)) }
                do {
                    try exchange.parser.checkPartialHead(buffer)
                    return failRequest(target, text)
                } catch {
                    return fail(target, exchange, error)
                }
            }
        }
    }

    /// Whether the answer is whole. Nil where it cannot be understood, which has then been
    /// reported.
    private func advance(
        _ target: ScrapeTarget, _ exchange: Exchange, _ buffer: inout ResponseBuffer
    ) -> Bool? {
        do {
            let isWhole = try exchange.parser.advance(&buffer)
            // The body of any other answer is of no interest; it is not waited for.
            if let head = exchange.parser.head, head.code != 200 { return true }
            return isWhole
        } catch {
            fail(target, exchange, error)
            return nil
        }
    }

    private func end(
        _ target: ScrapeTarget, _ exchange: Exchange, _ buffer: consuming ResponseBuffer
    ) {
        do {
            try exchange.parser.end(buffer)
            exchange.buffer = buffer
            complete(target, exchange)
        } catch {
            buffers.giveBack(buffer)
            if error == .endOfStream, exchange.isOnKeptConnection {
                return reopen(target, exchange)
            }
            fail(target, exchange, error)
        }
    }

    private func complete(_ target: ScrapeTarget, _ exchange: Exchange) {
        guard let head = exchange.parser.head else { return }
        let isAllRead = exchange.buffer?.filled == exchange.parser.body.upperBound
        if !head.keepsConnection || head.code != 200 || !isAllRead { closeConnection(target) }
        if head.isRedirect, target.request.followsRedirects {
            return redirect(target, exchange, head.location ?? "")
        }
        guard head.code == 200 else { return fail(target, .status(head.status)) }
        deliverBody(target, exchange, head)
    }

    private func redirect(_ target: ScrapeTarget, _ exchange: Exchange, _ reference: String) {
        let location: HTTPLocation
        do {
            location = try exchange.location.following(reference)
        } catch .unparsable(let fault) {
            let parse = "parse \"\(reference)\": \(fault)"
            return failRequest(
                target, "failed to parse Location header \"\(reference)\": \(parse)")
        } catch {
            return fail(target, .transport("Get \"\(reference)\": \(error)"))
        }
        exchange.location = location
        exchange.redirects += 1
        guard exchange.redirects < 10 else {
            return fail(
                target, .transport("Get \"\(reference)\": stopped after 10 redirects"))
        }
        takeBackBuffer(target)
        exchange.parser = ResponseParser(bodyLimit: transferLimit(target.request))
        open(target, exchange)
    }

    private func deliverBody(
        _ target: ScrapeTarget, _ exchange: Exchange, _ head: ResponseHead
    ) {
        guard let buffer = exchange.buffer.take() else { return }
        defer { buffers.giveBack(buffer) }
        let limit = bodyLimit(target.request)
        let body = buffer.bytes.raw.extracting(exchange.parser.body)
        guard head.contentEncoding == "gzip" else {
            guard body.byteCount < limit else { return fail(target, .bodyTooLarge) }
            return deliver(target, exchange, body, nil)
        }
        do {
            let count = try gzip.decode(gzip: body, into: &unpacked, limit: limit - 1)
            deliver(target, exchange, unpacked.raw.extracting(0..<count), nil)
        } catch .tooLarge {
            fail(target, .bodyTooLarge)
        } catch {
            fail(target, .encoding(error.description))
        }
        // A body beyond the usual is rare; its room is not kept.
        if unpacked.count > Self.largestKeptRoom { unpacked = [] }
    }

    private static var largestKeptRoom: Int { 4 << 20 }

    private func fail(_ target: ScrapeTarget, _ exchange: Exchange, _ error: ResponseError) {
        let broken = "net/http: HTTP/1.x transport connection broken: "
        switch error {
        case .malformedHead(let text): failRequest(target, broken + text)
        case .headTooLarge:
            let limit = ResponseParser.largestHead
            failRequest(
                target,
                broken + "net/http: server response headers exceeded \(limit) bytes; aborted")
        case .malformedBody(let text): fail(target, .transport(text))
        case .bodyTooLarge: fail(target, .bodyTooLarge)
        case .endOfStream: failRequest(target, "EOF")
        case .unexpectedEnd(inBody: false): failRequest(target, broken + "unexpected EOF")
        case .unexpectedEnd(inBody: true): fail(target, .transport("unexpected EOF"))
        }
    }

    /// Reports that no answer came, as Go's client words it.
    func failRequest(_ target: ScrapeTarget, _ text: String) {
        let url = target.exchange?.location.url ?? target.request.url
        fail(target, .transport("Get \"\(url)\": \(text)"))
    }

    /// Reports a failure. A connection that has not brought its answer to the end is of no more
    /// use.
    func fail(_ target: ScrapeTarget, _ failure: ScrapeFailure) {
        guard let exchange = target.exchange else { return }
        closeConnection(target)
        takeBackBuffer(target)
        deliver(target, exchange, RawSpan(), failure)
    }

    private func deliver(
        _ target: ScrapeTarget, _ exchange: Exchange, _ body: RawSpan, _ failure: ScrapeFailure?
    ) {
        endExchange(target)
        let times = ScrapeTimes(
            scheduled: exchange.start.scheduled, started: exchange.start.wallClock,
            nanoseconds: monotonicNanoseconds() - exchange.start.nanoseconds)
        let result = ScrapeResult(
            body: body, failure: failure,
            contentType: exchange.parser.head?.contentType ?? "", times: times)
        target.responder.respond(result)
    }
}
