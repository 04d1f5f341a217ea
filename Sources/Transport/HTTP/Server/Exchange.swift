// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Compression
internal import NIOCore
internal import NIOHTTP1
internal import Platform

/// One request and its answer: runs the handler, and carries what it answers over to the event
/// loop. Used by one thread at a time, the one that runs the handler.
final class Exchange: Sendable {
    let request: Request
    var client: Client { request.client }
    private let channel: any Channel
    private let shared: ServerShared
    private let keepsAlive: Bool
    private let version: HTTPVersion
    /// Called on the event loop just before the end of the answer is written, since the next
    /// request may come in while it is; what it returns is called when all has gone to the kernel.
    private let finishing: @Sendable (_ keepsAlive: Bool) -> @Sendable () -> Void
    private let started = monotonicNanoseconds()
    /// Pieces of the body that were handed to the event loop and not yet to the kernel.
    private let inFlight = Monitor(0)

    /// How many pieces may be in flight: what a slow client costs in memory.
    private static let piecesInFlight = 4

    init(
        request: Request, channel: any Channel, shared: ServerShared, keepsAlive: Bool,
        version: HTTPVersion, finishing: @escaping @Sendable (Bool) -> @Sendable () -> Void
    ) {
        self.request = request
        self.channel = channel
        self.shared = shared
        self.keepsAlive = keepsAlive
        self.version = version
        self.finishing = finishing
    }

    func run(_ route: Route) { answer(route.pattern, route.handler(request)) }

    func answer(_ pattern: String?, _ response: Response) {
        let sent: Int
        switch response.body {
        case .bytes(let bytes): sent = whole(response, bytes)
        case .stream(let write): sent = stream(response, write)
        }
        client.settle()
        shared.releaseBody(request.body.count)
        let seconds = Double(monotonicNanoseconds() - started) / 1e9
        shared.observer?.answered(
            pattern: pattern, status: response.status, seconds: seconds, bytes: sent)
    }

    // MARK: Answers that are in memory as a whole

    private func whole(_ response: Response, _ bytes: [UInt8]) -> Int {
        var headers = response.headers
        let body = ContentCoding.packed(bytes, request, &headers)
        let hasBody = response.status != 204 && response.status != 304
        if hasBody { headers["Content-Length"] = String(body.count) }
        let head = head(response.status, headers, keepsAlive: keepsAlive)
        let isSent = hasBody && request.method != "HEAD"
        sendEnd(head, isSent ? body : [], keepsAlive: keepsAlive)
        return isSent ? body.count : 0
    }

    // MARK: Answers in pieces

    /// Collects the first piece before it decides: an answer that fits into it goes out as a whole.
    private func stream(
        _ response: Response, _ write: @Sendable (BodyWriter) throws(ClientGone) -> Void
    ) -> Int {
        let pieces = PieceSender(self, response)
        let writer = BodyWriter { piece throws(ClientGone) in try pieces.take(piece) }
        do throws(ClientGone) {
            try write(writer)
            return try pieces.finish()
        } catch {
            channel.close(promise: nil)
            return pieces.sent
        }
    }

    /// The state of an answer in pieces.
    private final class PieceSender {
        private let exchange: Exchange
        private let response: Response
        private var held: [UInt8] = []
        private var gzip: GzipStream?
        private var hasBegun = false
        private(set) var sent = 0

        init(_ exchange: Exchange, _ response: Response) {
            self.exchange = exchange
            self.response = response
        }

        func take(_ piece: [UInt8]) throws(ClientGone) {
            if exchange.client.isGone { throw ClientGone() }
            if !hasBegun {
                if held.count + piece.count <= BodyWriter.pieceSize || held.isEmpty {
                    held += piece
                    return
                }
                begin()
                try pass(held)
                held = []
            }
            try pass(piece)
        }

        func finish() throws(ClientGone) -> Int {
            if !hasBegun { return exchange.whole(response, held) }
            var last: [UInt8] = []
            gzip?.finish(to: &last)
            sent += last.count
            exchange.sendEnd(nil, last, keepsAlive: exchange.keepsAliveWhileStreaming)
            return sent
        }

        private func begin() {
            hasBegun = true
            var headers = response.headers
            if ContentCoding.wantsGzip(exchange.request, &headers) {
                gzip = GzipStream(level: ContentCoding.level)
            }
            exchange.sendHead(
                response.status, headers, keepsAlive: exchange.keepsAliveWhileStreaming)
        }

        private func pass(_ piece: [UInt8]) throws(ClientGone) {
            guard exchange.request.method != "HEAD" else { return }
            guard let gzip else { return try send(piece) }
            var packed: [UInt8] = []
            gzip.write(piece.raw, to: &packed)
            if !packed.isEmpty { try send(packed) }
        }

        private func send(_ piece: [UInt8]) throws(ClientGone) {
            sent += piece.count
            try exchange.sendPiece(piece)
        }
    }

    /// HTTP/1.0 knows no chunks: there the end of the connection is the end of the body.
    private var keepsAliveWhileStreaming: Bool { keepsAlive && version == .http1_1 }

    // MARK: To the event loop

    private func sendHead(_ status: Int, _ headers: Headers, keepsAlive: Bool) {
        let head = head(status, headers, keepsAlive: keepsAlive)
        channel.write(HTTPServerResponsePart.head(head), promise: nil)
    }

    private func head(_ status: Int, _ headers: Headers, keepsAlive: Bool) -> HTTPResponseHead {
        var fields = HTTPHeaders()
        for field in headers.fields { fields.add(name: field.name, value: field.value) }
        fields.add(name: "Date", value: DateText.now())
        if !keepsAlive {
            fields.replaceOrAdd(name: "Connection", value: "close")
        } else if version == .http1_0 {
            fields.replaceOrAdd(name: "Connection", value: "keep-alive")
        }
        return HTTPResponseHead(
            version: version, status: .init(statusCode: status), headers: fields)
    }

    private func sendPiece(_ piece: [UInt8]) throws(ClientGone) {
        let patience = UInt64(shared.configuration.readTimeout * 1e9)
        let hasRoom: Void? = inFlight.wait(deadline: monotonicNanoseconds() + patience) { count in
            if client.isGone { return () }
            guard count < Self.piecesInFlight else { return nil }
            count += 1
            return ()
        }
        if hasRoom == nil || client.isGone { throw ClientGone() }
        let inFlight = inFlight
        let part = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: piece)))
        channel.writeAndFlush(part).whenComplete { _ in
            inFlight.withLock { $0 -= 1 }
            inFlight.notifyOne()
        }
    }

    /// Sends what is left of an answer, its head included where that has not been sent.
    private func sendEnd(_ head: HTTPResponseHead?, _ body: [UInt8], keepsAlive: Bool) {
        let (channel, finishing) = (channel, finishing)
        let send: @Sendable () -> Void = {
            if let head { channel.write(HTTPServerResponsePart.head(head), promise: nil) }
            if !body.isEmpty {
                let part = HTTPServerResponsePart.body(.byteBuffer(ByteBuffer(bytes: body)))
                channel.write(part, promise: nil)
            }
            let finished = finishing(keepsAlive)
            channel.writeAndFlush(HTTPServerResponsePart.end(nil)).whenComplete { _ in finished() }
        }
        if channel.eventLoop.inEventLoop { send() } else { channel.eventLoop.execute(send) }
    }
}
