// SPDX-License-Identifier: Apache-2.0

internal import NIOCore
internal import NIOHTTP1
internal import Platform

/// One connection: collects a request, has it answered, waits for the next. All state belongs to
/// the event loop. While a request is under way no further one is read, so that at most one body
/// per connection is held.
final class ConnectionHandler: ChannelInboundHandler {
    typealias InboundIn = HTTPServerRequestPart
    typealias OutboundOut = HTTPServerResponsePart

    private enum Phase {
        case idle
        case receiving(Incoming)
        /// The rest of a request that was refused is thrown away.
        case discarding
        case answering(Exchange)
        /// The answer is written, but not all of it has gone to the kernel.
        case finishing
    }

    private struct Incoming {
        var head: HTTPRequestHead
        /// Complete but for its body.
        var request: Request
        var match: Router.Match
        var limit: Int
        var body: [UInt8] = []
    }

    private let shared: ServerShared
    private var phase = Phase.idle
    private var isDraining = false
    /// When the connection closes unless something happens before.
    private var deadline = NIODeadline.distantFuture

    init(_ shared: ServerShared) { self.shared = shared }

    func channelActive(context: ChannelHandlerContext) {
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let loop = context.eventLoop
        shared.connections.add(
            ConnectionSet.Connection(channel: context.channel) {
                loop.execute {
                    let (handler, context) = bound.value
                    handler.drain(context)
                }
            })
        postpone()
        watch(context)
        context.fireChannelActive()
    }

    func channelInactive(context: ChannelHandlerContext) {
        shared.connections.remove(context.channel)
        switch phase {
        case .receiving(let incoming): shared.releaseBody(incoming.body.count)
        case .answering(let exchange): exchange.client.go()
        case .idle, .discarding, .finishing: break
        }
        phase = .idle
        deadline = .distantFuture
        context.fireChannelInactive()
    }

    func errorCaught(context: ChannelHandlerContext, error: any Error) {
        context.close(promise: nil)
    }

    // MARK: Time

    private func postpone() {
        deadline = .now() + .milliseconds(Int64(shared.configuration.readTimeout * 1000))
    }

    /// One timer per connection, set anew only when it fires, so that requests do not pay for it.
    private func watch(_ context: ChannelHandlerContext) {
        context.eventLoop.assumeIsolated().scheduleTask(
            deadline: min(deadline, .now() + .minutes(5))
        ) {
            [self] in
            guard context.channel.isActive else { return }
            if case .answering = phase { return watch(context) }
            if .now() >= deadline { return context.close(promise: nil) }
            watch(context)
        }
    }

    private func drain(_ context: ChannelHandlerContext) {
        isDraining = true
        if case .idle = phase { context.close(promise: nil) }
    }

    // MARK: Receiving

    func channelRead(context: ChannelHandlerContext, data: NIOAny) {
        switch unwrapInboundIn(data) {
        case .head(let head): begin(head, context)
        case .body(let piece): collect(piece, context)
        case .end: end(context)
        }
    }

    private func begin(_ head: HTTPRequestHead, _ context: ChannelHandlerContext) {
        postpone()
        var request = Request(
            method: head.method.rawValue, target: head.uri, headers: Headers(head.headers))
        request.clientAddress = context.remoteAddress?.ipAddress ?? ""
        let match = shared.router.match(request.method, request.path)
        var limit = 1 << 20
        if case .route(let route, let parameters) = match {
            limit = route.bodyLimit
            request.pathParameters = parameters
        }
        let declared = head.headers.first(name: "Content-Length").flatMap { Int($0) } ?? 0
        guard declared <= limit else { return refuse(head, 413, context) }
        if head.headers[canonicalForm: "Expect"].contains("100-continue") {
            let go = HTTPResponseHead(version: head.version, status: .continue)
            context.writeAndFlush(wrapOutboundOut(.head(go)), promise: nil)
        }
        phase = .receiving(Incoming(head: head, request: request, match: match, limit: limit))
    }

    private func collect(_ piece: ByteBuffer, _ context: ChannelHandlerContext) {
        guard case .receiving(var incoming) = phase else { return }
        phase = .idle  // so that the body is not copied
        let isTooLong = incoming.body.count + piece.readableBytes > incoming.limit
        guard !isTooLong, shared.reserveBody(piece.readableBytes) else {
            shared.releaseBody(incoming.body.count)
            return refuse(incoming.head, isTooLong ? 413 : 503, context)
        }
        incoming.body.append(contentsOf: piece.readableBytesView)
        phase = .receiving(incoming)
    }

    /// Answers before the request is complete, since the rest is not wanted. It is still taken off
    /// the connection for a while, or the client would see the connection break before the answer.
    private func refuse(_ head: HTTPRequestHead, _ status: Int, _ context: ChannelHandlerContext) {
        phase = .discarding
        let reason = HTTPResponseStatus(statusCode: status).reasonPhrase
        var headers = HTTPHeaders([("Content-Type", "text/plain; charset=utf-8")])
        headers.add(name: "Connection", value: "close")
        headers.add(name: "Content-Length", value: String(reason.utf8.count + 1))
        let response = HTTPResponseHead(
            version: head.version, status: .init(statusCode: status), headers: headers)
        let text = context.channel.allocator.buffer(string: reason + "\n")
        context.write(wrapOutboundOut(.head(response)), promise: nil)
        context.write(wrapOutboundOut(.body(.byteBuffer(text))), promise: nil)
        context.writeAndFlush(wrapOutboundOut(.end(nil)), promise: nil)
        context.eventLoop.assumeIsolated().scheduleTask(in: .seconds(5)) {
            context.close(promise: nil)
        }
        shared.observer?.answered(pattern: nil, status: status, seconds: 0, bytes: 0)
    }

    // MARK: Answering

    private func end(_ context: ChannelHandlerContext) {
        if case .discarding = phase { return context.close(promise: nil) }
        guard case .receiving(let incoming) = phase else { return }
        phase = .idle
        var request = incoming.request
        request.body = incoming.body
        let bound = NIOLoopBound((self, context), eventLoop: context.eventLoop)
        let exchange = Exchange(
            request: request, channel: context.channel, shared: shared,
            keepsAlive: incoming.head.isKeepAlive && !isDraining, version: incoming.head.version
        ) { keepsAlive in
            bound.value.0.phase = .finishing
            return {
                let (handler, context) = bound.value
                handler.finished(keepsAlive, context)
            }
        }
        phase = .answering(exchange)
        switch incoming.match {
        case .route(let route, _) where route.lane == .inline: exchange.run(route)
        case .route(let route, _):
            if !shared.submit(route.lane, { exchange.run(route) }) {
                exchange.answer(nil, .error("Service Unavailable", status: 503))
            }
        case .otherMethods(let methods):
            exchange.answer(nil, .forOtherMethods(methods, request))
        case .moved(let path):
            let status = request.method == "GET" ? 301 : 307
            exchange.answer(nil, .moved(request, to: path, status: status))
        case .none:
            exchange.answer(
                nil, .toCleanPath(request) ?? .error("404 page not found", status: 404))
        }
    }

    private func finished(_ keepsAlive: Bool, _ context: ChannelHandlerContext) {
        postpone()
        // The next request may have come in already.
        guard case .finishing = phase else { return }
        phase = .idle
        if !keepsAlive || isDraining { context.close(promise: nil) }
    }
}

extension Headers {
    fileprivate init(_ fields: HTTPHeaders) {
        self.init()
        for (name, value) in fields { add(name, value) }
    }
}
