// SPDX-License-Identifier: Apache-2.0

import Bytes
import Compression
import Foundation
import HTTP
import Synchronization
import Testing

private final class Observations: RequestObserver {
    let seen = Mutex<[String]>([])
    func answered(pattern: String?, status: Int, seconds: Double, bytes: Int) {
        seen.withLock { $0.append("\(pattern ?? "-") \(status) \(bytes)") }
    }
}

/// Set from one thread, awaited on another.
private final class Flag: Sendable {
    private let value = Atomic<Bool>(false)
    func raise() { value.store(true, ordering: .releasing) }
    func isRaised(within seconds: Int = 60) -> Bool {
        let clock = ContinuousClock()
        let end = clock.now + .seconds(seconds)
        while clock.now < end {
            if value.load(ordering: .acquiring) { return true }
        }
        return false
    }
}

private let large = (0..<1_000_000).map { UInt8(truncatingIfNeeded: $0 &* $0 >> 8) }

private func withServer(
    _ change: (inout HTTPServerConfiguration) -> Void = { _ in },
    routes: (inout Router) -> Void = { _ in },
    _ body: (HTTPServer, String) throws -> Void
) throws {
    var router = Router()
    func add(_ method: String, _ pattern: String, _ lane: Lane, _ handler: @escaping Route.Handler)
    {
        router.add([method], Route(pattern: pattern, lane: lane, bodyLimit: 1000, handler: handler))
    }
    add("GET", "/inline", .inline) { _ in .text("now") }
    add("HEAD", "/inline", .inline) { _ in .text("now") }
    add("POST", "/echo", .general) { request in
        Response(headers: ["X-Path": request.path], body: .bytes(request.body))
    }
    add("GET", "/large", .queries) { request in
        Response(
            headers: ["Vary": "Accept-Encoding"],
            body: .stream { writer throws(ClientGone) in
                let piece = request.parameters["short"].isEmpty ? 100_000 : 1000
                for start in stride(from: 0, to: piece == 1000 ? 2000 : large.count, by: piece) {
                    var buffer = Array(large[start..<(start + piece)])
                    try writer.flush(&buffer)
                }
            })
    }
    routes(&router)
    var configuration = HTTPServerConfiguration()
    configuration.queryThreads = 2
    configuration.generalThreads = 2
    change(&configuration)
    let observations = Observations()
    let server = try HTTPServer(configuration, router: router, observer: observations)
    let address = try server.listen("127.0.0.1:0")
    try body(server, address)
    server.shutDown(patience: 5)
}

