// SPDX-License-Identifier: Apache-2.0

/// A file on a `MemoryDisk`: what it reads as now, and what of it is on the device.
struct FileNode: Sendable {
    var contents: [UInt8] = []
    /// The contents when they were synced last.
    private(set) var durable: [UInt8] = []
    /// The changes since, in order.
    private var unsynced: [Change] = []
    /// How many directory entries name the file.
    var links = 1

    private enum Change: Sendable {
        case write(offset: Int, bytes: [UInt8])
        case truncation(size: Int)
    }

    mutating func write(_ bytes: [UInt8], at offset: Int) {
        unsynced.append(.write(offset: offset, bytes: bytes))
        Self.apply(.write(offset: offset, bytes: bytes), to: &contents)
    }

    mutating func truncate(to size: Int) {
        unsynced.append(.truncation(size: size))
        Self.apply(.truncation(size: size), to: &contents)
    }

    mutating func sync() {
        guard !unsynced.isEmpty else { return }
        durable = contents
        unsynced = []
    }

    mutating func flip(bit: Int) {
        contents[bit / 8] ^= 1 << UInt8(bit % 8)
        if bit / 8 < durable.count { durable[bit / 8] = contents[bit / 8] }
    }

    private static func apply(_ change: Change, to contents: inout [UInt8]) {
        switch change {
        case .write(let offset, let bytes):
            let end = offset + bytes.count
            if contents.count < end {
                contents.append(contentsOf: repeatElement(0, count: end - contents.count))
            }
            contents.replaceSubrange(offset..<end, with: bytes)
        case .truncation(let size):
            if size < contents.count {
                contents.removeLast(contents.count - size)
            } else {
                contents.append(contentsOf: repeatElement(0, count: size - contents.count))
            }
        }
    }

    // MARK: Power cut

    /// What is found after a power cut: the synced contents with any part of what came after.
    mutating func loseUnsynced(_ mode: PowerCut, _ random: inout RandomNumbers) {
        guard !unsynced.isEmpty else { return }
        switch mode {
        case .nothingElseSurvives: contents = durable
        case .allSurvives: break
        case .mixed:
            switch random.below(4) {
            case 0: contents = durable
            case 1: break
            case 2: keepBeginning(&random)
            default: keepSectors(&random)
            }
        }
        durable = contents
        unsynced = []
    }

    /// The first few changes, of which the last one is torn.
    private mutating func keepBeginning(_ random: inout RandomNumbers) {
        let count = random.below(unsynced.count)
        var kept = durable
        for change in unsynced[..<count] { Self.apply(change, to: &kept) }
        if case .write(let offset, let bytes) = unsynced[count], !bytes.isEmpty {
            let torn = Array(bytes[..<random.below(bytes.count)])
            if !torn.isEmpty { Self.apply(.write(offset: offset, bytes: torn), to: &kept) }
        }
        contents = kept
    }

    /// Each sector as it was or as it became; sectors that never arrived read as zeros.
    private mutating func keepSectors(_ random: inout RandomNumbers) {
        let sectorSize = 512
        let (smaller, larger) = (
            min(durable.count, contents.count), max(durable.count, contents.count)
        )
        let size = smaller + random.below(larger - smaller + 1)
        var kept = [UInt8](repeating: 0, count: size)
        for start in stride(from: 0, to: size, by: sectorSize) {
            let source = random.isOne(in: 2) ? durable : contents
            let end = min(start + sectorSize, size, source.count)
            if start < end { kept.replaceSubrange(start..<end, with: source[start..<end]) }
        }
        contents = kept
    }
}

/// A directory on a `MemoryDisk`. What happened to its entries reaches the device in order, as on
/// file systems with a journal, but surely only by a sync of the directory itself.
struct DirectoryNode: Sendable {
    private(set) var entries: [String: Int] = [:]
    private var durable: [String: Int] = [:]
    private var unsynced: [Change] = []

    private enum Change: Sendable {
        case entry(String, Int)
        case removal(String)
        case rename(String, to: String)
    }

    mutating func set(_ name: String, _ node: Int) { record(.entry(name, node)) }
    mutating func remove(_ name: String) { record(.removal(name)) }
    mutating func rename(_ old: String, to new: String) { record(.rename(old, to: new)) }

    private mutating func record(_ change: Change) {
        unsynced.append(change)
        Self.apply(change, to: &entries)
    }

    mutating func sync() {
        durable = entries
        unsynced = []
    }

    private static func apply(_ change: Change, to entries: inout [String: Int]) {
        switch change {
        case .entry(let name, let node): entries[name] = node
        case .removal(let name): entries[name] = nil
        case .rename(let old, let new): entries[new] = entries.removeValue(forKey: old)
        }
    }

    mutating func loseUnsynced(_ mode: PowerCut, _ random: inout RandomNumbers) {
        let count =
            switch mode {
            case .nothingElseSurvives: 0
            case .allSurvives: unsynced.count
            case .mixed: random.below(unsynced.count + 1)
            }
        entries = durable
        for change in unsynced[..<count] { Self.apply(change, to: &entries) }
        sync()
    }
}

/// What a power cut leaves of what was not synced.
package enum PowerCut: Sendable, CaseIterable {
    case nothingElseSurvives
    case allSurvives
    /// Of each file and directory something else: nothing, all, a torn beginning, single sectors.
    case mixed
}
