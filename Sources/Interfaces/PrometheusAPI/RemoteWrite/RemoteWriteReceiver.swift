// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Compression
internal import HTTP
internal import Instrumentation
internal import Model
internal import Platform
internal import RemoteProtocol
internal import Storage
internal import Synchronization

/// The receiving end of remote write 1.0: a request is stored as a whole or, where a sample of it
/// cannot be, not at all.
final class RemoteWriteReceiver: Sendable {
    private typealias Workspace = WriteWorkspace

    /// What a request may unpack to.
    private static let unpackedLimit = 32 << 20
    /// How far ahead of our clock a sample may be.
    private static let future: Milliseconds = 600_000
    private static let keptWorkspaces = 4

    private let storage: any Appendable
    private let series: SeriesResolver
    private let drops: DroppedSamples
    private let keepsExemplars: Bool
    private let logger: Logger
    private let idle = Mutex<[Workspace]>([])

    init(_ storage: any Appendable, _ context: APIContext) {
        self.storage = storage
        series = SeriesResolver(storage)
        keepsExemplars = context.exemplars != nil
        logger = context.logger
        drops = DroppedSamples(context.registry, context.logger)
    }

    func answer(_ request: Request) -> Response {
        if let refusal = ContentTypes.refusal(of: request) { return refusal }
        var workspace = idle.withLock { $0.popLast() } ?? Workspace()
        defer { keep(workspace) }
        do throws(WriteFailure) {
            try read(request.body, &workspace)
            try store(&workspace)
            return Response(status: 204)
        } catch {
            if error.status == 500 {
                logger.error("Error while remote writing the v1 request", ["err": error.message])
            }
            return .error(error.message, status: error.status)
        }
    }

    /// Memory of an unusually large request is given back.
    private func keep(_ workspace: Workspace) {
        guard workspace.room.capacity <= 4 << 20 else { return }
        idle.withLock { if $0.count < Self.keptWorkspaces { $0.append(workspace) } }
    }

    private func read(_ body: [UInt8], _ workspace: inout Workspace) throws(WriteFailure) {
        let count: Int
        do throws(CompressionError) {
            count = try Snappy.decode(
                body.raw, into: &workspace.room, limit: Self.unpackedLimit)
        } catch {
            throw WriteFailure(status: 400, message: error.description)
        }
        do throws(WriteRequestError) {
            let room = workspace.room
            try workspace.request.decode(room.raw.extracting(0..<count), series.key)
        } catch {
            throw WriteFailure(status: 400, message: error.message)
        }
    }

    private func store(_ workspace: inout Workspace) throws(WriteFailure) {
        let request = workspace.request
        drops.count(request, keepsExemplars: keepsExemplars)
        do throws(StorageError) {
            // A ref can go out of date between its look-up and the commit; then it is looked up
            // anew.
            for isRetry in [false, true] {
                var refs = try series.refs(
                    of: request, workspace.room.raw, ignoringCache: isRetry, drops)
                let refused = Self.takeRefused(&refs)
                try fill(&workspace, refs)
                if keepsExemplars { workspace.addExemplars(refs) }
                if workspace.batch.isEmpty { return try Self.complain(refused) }
                let outcome = try storage.commit(workspace.batch, .allOrNothing)
                if !outcome.hasFaults {
                    warn(outcome)
                    return try Self.complain(refused)
                }
                if !isRetry, outcome.hasStaleRef { continue }
                throw StorageError(.limit, firstFault(outcome, workspace))
            }
        } catch {
            // `.limit` is what this function made of a sample that cannot be stored.
            let status = error.code == .limit ? 400 : error.code == .noMemory ? 429 : 500
            throw WriteFailure(status: status, message: error.message)
        }
    }

    /// Leaves out the series for which there is no memory. Returns how many.
    private static func takeRefused(_ refs: inout [SeriesRef?]) -> Int {
        var count = 0
        for index in refs.indices where refs[index] == .refused {
            refs[index] = nil
            count += 1
        }
        return count
    }

    /// The samples of other series are stored by then. Senders drop what is answered with 429, or
    /// send it again where they were told to.
    private static func complain(_ refused: Int) throws(StorageError) {
        guard refused > 0 else { return }
        throw StorageError(
            .noMemory,
            "memory budget used up: \(refused) new series were not created; samples of other "
                + "series were stored")
    }