@Suite("HTTP server")
struct ServerTests {
    @Test("keeps a connection alive over requests, answers HEAD without a body")
    func keepAlive() throws {
        try withServer { _, address in
            let client = RawClient(address)
            for _ in 0..<3 {
                client.send("GET /inline HTTP/1.1\r\nHost: a\r\n\r\n")
                let answer = try #require(client.answer())
                #expect(answer.status == 200 && answer.text == "now")
                #expect(answer.headers["date"]?.hasSuffix(" GMT") == true)
                client.send("POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n\r\nabc")
                #expect(client.answer()?.text == "abc")
            }
            client.send("HEAD /inline HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.answer(hasBody: false)?.headers["content-length"] == "3")
            client.send("GET /nope HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(client.answer()?.text == "404 page not found\n")
            client.send("GET /echo HTTP/1.1\r\nHost: a\r\n\r\n")
            let refused = try #require(client.answer())
            #expect(refused.status == 405 && refused.headers["allow"] == "OPTIONS, POST")
            client.send("GET /inline HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n")
            #expect(client.answer()?.headers["connection"] == "close")
            #expect(client.answer() == nil)
        }
    }

    @Test("pipelined requests are answered in order")
    func pipelining() throws {
        try withServer { _, address in
            let client = RawClient(address)
            let one = "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\n\r\n"
            client.send((0..<9).map { one + String($0) }.joined())
            for index in 0..<9 { #expect(client.answer()?.text == String(index)) }
        }
    }

    @Test("streams long answers, packed where the client takes gzip")
    func streaming() throws {
        try withServer { _, address in
            let client = RawClient(address)
            client.send("GET /large HTTP/1.1\r\nHost: a\r\n\r\n")
            let plain = try #require(client.answer())
            #expect(plain.headers["transfer-encoding"] == "chunked" && plain.body == large)
            client.send("GET /large HTTP/1.1\r\nHost: a\r\nAccept-Encoding: deflate, gzip\r\n\r\n")
            let packed = try #require(client.answer())
            #expect(packed.headers["content-encoding"] == "gzip")
            var room: [UInt8] = []
            let count = try GzipDecoder().decode(
                gzip: packed.body.raw, into: &room, limit: 2_000_000)
            #expect(Array(room.prefix(count)) == large)
            client.send(
                "GET /large?short=1 HTTP/1.1\r\nHost: a\r\nAccept-Encoding: gzip;q=0\r\n\r\n")
            let short = try #require(client.answer())
            #expect(
                short.headers["content-length"] == "2000" && short.body == Array(large[..<2000]))
            client.send("GET /large HTTP/1.0\r\n\r\n")
            let old = try #require(client.answer())
            #expect(old.headers["transfer-encoding"] == nil && old.body == large)
        }
    }

    @Test("refuses bodies that are too long and requests that are none")
    func refusals() throws {
        try withServer { _, address in
            for request in [
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 2000000\r\n\r\n"
                    + String(repeating: "a", count: 2_000_000),
                "POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n7d0\r\n"
                    + String(repeating: "a", count: 2000) + "\r\n0\r\n\r\n",
            ] {
                let client = RawClient(address)
                client.send(request)
                #expect(client.answer()?.status == 413)
                #expect(client.answer() == nil)
            }
            let long = RawClient(address)
            long.send(
                "GET /inline?\(String(repeating: "a", count: 200_000)) HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(long.answer()?.status == 200)
            let client = RawClient(address)
            client.send("nonsense\r\n\r\n")
            #expect(client.answer()?.status == 400)
            let other = RawClient(address)
            other.send("GET /inline HTTP/1.1\r\nHost: a\r\n\r\n")
            #expect(other.answer()?.status == 200)
        }
    }

    @Test("asks for a body that the client holds back")
    func expectation() throws {
        try withServer { _, address in
            let client = RawClient(address)
            client.send(
                "POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 3\r\n"
                    + "Expect: 100-continue\r\n\r\n")
            #expect(client.answer()?.status == 100)
            client.send("abc")
            #expect(client.answer()?.text == "abc")
        }
    }

    @Test("tells the handler when the client has gone")
    func cancellation() throws {
        let (hasBegun, isGone) = (Flag(), Flag())
        try withServer(
            routes: { router in
                router.add(
                    ["GET"],
                    Route(pattern: "/wait", lane: .queries) { request in
                        request.client.whenGone { isGone.raise() }
                        hasBegun.raise()
                        _ = isGone.isRaised()
                        return .text("late")
                    })
            },
            { _, address in
                let client = RawClient(address)
                client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
                #expect(hasBegun.isRaised())
                client.close()
                #expect(isGone.isRaised())
            })
    }

    @Test("lets a running request finish when shutting down")
    func shutdown() throws {
        let (hasBegun, mayEnd) = (Flag(), Flag())
        var router = Router()
        router.add(
            ["GET"],
            Route(pattern: "/wait", lane: .queries) { _ in
                hasBegun.raise()
                _ = mayEnd.isRaised()
                return .text("done")
            })
        let server = try HTTPServer(HTTPServerConfiguration(), router: router)
        let address = try server.listen("127.0.0.1:0")
        let client = RawClient(address)
        let idle = RawClient(address)
        client.send("GET /wait HTTP/1.1\r\nHost: a\r\n\r\n")
        #expect(hasBegun.isRaised())
        let isDown = Flag()
        // A thread of its own: the pool of tasks may be busy with tests that block.
        Thread.detachNewThread {
            server.shutDown(patience: 10)
            isDown.raise()
        }
        #expect(idle.answer() == nil)
        mayEnd.raise()
        #expect(client.answer()?.text == "done")
        #expect(isDown.isRaised())
    }

    @Test("holds further connections back at the limit")
    func limit() throws {
        try withServer {
            $0.maxConnections = 2
        } _: { server, address in
            let second = try server.listen("127.0.0.1:0")
            let request = "GET /inline HTTP/1.1\r\nHost: a\r\n\r\n"
            var clients = [RawClient(address), RawClient(second)]
            for client in clients {
                client.send(request)
                #expect(client.answer()?.status == 200)
            }
            let third = RawClient(address)
            third.send(request)
            #expect(server.connectionCount == 2)
            clients.removeFirst().close()
            #expect(third.answer()?.status == 200)
        }
    }

    @Test("a taken port is an error in Go's words")
    func takenPort() throws {
        try withServer { server, address in
            let error = #expect(throws: HTTPServerError.self) { try server.listen(address) }
            #expect(error?.message == "listen tcp \(address): bind: address already in use")
        }
    }
}
