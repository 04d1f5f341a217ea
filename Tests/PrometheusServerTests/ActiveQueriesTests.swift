// SPDX-License-Identifier: Apache-2.0

import Foundation
import Instrumentation
import Platform
import PrometheusServer
import Synchronization
import Testing

@Suite struct ActiveQueriesTests {
    private final class Lines: Sendable {
        private let text = Mutex("")
        var all: String { text.withLock { $0 } }
        func append(_ line: String) { text.withLock { $0 += line } }
    }

    /// What a server finds in a folder where the one before left `content`.
    private func logged(_ folder: String, slots: Int = 2) throws -> (ActiveQueries, String) {
        let lines = Lines()
        let log = Logger(level: .info, format: .json, now: { 0 }, write: lines.append)
        let queries = ActiveQueries(slots: slots, log: log)
        try queries.open(in: folder, LocalFileSystem())
        return (queries, lines.all)
    }

    private func withFolder(_ body: (String) throws -> Void) throws {
        let folder = NSTemporaryDirectory() + "active-\(UUID().uuidString)"
        try LocalFileSystem().createDirectory(folder)
        defer { try? LocalFileSystem().remove(folder) }
        try body(folder)
    }

    @Test("What ran when the process died is told at the next start, what had ended is not")
    func crash() throws {
        try withFolder { folder in
            let (queries, first) = try logged(folder)
            #expect(first.isEmpty)
            let ended = queries.begin("vector(1)")
            _ = queries.begin("sum(\"<ü>\")")
            queries.end(ended)
            let (_, second) = try logged(folder)
            let message = "These queries didn't finish in prometheus' last run:"
            #expect(second.contains(message))
            #expect(second.contains("[{\\\"query\\\":\\\"sum("))
            #expect(!second.contains("vector(1)"))
            let (_, third) = try logged(folder)
            #expect(third.isEmpty)
        }
    }

    @Test("The file has upstream's layout: a bracket and slots of 1000 bytes that end in a comma")
    func layout() throws {
        try withFolder { folder in
            let (queries, _) = try logged(folder)
            let long = queries.begin(String(repeating: "ü<", count: 2000))
            let short = queries.begin("up")
            #expect(queries.begin("third") < 0, "there is no slot for it")
            let bytes = try LocalFileSystem().contents(of: folder + "/queries.active")
            #expect(bytes.count == 2001)
            #expect(bytes[0] == UInt8(ascii: "["))
            #expect(bytes[1000] == UInt8(ascii: ",") && bytes[2000] == UInt8(ascii: ","))
            let slot = String(decoding: bytes[1..<1000].filter { $0 != 0 }, as: UTF8.self)
            #expect(slot.hasPrefix("{\"query\":\"ü\\u003cü\\u003c"))
            #expect(slot.contains("\",\"timestamp_sec\":") && slot.hasSuffix("}"))
            #expect(slot.utf8.count > 950)
            queries.end(long)
            queries.end(short)
            let after = try LocalFileSystem().contents(of: folder + "/queries.active")
            #expect(after.dropFirst().allSatisfy { $0 == 0 })
        }
    }
}
