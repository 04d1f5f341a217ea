// SPDX-License-Identifier: Apache-2.0
//
// Labels of series, read without the head's lock.
//
// What is read of a slot is written when its series is created and not again before the series is
// dropped: the word of `labelSets`, the run of pairs that it names, the place of each pair's text,
// and the text. (The count of series in a pair does change; it is a field of its own and is not
// read here.) None of it moves, since a column never does. So a reader may take slots that
//
// - it got from the head under the lock, which orders its reads behind the writes, and
// - that are not dropped while it reads: it holds a lease, for whose end a truncation waits, or it
//   holds the lock.
//
// A querier that is opened while a truncation is under way is not waited for, but it selects only
// series with samples that the truncation keeps, and those are not dropped.

internal import Glibc
internal import Model
internal import Storage

@safe struct LabelReader: @unchecked Sendable {
    // SAFETY: the memory is only read, by the rules above; the head that owns it must be kept alive
    // by the owner of the reader.
    private let labelSets: UnsafePointer<UInt32>
    private let sets: UnsafePointer<UInt32>
    private let pairs: UnsafePointer<LabelPairs.Pair>
    private let texts: UnsafePointer<UInt32>

    init(
        labelSets: borrowing Column<UInt32>, sets: borrowing WordArena,
        pairs: UnsafePointer<LabelPairs.Pair>, texts: UnsafePointer<UInt32>
    ) {
        unsafe self.labelSets = UnsafePointer(labelSets.pointer(0))
        unsafe self.sets = sets.start
        unsafe self.pairs = pairs
        unsafe self.texts = texts
    }

    /// The labels of a slot that is in use.
    func labels(of slot: UInt32) -> Labels {
        let run = unsafe Int(labelSets[Int(slot)])
        let numbers = unsafe sets + run + 1
        let labelCount = unsafe Int(sets[run])
        var size = 0
        for index in 0..<labelCount { unsafe size += Int(pairs[Int(numbers[index])].byteCount) }
        let packed = unsafe [UInt8](unsafeUninitializedCapacity: size) { target, count in
            for index in 0..<labelCount {
                let pair = unsafe pairs[Int(numbers[index])]
                let text = unsafe UnsafeRawPointer(texts + Int(pair.text))
                let rest = unsafe target.baseAddress! + count
                unsafe UnsafeMutableRawPointer(rest).copyMemory(
                    from: text, byteCount: Int(pair.byteCount))
                count += Int(pair.byteCount)
            }
        }
        return Labels(packed: packed)
    }

    /// Appends the packed labels of a slot that is in use.
    func appendLabels(of slot: UInt32, to packed: inout [UInt8]) {
        let run = unsafe Int(labelSets[Int(slot)])
        let numbers = unsafe sets + run + 1
        for index in 0..<(unsafe Int(sets[run])) {
            unsafe append(pairs[Int(numbers[index])], to: &packed)
        }
    }

    private func append(_ pair: LabelPairs.Pair, to packed: inout [UInt8]) {
        unsafe packed.append(
            contentsOf: UnsafeRawBufferPointer(
                start: texts + Int(pair.text), count: Int(pair.byteCount)))
    }

    /// Puts slots that are in use into groups by their pairs: those whose names have one of these
    /// numbers, or all others.
    func groups(
        _ members: [SelectedSeries], _ names: [UInt32], keepsNamed: Bool
    ) -> SeriesGroups {
        var groups = SeriesGroups(expecting: members.count)
        var table = RunTable()
        var kept: [UInt32] = []
        for member in members {
            let run = unsafe Int(labelSets[Int(member.slot)])
            let numbers = unsafe sets + run + 1
            kept.removeAll(keepingCapacity: true)
            for index in 0..<(unsafe Int(sets[run])) {
                let number = unsafe numbers[index]
                let name = unsafe pairs[Int(number)].name
                if names.contains(name) == keepsNamed { kept.append(number) }
            }
            let (group, isNew) = table.insert(kept)
            if isNew {
                var packed: [UInt8] = []
                for number in kept { unsafe append(pairs[Int(number)], to: &packed) }
                groups.append(newGroup: Labels(packed: packed))
            } else {
                groups.append(toGroup: group)
            }
        }
        return groups
    }

    /// Whether a slot that is in use has just these packed labels.
    func hasLabels(_ labels: [UInt8], _ slot: UInt32) -> Bool {
        let run = unsafe Int(labelSets[Int(slot)])
        let numbers = unsafe sets + run + 1
        return unsafe labels.withUnsafeBytes { packed in
            var at = 0
            for index in 0..<(unsafe Int(sets[run])) {
                let pair = unsafe pairs[Int(numbers[index])]
                let length = Int(pair.byteCount)
                guard at + length <= packed.count else { return false }
                let text = unsafe UnsafeRawPointer(texts + Int(pair.text))
                if unsafe memcmp(packed.baseAddress! + at, text, length) != 0 { return false }
                at += length
            }
            return at == packed.count
        }
    }
}
