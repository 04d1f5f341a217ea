// SPDX-License-Identifier: Apache-2.0
//
// What queries touch of mapped files counts as memory of the process for as long as it stays
// mapped, and small chunks that lie scattered over a block bring their neighbourhood along: a few
// queries map all of it. The pages lie in the system's cache in any case. So they are let go of
// whenever some more of them are mapped than were left the last time; to map them again costs a
// fault for each sixteen, which is one hundredth of what decoding them costs.

internal import Platform
internal import Synchronization

/// Bounds how many pages of files stay mapped. Any thread may use it.
package final class FilePages: Sendable {
    /// So much may be mapped beyond what was left the last time. Bytes.
    private let limit: Int
    /// Bytes of files that are mapped and resident now.
    private let meter: @Sendable () -> Int
    /// What was left the last time.
    private let left = Atomic<Int>(.max)
    private let isReleasing = Atomic<Bool>(false)
    private let release = Mutex<(@Sendable () -> Void)?>(nil)

    /// How many series of a selection are read from one look to the next.
    static let seriesBetweenLooks = 256

    package init(limit: Int, meter: @escaping @Sendable () -> Int) {
        self.limit = limit
        self.meter = meter
    }

    /// For the pages of this process.
    package convenience init(limit: Int = 32 << 20) {
        let memory = MappedMemory()
        self.init(limit: limit) { memory.byteCount }
    }

    /// What lets go of pages.
    func onExcess(_ release: @escaping @Sendable () -> Void) {
        self.release.withLock { $0 = release }
    }

    /// Lets go of pages where there are too many. Takes a microsecond otherwise.
    func look() {
        let mapped = meter()
        let left = left.load(ordering: .relaxed)
        // They became fewer without this, or it is the first time.
        if mapped < left { return self.left.store(mapped, ordering: .relaxed) }
        guard mapped - left > limit, !isReleasing.exchange(true, ordering: .acquiring) else {
            return
        }
        defer { isReleasing.store(false, ordering: .releasing) }
        guard let release = release.withLock({ $0 }) else { return }
        release()
        self.left.store(meter(), ordering: .relaxed)
    }

    /// Looks once in a while, as the series of a selection are read.
    @inline(__always)
    func look(atSeries index: Int) {
        if index % Self.seriesBetweenLooks == Self.seriesBetweenLooks - 1 { look() }
    }
}
