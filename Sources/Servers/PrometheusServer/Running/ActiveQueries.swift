// SPDX-License-Identifier: Apache-2.0
//
// `queries.active` in the data folder, as upstream has it: a bracket, then 1000 bytes for each
// query that may run at once. A slot in use holds `{"query":"…","timestamp_sec":…}`, zero bytes up
// to its end, and a comma there; a free one holds zero bytes. The kernel keeps what was written
// when the process dies, so that the next start can tell what ran.

internal import Bytes
package import Instrumentation
internal import JSON
package import Platform
internal import PromQL
internal import Synchronization

/// The queries that are running, in a file that outlives a crash. Tracks nothing until it is
/// opened.
package final class ActiveQueries: QueryTracker {
    private static let slotSize = 1000
    private static let untracked = -1

    private struct State: Sendable {
        var file: (any OpenFile)?
        /// The numbers of free slots, the next one last.
        var free: [Int] = []
    }

    private let slots: Int
    private let log: Logger
    private let state = Mutex(State())

    package init(slots: Int, log: Logger) {
        self.slots = slots
        self.log = log
    }

    /// Tells the log what the last run did not finish, and begins the file anew.
    package func open(in folder: String, _ fileSystem: any FileSystem) throws(FileError) {
        let path = folder + "/queries.active"
        if let left = try Self.unfinished(path, fileSystem) {
            log.info(
                "These queries didn't finish in prometheus' last run:", ["queries": left])
        }
        let file = try fileSystem.open(path, .replace)
        var empty = [UInt8](repeating: 0, count: 1 + slots * Self.slotSize)
        empty[0] = UInt8(ascii: "[")
        try file.write(empty.raw, at: 0)
        try file.sync()
        state.withLock { $0 = State(file: file, free: Array((0..<slots).reversed())) }
    }

    /// The queries in a file that a run has left, as a JSON array; nil where there are none.
    private static func unfinished(
        _ path: String, _ fileSystem: any FileSystem
    ) throws(FileError) -> String? {
        guard try fileSystem.status(of: path) != nil else { return nil }
        let bytes = try fileSystem.contents(of: path).filter { $0 != 0 }
        if bytes.count < 2 { return nil }
        return String(decoding: bytes.dropLast(), as: UTF8.self) + "]"
    }

    /// Negative where no slot is free: such a query is not tracked.
    package func begin(_ query: String) -> Int {
        let (file, free) = state.withLock { ($0.file, $0.free.popLast()) }
        guard let file, let free else { return Self.untracked }
        write(Self.entry(query, at: currentMilliseconds() / 1000), free, file)
        return free
    }

    package func end(_ token: Int) {
        guard token != Self.untracked, let file = state.withLock(\.file) else { return }
        write([UInt8](repeating: 0, count: Self.slotSize), token, file)
        state.withLock { $0.free.append(token) }
    }

    private func write(_ bytes: [UInt8], _ slot: Int, _ file: any OpenFile) {
        do throws(FileError) {
            try file.write(bytes.raw, at: 1 + slot * Self.slotSize)
        } catch {
            log.warn("Cannot note a running query", ["err": error.description])
        }
    }

    /// A whole slot. A query that is too long for it is cut between two characters.
    private static func entry(_ query: String, at seconds: Int64) -> [UInt8] {
        func json(_ query: some StringProtocol) -> [UInt8] {
            var json = JSONWriter()
            json.object { json in
                json.key("query")
                json.string(String(query))
                json.key("timestamp_sec")
                json.integer(seconds)
            }
            return json.output.bytes
        }
        var shown = query.unicodeScalars.prefix(slotSize)
        var entry = json(String(shown))
        while entry.count > slotSize - 1 {
            // An escape takes six bytes for one at most.
            shown = shown.dropLast(max(1, (entry.count - slotSize) / 6))
            entry = json(String(shown))
        }
        entry += [UInt8](repeating: 0, count: slotSize - 1 - entry.count)
        return entry + [UInt8(ascii: ",")]
    }
}
