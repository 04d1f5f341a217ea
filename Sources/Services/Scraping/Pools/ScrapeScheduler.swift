// SPDX-License-Identifier: Apache-2.0

package import Model
package import ScrapeClient

/// What calls the targets: the scrape client, or a test.
package protocol ScrapeScheduler: Sendable {
    /// Scrapes from now on at every time that is `phase` behind a multiple of `interval`.
    func add(
        _ request: ScrapeRequest, every interval: Milliseconds, phase: Milliseconds,
        _ responder: any ScrapeResponder
    ) -> ScrapeTargetHandle

    /// Ends the scrapes of a target. After `completion` its responder is not called any more.
    func remove(_ handle: ScrapeTargetHandle, completion: @escaping @Sendable () -> Void)
}

extension ScrapeClient: ScrapeScheduler {}
