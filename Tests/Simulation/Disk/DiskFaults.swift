// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Platform

/// What may go wrong on a `MemoryDisk`.
package enum DiskOperation: String, Sendable, Hashable, CaseIterable {
    case open, write, truncate, sync, rename, link, remove, mkdir, syncDirectory
    case read, map, list

    /// Whether it changes something.
    package var isChange: Bool {
        switch self {
        case .read, .map, .list: false
        default: true
        }
    }
}

/// How a `MemoryDisk` misbehaves.
package struct DiskFaults: Sendable {
    /// One in so many of the operations fails with an input/output error; zero for none.
    package var failingOneIn = 0
    package var operations: Set<DiskOperation> = []
    /// How many bytes still fit; nil for any number.
    package var room: Int?

    package init() {}

    /// The error of an operation, if it is to fail.
    func failure(
        _ operation: DiskOperation, _ path: String, _ random: inout RandomNumbers
    ) -> FileError? {
        guard failingOneIn > 0, operations.contains(operation), random.isOne(in: failingOneIn)
        else { return nil }
        return FileError(operation: operation.rawValue, path: path, code: EIO)
    }
}
