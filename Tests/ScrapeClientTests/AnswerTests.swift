// SPDX-License-Identifier: Apache-2.0

import Compression
import Glibc
import Platform
import ScrapeClient
import Synchronization
import Testing

@Suite struct AnswerTests {
    private let head = "HTTP/1.1 200 OK\r\nContent-Type: text/plain; version=0.0.4\r\n"

    private func server(_ answer: String, keep: Bool = false) throws -> LoopbackServer {
        try LoopbackServer { peer in
            peer.send(answer)
            return keep
        }
    }

    /// Answers that are understood, and the bodies they carry.
    @Test(arguments: [
        ("HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\n", "a 1\n"),
        ("HTTP/1.1 200 OK\r\ncontent-length:4\r\n\r\na 1\nrubbish", "a 1\n"),
        ("HTTP/1.0 200 OK\r\n\r\na 1\n", "a 1\n"),
        ("HTTP/1.1 200 OK\r\n\r\n", ""),
        ("HTTP/1.1 200 OK\n\na 1\n", "a 1\n"),
        ("HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", ""),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"
                + "2\r\na \r\n2;x=y\r\n1\n\r\n0\r\nTrailer: 1\r\n\r\n", "a 1\n"
        ),
    ])
    func bodiesOfAllFramingsArrive(_ answer: String, _ body: String) throws {
        let server = try server(answer)
        let results = try scrape(server.url())
        let result = try #require(results.first)
        #expect(result.error == "")
        #expect(result.text == body)
    }

    /// Answers that are refused, with Go's sentences; URL stands for the target's.
    @Test(arguments: [
        ("", "Get \"URL\": EOF"),
        (
            "HTTP/1.1 200 OK\r\n",
            "Get \"URL\": net/http: HTTP/1.x transport connection broken: unexpected EOF"
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Ty",
            "Get \"URL\": net/http: HTTP/1.x transport connection broken: "
                + "malformed MIME header: missing colon: \"Content-Ty\""
        ),
        (
            "HTTP/1.1 200 OK\r\nno\tcolon\r\n\r\n",
            "Get \"URL\": net/http: HTTP/1.x transport connection broken: "
                + "malformed MIME header: missing colon: \"no\\tcolon\""
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n",
            "Get \"URL\": net/http: HTTP/1.x transport connection broken: "
                + "http: message cannot contain multiple Content-Length headers; got [\"5\" \"6\"]"
        ),
        (
            "\u{0}\u{7}\u{1F}\"\n",
            "Get \"URL\": net/http: HTTP/1.x transport connection broken: "
                + "malformed HTTP response \"\\x00\\a\\x1f\\\"\""
        ),
        (
            "garbage\n",
            "Get \"URL\": net/http: HTTP/1.x transport connection broken: "
                + "malformed HTTP response \"garbage\""
        ),
        (
            "HTTP/1.1 abc\r\n\r\n",
            "Get \"URL\": net/http: HTTP/1.x transport connection broken: "
                + "malformed HTTP status code \"abc\""
        ),
        (
            "HTTP/3.0 200 OK\r\n\r\n",
            "Get \"URL\": net/http: HTTP/1.x transport connection broken: "
                + "malformed HTTP version \"HTTP/3.0\""
        ),
        ("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na 1\n", "unexpected EOF"),
        ("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n9\r\na 1\n", "unexpected EOF"),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx\r\n",
            "invalid byte in chunk length"
        ),
        (
            "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\naa\r\n",
            "malformed chunked encoding"
        ),
        (
            "HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
            "Get \"URL\": net/http: HTTP/1.x transport connection broken: bad Content-Length \"-1\""
        ),
        (
            "HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n",
            "server returned HTTP status 404 Not Found"
        ),
        ("HTTP/1.1 503 Busy\r\n\r\nwait", "server returned HTTP status 503 Busy"),
        (
            "HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n\r\nno gzip at all, none",
            "gzip: invalid header"
        ),
    ])
    func brokenAnswersAreReportedAsGoDoes(_ answer: String, _ message: String) throws {
        let server = try server(answer)
        let results = try scrape(server.url())
        let result = try #require(results.first)
        #expect(result.error == message.replacing("URL", with: server.url()))
        #expect(result.body.isEmpty)
    }

    @Test func aHeadOfMoreThanAMegabyteIsRefused() throws {
        let server = try server(head + "X: " + String(repeating: "x", count: 1_100_000))
        let result = try #require(try scrape(server.url()).first)
        #expect(result.error.hasSuffix("headers exceeded 1048576 bytes; aborted"))
    }

    @Test(arguments: [
        ("/next", "Get \"/next\": stopped after 10 redirects"),
        (
            "http://[::1/",
            "Get \"URL\": failed to parse Location header \"http://[::1/\": "
                + "parse \"http://[::1/\": missing ']' in host"
        ),
        (
            "http://a:b/",
            "Get \"URL\": failed to parse Location header \"http://a:b/\": "
                + "parse \"http://a:b/\": invalid port \":b\" after host"
        ),
        ("ftp://a/", "Get \"ftp://a/\": unsupported protocol scheme \"ftp\""),
    ])
    func redirectsThatLeadNowhereAreReported(_ location: String, _ message: String) throws {
        let server = try server(
            "HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: \(location)\r\n\r\n")
        let result = try #require(try scrape(server.url()).first)
        #expect(result.error == message.replacing("URL", with: server.url()))
    }

    @Test func aSlowBodyInSmallPiecesIsPutTogether() throws {
        let server = try LoopbackServer { peer in
            peer.send("HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nTransfer-")
            for piece in [
                "Encoding: chunked\r", "\n\r\n", "4", "\r\nab", "cd\r", "\n0\r\n", "\r\n",
            ] {
                usleep(2000)
                peer.send(piece)
            }
            return true
        }
        let results = try scrape(server.url(), count: 3)
        #expect(results.map(\.text) == ["abcd", "abcd", "abcd"])
        #expect(results.allSatisfy { $0.contentType == "text/plain" })
    }

    @Test func largeBodiesGrowTheBufferAndTheNextTargetGetsItsOwn() throws {
        let text = String(repeating: "metric{label=\"value\"} 1\n", count: 60_000)
        let server = try LoopbackServer { peer in
            let body = peer.text.hasPrefix("GET /large") ? text : "a 1\n"
            if peer.request % 2 == 0 {
                peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            } else {
                peer.send("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
                let size = String(body.utf8.count, radix: 16)
                peer.send("\(size)\r\n\(body)\r\n0\r\n\r\n")
            }
            return true
        }
        let large = try scrape(server.url("/large"), count: 4)
        #expect(large.count == 4 && large.allSatisfy { $0.body == Array(text.utf8) })
        let small = try scrape(server.url("/small"), count: 2)
        #expect(small.map(\.text) == ["a 1\n", "a 1\n"])
    }

    @Test func gzipBodiesAreUnpacked() throws {
        let text = Array(String(repeating: "metric 1\n", count: 10_000).utf8)
        let packed = GzipEncoder(level: 6).encode(text.span.bytes)
        let server = try LoopbackServer { peer in
            peer.send("HTTP/1.1 200 OK\r\nContent-Encoding: gzip\r\n")
            peer.send("Content-Length: \(packed.count)\r\n\r\n")
            peer.send(packed)
            return true
        }
        let results = try scrape(server.url(), count: 2)
        #expect(results.allSatisfy { $0.body == text })
        let limited = try #require(try scrape(server.url(), bodyLimit: text.count).first)
        #expect(limited.failure == .bodyTooLarge)
        let enough = try #require(try scrape(server.url(), bodyLimit: text.count + 1).first)
        #expect(enough.failure == nil)
    }

    @Test func reachingTheLimitIsExceedingIt() throws {
        let server = try server(head + "Content-Length: 10\r\n\r\n0123456789")
        let exceeding = try #require(try scrape(server.url(), bodyLimit: 10).first)
        #expect(exceeding.error == "the body size exceeds the limit")
        let below = try #require(try scrape(server.url(), bodyLimit: 11).first)
        #expect(below.text == "0123456789")
    }

    @Test(arguments: ["Content-Length: 10000000000", "X: y", "Transfer-Encoding: chunked"])
    func aBodyWithoutEndStopsAtTheLimit(_ framing: String) throws {
        let server = try LoopbackServer { peer in
            peer.send("HTTP/1.1 200 OK\r\n\(framing)\r\n\r\n")
            let plain = [UInt8](repeating: 65, count: 1 << 16)
            let piece =
                framing.hasSuffix("chunked") ? Array("10000\r\n".utf8) + plain + [13, 10] : plain
            while peer.send(piece) {}
            return false
        }
        let result = try #require(try scrape(server.url(), bodyLimit: 1 << 20).first)
        #expect(result.error == "the body size exceeds the limit")
    }
}
