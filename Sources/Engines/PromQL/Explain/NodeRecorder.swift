// SPDX-License-Identifier: Apache-2.0

internal import Platform

/// Clock and scales for the nodes of a query that is explained. Only such a query has one.
final class NodeRecorder {
    struct Record {
        var nanoseconds: UInt64 = 0
        var bytes = 0
        var windows: (reused: Int, computed: Int)?
    }

    /// What stands on the clock and on the scales.
    struct Mark {
        let time: UInt64
        let bytes: Int
    }

    private let memory: QueryMemory
    private var records: [Int: Record] = [:]

    init(_ memory: QueryMemory) { self.memory = memory }

    var isWeighing: Bool { memory.isKnown }

    func mark() -> Mark { Mark(time: monotonicNanoseconds(), bytes: memory.held) }

    func record(of number: Int) -> Record { records[number] ?? Record() }

    /// Adds the time since `begin`, and notes what is held since, less what went elsewhere.
    func add(since begin: Mark, elsewhere: (time: UInt64, bytes: Int) = (0, 0), to number: Int) {
        records[number, default: Record()].nanoseconds +=
            monotonicNanoseconds() - begin.time - elsewhere.time
        weigh(since: begin, elsewhere: elsewhere.bytes, for: number)
    }

    /// Notes what is held more than at `begin`, less what those above took.
    func weigh(since begin: Mark, elsewhere: Int, for number: Int) {
        let bytes = memory.held - begin.bytes - elsewhere
        if bytes > record(of: number).bytes { records[number, default: Record()].bytes = bytes }
    }

    func note(windows: WindowCache.Counts, of number: Int) {
        records[number, default: Record()].windows = (windows.reused, windows.computed)
    }
}
