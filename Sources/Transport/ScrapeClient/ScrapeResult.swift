// SPDX-License-Identifier: Apache-2.0

/// What came of one scrape. A loan: the body is in the client's buffer and may be looked at until
/// `respond` returns.
package struct ScrapeResult: ~Escapable {
    /// Unpacked; empty where the scrape failed.
    package let body: RawSpan
    /// Nil where status 200 came with a whole body within the limit.
    package let failure: ScrapeFailure?
    /// The `Content-Type` header, empty where there is none.
    package let contentType: String
    package let times: ScrapeTimes

    @_lifetime(copy body)
    init(body: RawSpan, failure: ScrapeFailure?, contentType: String, times: ScrapeTimes) {
        self.body = body
        self.failure = failure
        self.contentType = contentType
        self.times = times
    }
}

package struct ScrapeTimes: Sendable, Hashable {
    /// When the scrape was due: the phase of the target, a whole number of intervals. Milliseconds
    /// since the Unix epoch.
    package let scheduled: Int64
    /// When it began, at most a tick or so later.
    package let started: Int64
    /// From the beginning to the last byte.
    package let nanoseconds: UInt64
}

/// Takes the results of a target's scrapes. Called on an event thread, one call at a time for a
/// target: what it does delays other scrapes, so it must not wait for anything.
package protocol ScrapeResponder: Sendable {
    func respond(_ result: borrowing ScrapeResult)
}

/// Why a scrape failed, with the sentence that upstream shows as the target's last error.
package enum ScrapeFailure: Error, Sendable, Hashable, CustomStringConvertible {
    /// No answer could be had, or not a whole one.
    case transport(String)
    case timeout(String)
    /// The answer's status is not 200.
    case status(String)
    case bodyTooLarge
    /// The body is not the gzip it claims to be.
    case encoding(String)

    package var description: String {
        switch self {
        case .transport(let text), .timeout(let text), .encoding(let text): text
        case .status(let status): "server returned HTTP status \(status)"
        case .bodyTooLarge: "the body size exceeds the limit"
        }
    }
}
