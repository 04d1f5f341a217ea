// SPDX-License-Identifier: Apache-2.0

import Platform
import ScrapeClient

/// Keeps the results of a target and lets a test wait for them.
final class ResultCollector: ScrapeResponder {
    struct Result: Sendable {
        var body: [UInt8]
        var failure: ScrapeFailure?
        var contentType: String
        var times: ScrapeTimes
        var text: String { String(decoding: body, as: UTF8.self) }
        var error: String { failure?.description ?? "" }
    }

    private let results = Monitor<[Result]>([])

    func respond(_ result: borrowing ScrapeResult) {
        let body = result.body.withUnsafeBytes { Array($0) }
        let kept = Result(
            body: body, failure: result.failure, contentType: result.contentType,
            times: result.times)
        results.withLock { $0.append(kept) }
        results.notifyAll()
    }

    /// The first `count` results; fewer where they do not come within ten seconds.
    func wait(_ count: Int) -> [Result] {
        let deadline = monotonicNanoseconds() + 10_000_000_000
        let found = results.wait(deadline: deadline) {
            $0.count >= count ? Array($0[..<count]) : nil
        }
        return found ?? results.withLock { $0 }
    }

    var count: Int { results.withLock { $0.count } }
}

/// Scrapes `url` until there are `count` results.
func scrape(
    _ url: String, count: Int = 1, timeout: Int64 = 5000, bodyLimit: Int = 0,
    change: (inout ScrapeRequest) -> Void = { _ in }
) throws -> [ResultCollector.Result] {
    let client = try ScrapeClient()
    defer { client.close() }
    let collector = ResultCollector()
    var request = try ScrapeRequest(
        url: url, headers: Array("Accept: */*\r\n".utf8), timeout: timeout, bodyLimit: bodyLimit)
    change(&request)
    _ = client.add(request, every: 30, phase: 7, collector)
    return collector.wait(count)
}
