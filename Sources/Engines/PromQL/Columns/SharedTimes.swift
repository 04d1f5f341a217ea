// SPDX-License-Identifier: Apache-2.0

internal import Model

/// Columns of timestamps as the series of a result hold them: series of one target have the same
/// times, of which one copy is enough.
struct SharedTimes {
    private struct Key: Hashable {
        let count: Int
        let first: Timestamp
    }

    private static let limit = 4096
    private var known: [Key: [Timestamp]] = [:]

    /// A copy of the timestamps without room for more, or an equal one from before.
    mutating func share(_ timestamps: [Timestamp]) -> [Timestamp] {
        guard let first = timestamps.first else { return [] }
        let key = Key(count: timestamps.count, first: first)
        if let found = known[key], found == timestamps { return found }
        let copy = timestamps.exactCopy
        if known.count < Self.limit { known[key] = copy }
        return copy
    }
}

extension Array {
    /// The elements in memory of their own, as large as they need.
    var exactCopy: [Element] {
        var copy: [Element] = []
        copy.reserveCapacity(count)
        copy.append(contentsOf: self)
        return copy
    }
}
