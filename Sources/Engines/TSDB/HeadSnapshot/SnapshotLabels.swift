// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import Platform
internal import Storage

/// Reads the labels of a snapshot on a thread of its own, while the samples are read on the
/// caller's: the two know nothing of each other but the order of the series.
final class SnapshotLabels: Sendable {
    private final class State {
        var index: LabelIndex
        var seriesCount = 0
        var fault: SnapshotFault?

        init() throws(StorageError) { index = try LabelIndex() }
    }

    private let state: Monitor<State>
    private let thread: SystemThread?

    init(_ file: SnapshotFile) throws(SnapshotFault) {
        do throws(StorageError) { state = Monitor(try State()) } catch {
            throw SnapshotFault("\(error)")
        }
        let state = state
        let read: @Sendable () -> Void = {
            state.withLock { state in
                do throws(SnapshotFault) {
                    state.seriesCount = try state.index.restore(file)
                } catch {
                    state.fault = error
                }
            }
        }
        thread = try? SystemThread("head-labels", stackSize: 1 << 20, read)
        if thread == nil { read() }
    }

    /// Waits for the end of the reading, and puts what was read into `index`. Returns how many
    /// series there are.
    func finish(_ index: inout LabelIndex) throws(SnapshotFault) -> Int {
        thread?.join()
        return try state.withLock { (state) throws(SnapshotFault) in
            if let fault = state.fault { throw fault }
            swap(&index, &state.index)
            return state.seriesCount
        }
    }
}

extension LabelIndex {
    /// Fills the empty index. The slots are given out in the order of the file, from 0 on.
    fileprivate mutating func restore(_ file: SnapshotFile) throws(SnapshotFault) -> Int {
        reserve(min(file.summary.seriesCount, file.byteCount / 8))
        try file.forEachFrame(.names) { reader in
            for _ in 0..<(try reader.uvarint()) { try addName(try reader.lengthPrefixed()) }
        }
        try file.forEachFrame(.pairs) { reader in
            for _ in 0..<(try reader.uvarint()) {
                let name = try reader.uvarint()
                if name == 0 {
                    try addFreePair()
                } else {
                    try addPair(name: name - 1, value: try reader.lengthPrefixed())
                }
            }
        }
        var slot: UInt32 = 0
        var numbers: [UInt32] = []
        var packed: [UInt8] = []
        try file.forEachFrame(.labels) { reader in
            numbers.removeAll(keepingCapacity: true)
            for _ in 0..<(try reader.uvarint()) {
                try decode(&reader, &numbers)
                try restore(slot, numbers, &packed)
                slot += 1
            }
        }
        finishRestoring()
        return Int(slot)
    }

    /// Reads the pairs of a series against those of the one before.
    private func decode(_ reader: inout ByteReader, _ numbers: inout [UInt32]) throws {
        let count = Int(clamping: try reader.uvarint())
        let mask = try reader.uvarint()
        guard count > 0, count <= numbers.count + reader.remaining else {
            throw SnapshotFault("a series of \(count) labels")
        }
        if numbers.count > count { numbers.removeLast(numbers.count - count) }
        for index in 0..<count {
            if index < 63, mask >> UInt64(index) & 1 == 0 {
                guard index < numbers.count else { throw SnapshotFault("a label is missing") }
                continue
            }
            let number = try reader.uvarint()
            guard number < UInt64(pairs.end), pairs[UInt32(number)].byteCount > 0 else {
                throw SnapshotFault("there is no label \(number)")
            }
            if index < numbers.count {
                numbers[index] = UInt32(number)
            } else {
                numbers.append(UInt32(number))
            }
        }
    }
}