    /// Puts the samples into the batch. Within one request a sample that is not newer than one
    /// before it in its series is stored out of order, or left out in silence, as upstream does.
    private func fill(
        _ workspace: inout Workspace, _ refs: [SeriesRef?]
    ) throws(StorageError) {
        let latest = currentMilliseconds() + Self.future
        workspace.batch.removeAll()
        workspace.floatsBefore.removeAll()
        workspace.batch.toleratesOlder = true
        for (one, ref) in zip(workspace.request.series, refs) {
            guard let ref else { continue }
            guard workspace.request.timestamps[one.samples].allSatisfy({ $0 <= latest }) else {
                throw StorageError(.limit, "out of bounds: timestamp is too far in the future")
            }
            workspace.batch.append(
                ref, workspace.request.values[one.samples],
                at: workspace.request.timestamps[one.samples])
            for index in one.histograms {
                let histogram = workspace.request.histograms[index]
                if histogram.timestamp > latest {
                    throw StorageError(
                        .limit, "out of bounds: timestamp is too far in the future")
                }
                workspace.batch.histograms.append(
                    HistogramSample(ref, histogram.value, at: histogram.timestamp))
                workspace.floatsBefore.append(workspace.batch.count)
            }
        }
        workspace.batch.shareTimestamp()
    }

    private func warn(_ outcome: CommitOutcome) {
        guard outcome.outOfOrderExemplars > 0 else { return }
        logger.warn(
            "Error on ingesting out-of-order exemplars",
            ["num_dropped": "\(outcome.outOfOrderExemplars)"])
    }

    /// What is wrong with the first faulty sample of the request.
    private func firstFault(_ outcome: CommitOutcome, _ workspace: Workspace) -> String {
        guard let histogram = outcome.histogramFaults.first else {
            return outcome.faults.first.map { text($0, workspace.batch) } ?? ""
        }
        if let float = outcome.faults.first,
            float.index < workspace.floatsBefore[histogram.index]
        {
            return text(float, workspace.batch)
        }
        return text(histogram, workspace.batch)
    }

    /// In upstream's words; senders look for them.
    private func text(
        _ entry: (index: Int, fault: SampleFault), _ batch: SampleBatch
    ) -> String {
        switch entry.fault {
        case .outOfOrder: "out of order sample"
        case .outOfBounds: "out of bounds"
        case .tooOld: "too old sample"
        case .staleRef: "unknown series reference"
        case .duplicate(let existing):
            "duplicate sample for timestamp \(batch.timestamp(entry.index)); overrides not "
                + "allowed: existing \(formatFloat(existing, style: .general)), "
                + "new value \(formatFloat(batch.values[entry.index], style: .general))"
        case .duplicateOfHistogram:
            "duplicate sample for timestamp \(batch.timestamp(entry.index)); overrides not "
                + "allowed: existing is a histogram, "
                + "new value \(formatFloat(batch.values[entry.index], style: .general))"
        case .duplicateHistogram: "duplicate sample for timestamp"
        case .invalidHistogram(let fault): fault.description
        }
    }
}

/// What one request needs, kept from request to request so that its memory is not made anew.
struct WriteWorkspace: Sendable {
    var request = WriteRequest()
    var room: [UInt8] = []
    var batch = SampleBatch(sharedTimestamp: 0)
    /// For each histogram of the batch, how many floats stand before it in the request.
    var floatsBefore: [Int] = []

    /// Puts the exemplars of all series into the batch. Senders tend to send them by themselves:
    /// those of series without samples count where the series is known.
    mutating func addExemplars(_ refs: [SeriesRef?]) {
        for (one, ref) in zip(request.series, refs) where !one.exemplars.isEmpty {
            let series: BatchExemplar.Series
            if let ref {
                series = .ref(ref)
            } else if one.sampleCount == 0, let labels = try? one.makeLabels(room.raw) {
                series = .labels(labels)
            } else {
                continue
            }
            for exemplar in request.exemplars[one.exemplars] {
                batch.exemplars.append(
                    BatchExemplar(series: series, exemplar: exemplar, defaultTimestamp: 0))
            }
        }
    }
}

/// Why a write request is refused.
private struct WriteFailure: Error {
    var status: Int
    var message: String
}

/// Which messages are taken.
private enum ContentTypes {
    static let message = "prometheus.WriteRequest"

    static func refusal(of request: Request) -> Response? {
        let encoding = request.headers["Content-Encoding"] ?? ""
        guard ["", "snappy"].contains(encoding) else {
            return .error(
                "\(encoding) encoding (compression) is not accepted by this server; "
                    + "only snappy is acceptable", status: 415)
        }
        // Before the header was required, senders left it out.
        guard let type = request.headers["Content-Type"], !type.isEmpty else { return nil }
        let parts = type.split(separator: ";" as Character).map { $0.filter { $0 != " " } }
        guard parts.first?.lowercased() == "application/x-protobuf" else {
            return .error(
                "expected application/x-protobuf as the first (media) part, got \(type) "
                    + "content-type", status: 415)
        }
        for part in parts.dropFirst() where part.hasPrefix("proto=") {
            let name = part.dropFirst("proto=".count)
            guard name == message else {
                return .error(
                    "got \(type) content type; unknown remote write protobuf message \(name), "
                        + "supported: \(message)", status: 415)
            }
        }
        return nil
    }
}
