// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
internal import Model
internal import RemoteProtocol
internal import Synchronization

/// Counts what write requests carry and the storage does not take, and says so once in the log.
final class DroppedSamples: Sendable {
    private let exemplars: Counter
    private let metadata: Counter
    private let invalid: Counter
    private let logger: Logger
    private let hasSpoken = Atomic<Bool>(false)

    init(_ registry: Registry, _ logger: Logger) {
        func counter(_ kind: String) -> Counter {
            registry.counter(
                "narthex_remote_write_dropped_total",
                "Parts of remote write requests of a kind that is not stored.",
                Labels(["kind": kind]))
        }
        exemplars = counter("exemplar")
        metadata = counter("metadata")
        invalid = registry.counter(
            "prometheus_api_remote_write_invalid_labels_samples_total",
            "The total number of received remote write samples and histogram samples which were "
                + "rejected due to invalid labels.")
        self.logger = logger
    }

    /// `keepsExemplars`: the storage takes them.
    func count(_ request: WriteRequest, keepsExemplars: Bool) {
        let exemplarCount = keepsExemplars ? 0 : request.exemplars.count
        exemplars.increment(by: Double(exemplarCount))
        metadata.increment(by: Double(request.metadataCount))
        guard exemplarCount > 0, !hasSpoken.exchange(true, ordering: .relaxed) else { return }
        logger.warn("Remote write carries exemplars, which are not stored")
    }

    func countInvalid(_ samples: Int, _ reason: String) {
        invalid.increment(by: Double(samples))
        logger.warn("\(reason)")
    }
}
