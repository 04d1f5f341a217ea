// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import Platform
internal import RemoteProtocol
internal import Storage
internal import Synchronization

/// Finds the refs of the series in a request: those seen before by the fingerprint of their label
/// bytes, without reading the labels.
final class SeriesResolver: Sendable {
    /// A million series are some 40 MB.
    private static let cacheLimit = 1 << 20
    /// How many series are looked up side by side.
    private static let group = 16

    let key = FingerprintKey()
    private let storage: any Appendable
    private let cache: Mutex<Aging>

    private struct Aging {
        var cache = FingerprintCache(limit: SeriesResolver.cacheLimit)
        /// When the cache is to be aged next.
        var due: UInt64
    }

    /// Series that were not written for up to twice as long are looked up anew.
    private static let agingNanoseconds: UInt64 = 600_000_000_000

    init(_ storage: any Appendable) {
        self.storage = storage
        cache = Mutex(Aging(due: monotonicNanoseconds() + Self.agingNanoseconds))
    }

    /// One ref for each series of the request; nil where it has no samples or its labels are bad,
    /// and `refused` where there is no memory for it.
    func refs(
        of request: WriteRequest, _ bytes: RawSpan, ignoringCache: Bool, _ drops: DroppedSamples
    ) throws(StorageError) -> [SeriesRef?] {
        var refs = [SeriesRef?](repeating: nil, count: request.series.count)
        var missing: [Int] = []
        let now = monotonicNanoseconds()
        cache.withLock { aging in
            if now >= aging.due {
                aging.cache.age()
                aging.due = now + Self.agingNanoseconds
            }
            for (index, one) in request.series.enumerated() where one.sampleCount > 0 {
                if index % Self.group == 0 {
                    let end = min(index + Self.group, request.series.count)
                    aging.cache.approach(request.series[index..<end])
                }
                if !ignoringCache, let packed = aging.cache.find(one.fingerprint) {
                    refs[index] = SeriesRef(packed: packed)
                } else {
                    missing.append(index)
                }
            }
        }
        if missing.isEmpty { return refs }
        var labels: [Labels] = []
        var owners: [Int] = []
        for index in missing {
            do throws(LabelFault) {
                labels.append(try request.series[index].makeLabels(bytes))
                owners.append(index)
            } catch {
                drops.countInvalid(request.series[index].sampleCount, error.description)
            }
        }
        if labels.isEmpty { return refs }
        let found = try storage.resolve(labels)
        cache.withLock { aging in
            for (owner, ref) in zip(owners, found) {
                refs[owner] = ref
                if ref == .refused { continue }
                aging.cache.insert(request.series[owner].fingerprint, ref.packed)
            }
        }
        return refs
    }
}

extension SeriesRef {
    fileprivate init(packed: UInt64) {
        self.init(
            slot: UInt32(truncatingIfNeeded: packed >> 32),
            generation: UInt32(truncatingIfNeeded: packed))
    }

    fileprivate var packed: UInt64 { UInt64(slot) << 32 | UInt64(generation) }
}
