// SPDX-License-Identifier: Apache-2.0

/// Slots by WAL ref, while the log is read. Refs were given out one after the other, so they are
/// kept in pages of neighbours.
struct RefTable {
    private static let pageBits: UInt64 = 12
    private static let none = UInt32.max
    private var pages: [UInt64: Int] = [:]
    private var slots: [UInt32] = []
    private var lastPage = UInt64.max
    private var lastStart = 0

    init() {}

    subscript(ref: UInt64) -> UInt32? {
        mutating get {
            guard find(ref &>> Self.pageBits) else { return nil }
            let slot = slots[lastStart + Int(ref & (1 << Self.pageBits - 1))]
            return slot == Self.none ? nil : slot
        }
        set {
            let page = ref &>> Self.pageBits
            if !find(page) {
                pages[page] = slots.count
                lastPage = page
                lastStart = slots.count
                slots.append(contentsOf: repeatElement(Self.none, count: 1 << Int(Self.pageBits)))
            }
            slots[lastStart + Int(ref & (1 << Self.pageBits - 1))] = newValue ?? Self.none
        }
    }

    private mutating func find(_ page: UInt64) -> Bool {
        if page == lastPage { return true }
        guard let start = pages[page] else { return false }
        lastPage = page
        lastStart = start
        return true
    }
}
