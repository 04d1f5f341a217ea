// SPDX-License-Identifier: Apache-2.0

import Glibc
import Platform
import ScrapeClient
import Testing

@Suite struct ConnectionTests {
    private static let answer = "HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\na 1\n"

    @Test func aConnectionIsKeptFromScrapeToScrape() throws {
        let server = try LoopbackServer { peer in
            let body = "\(peer.connection) \(peer.request)"
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: \(body.utf8.count)\r\n\r\n\(body)")
            return true
        }
        let results = try scrape(server.url(), count: 4)
        #expect(results.map(\.text) == ["0 0", "0 1", "0 2", "0 3"])
    }

    @Test func aClosedConnectionIsReplacedWithoutAFailure() throws {
        // It answers on each connection twice, and closes on the next request without a word.
        let server = try LoopbackServer { peer in
            if peer.request == 2 { return false }
            peer.send(Self.answer)
            return true
        }
        let results = try scrape(server.url(), count: 7)
        #expect(results.map(\.text) == Array(repeating: "a 1\n", count: 7))
    }

    @Test func connectionCloseIsHeeded() throws {
        let server = try LoopbackServer { peer in
            let body = "\(peer.connection)"
            peer.send("HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\n\(body)")
            return true
        }
        let results = try scrape(server.url(), count: 3)
        #expect(results.map(\.text) == ["0", "1", "2"])
    }

    @Test func theRequestCarriesTheGivenHeaders() throws {
        let seen = Monitor("")
        let server = try LoopbackServer { peer in
            seen.withLock { $0 = peer.text }
            peer.send(Self.answer)
            return true
        }
        _ = try scrape(server.url("/probe?target=a%20b")) {
            $0.credentials = Array("Authorization: Bearer x\r\n".utf8)
        }
        let host = "127.0.0.1:\(server.port)"
        #expect(
            seen.withLock { $0 } == "GET /probe?target=a%20b HTTP/1.1\r\nHost: \(host)\r\n"
                + "Accept: */*\r\nAuthorization: Bearer x\r\n\r\n")
    }

    @Test func aRefusedConnectionIsReportedAsGoDoes() throws {
        let result = try #require(try scrape("http://127.0.0.1:1/metrics").first)
        #expect(
            result.error == "Get \"http://127.0.0.1:1/metrics\": dial tcp 127.0.0.1:1: connect: "
                + "connection refused")
        let six = try #require(try scrape("http://[::1]:1/metrics").first)
        #expect(six.error.hasPrefix("Get \"http://[::1]:1/metrics\": dial tcp [::1]:1: connect: "))
    }

    @Test func aNameWithoutAddressIsReported() throws {
        let result = try #require(try scrape("http://no-such-host.invalid:9/metrics").first)
        #expect(result.error.contains("dial tcp: lookup no-such-host.invalid: "))
    }

    @Test func namesAreResolvedAndAllAddressesTried() throws {
        let server = try LoopbackServer { peer in
            peer.send(Self.answer)
            return true
        }
        let results = try scrape("http://localhost:\(server.port)/metrics", count: 3)
        #expect(results.map(\.error) == ["", "", ""])
    }

    @Test(arguments: ["", "HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na"])
    func aSilentTargetTimesOut(_ beginning: String) throws {
        let server = try LoopbackServer { peer in
            peer.send(beginning)
            return true
        }
        let results = try scrape(server.url(), count: 2, timeout: 60)
        let prefix = beginning.isEmpty ? "Get \"\(server.url())\": " : ""
        for result in results {
            #expect(result.error == prefix + "context deadline exceeded")
            #expect(result.times.nanoseconds >= 50_000_000)
        }
        #expect(results.count == 2)
    }

    @Test func aResetIsReported() throws {
        let server = try LoopbackServer { peer in
            peer.send("HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\na")
            usleep(5000)
            peer.reset()
            return false
        }
        let result = try #require(try scrape(server.url()).first)
        #expect(result.error.hasPrefix("read tcp 127.0.0.1:"))
        #expect(
            result.error.hasSuffix("->127.0.0.1:\(server.port): read: connection reset by peer"))
    }

    @Test func redirectsAreFollowedUnlessForbidden() throws {
        let server = try LoopbackServer { peer in
            let path = peer.text.split(separator: " ")[1]
            switch path {
            case "/a/start": peer.send("HTTP/1.1 302 Found\r\nLocation: ../next?x=1\r\n\r\n")
            case "/next?x=1": peer.send("HTTP/1.1 301 Moved\r\nLocation: /metrics\r\n\r\n")
            case "/secure":
                peer.send("HTTP/1.1 302 Found\r\nLocation: https://127.0.0.1/\r\n\r\n")
            case "/ring": peer.send("HTTP/1.1 307 Again\r\nLocation: /ring\r\n\r\n")
            default: peer.send(Self.answer)
            }
            return true
        }
        #expect(try scrape(server.url("/a/start"), count: 2).map(\.text) == ["a 1\n", "a 1\n"])
        let refused = try scrape(server.url("/a/start")) { $0.followsRedirects = false }
        #expect(refused.first?.error == "server returned HTTP status 302 Found")
        let ring = try scrape(server.url("/ring"))
        #expect(ring.first?.error == "Get \"/ring\": stopped after 10 redirects")
        let secure = try scrape(server.url("/secure"))
        #expect(secure.first?.error.hasSuffix("unsupported protocol scheme \"https\"") == true)
    }

    @Test func scrapesAreDueInTheirPhaseAndBeginSoonAfter() throws {
        let server = try LoopbackServer { peer in
            peer.send(Self.answer)
            return true
        }
        for result in try scrape(server.url(), count: 5) {
            #expect(result.times.scheduled % 30 == 7)
            #expect(result.times.started >= result.times.scheduled)
        }
    }

    @Test func aRemovedTargetIsNotHeardOfAgain() throws {
        let server = try LoopbackServer { peer in
            peer.send(Self.answer)
            return true
        }
        let client = try ScrapeClient()
        let collector = ResultCollector()
        let request = try ScrapeRequest(url: server.url(), timeout: 1000)
        let handle = client.add(request, every: 20, phase: 0, collector)
        _ = collector.wait(1)
        let removed = Monitor<Int?>(nil)
        client.remove(handle) {
            let count = collector.count
            removed.withLock { $0 = count }
            removed.notifyAll()
        }
        let count = removed.wait { $0 }
        let other = ResultCollector()
        _ = client.add(request, every: 20, phase: 0, other)
        _ = other.wait(3)
        #expect(collector.count == count)
        client.close()
    }

    @Test(arguments: [
        ("https://a/", "unsupported protocol scheme \"https\""),
        ("a/b", "unsupported protocol scheme \"\""),
        ("http:///x", "http: no Host in request URL"),
        ("http://a:70000/", "invalid port \":70000\" after host"),
    ])
    func otherAddressesAreRefused(_ url: String, _ message: String) {
        let error = #expect(throws: ScrapeRequestError.self) {
            _ = try ScrapeRequest(url: url, timeout: 1)
        }
        #expect(error?.description == message)
    }
}
