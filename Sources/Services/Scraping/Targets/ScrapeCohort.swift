// SPDX-License-Identifier: Apache-2.0

package import Model

/// Targets that are scraped together. A processor that wakes for one scrape runs it with cold
/// caches, which takes about as long again as the scrape; so targets begin in cohorts, at the
/// multiples of a step, and not each at a moment of its own.
package enum ScrapeCohort {
    /// The client begins scrapes at multiples of this, and so those whose interval is no multiple
    /// of a longer step. Milliseconds.
    package static let tick: Milliseconds = 10
    /// A target is scraped at one of so many moments of its interval, or more.
    private static let fewest: Milliseconds = 10
    /// The longest comes first.
    private static let steps: [Milliseconds] = [250, 100, 50, 20]

    /// How far apart cohorts of targets of an interval begin, in milliseconds: it goes evenly into
    /// the interval, so that a scrape begins when it is due and its samples get that very time.
    package static func step(interval: Milliseconds) -> Milliseconds {
        steps.first { interval % $0 == 0 && interval / $0 >= fewest } ?? tick
    }
}
