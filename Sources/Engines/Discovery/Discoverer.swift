// SPDX-License-Identifier: Apache-2.0

/// Watches one source of targets. `run` publishes every group once at the start and a group again
/// whenever it may have changed; it returns only by throwing, when its task is cancelled.
package protocol Discoverer: Sendable {
    static var mechanism: String { get }
    func run(publish: @Sendable ([TargetGroup]) async -> Void) async throws
}
