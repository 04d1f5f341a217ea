// SPDX-License-Identifier: Apache-2.0

import Foundation
import Instrumentation
import Model
import Platform
import Storage
import TSDB
import Testing

private let minute: Int64 = 60_000
private let first = Metadata(type: .counter, unit: "bytes", help: "What came.")
private let second = Metadata(type: .gauge, unit: "", help: "Ä\\n")

private func labels(_ number: Int) -> Labels { Labels(["__name__": "m", "n": "\(number)"]) }

private func open(_ path: String) throws -> Head {
    var options = HeadOptions()
    options.writesInBackground = false
    options.segmentSize = 1 << 15
    return try Head.open(
        path, options, minValidTime: .min, LocalFileSystem(), Registry())
}

extension Head {
    fileprivate func say(_ entries: [(Int, Metadata)]) throws {
        var batch = SampleBatch(sharedTimestamp: 0)
        for (number, metadata) in entries {
            batch.metadata.append(SeriesMetadata(try resolve([labels(number)])[0], metadata))
        }
        _ = try commit(batch, .skipFaulty)
    }

    fileprivate func said(_ number: Int) throws -> Metadata? {
        metadata(of: try resolve([labels(number)])[0])
    }
}

/// How many bytes the log has.
private func logSize(_ folder: TemporaryFolder) throws -> Int {
    try folder.files(in: "wal").reduce(0) { try $0 + folder.contents("wal/\($1)").count }
}

@Suite struct MetadataTests {
    @Test("What is said about series is in the log once, and known after a crash")
    func metadataIsLogged() throws {
        let folder = TemporaryFolder()
        let head = try open(folder.path)
        try head.say([(0, first), (1, second), (2, Metadata())])
        let size = try logSize(folder)
        try head.say([(0, first), (1, second), (2, Metadata())])
        #expect(try logSize(folder) == size)
        try head.say([(0, second), (3, first)])
        #expect(try logSize(folder) > size)
        for copies in 0..<3 {
            let copy = try folder.copy()
            let again = try open(copy.path)
            #expect(try again.said(0) == second)
            #expect(try again.said(1) == second)
            #expect(try again.said(2) == nil)
            #expect(try again.said(3) == first)
            try again.say([(0, second), (3, first)])
            // With a snapshot, too, and with what came after it.
            if copies == 0 { head.takeSnapshot() }
            if copies == 1 { try head.add(labels(0), [(1, 1.0)]) }
        }
    }

    @Test("Checkpoints keep the newest, and series that go take theirs along")
    func metadataIsKept() throws {
        let folder = TemporaryFolder()
        let head = try open(folder.path)
        try head.say([(0, first), (1, first)])
        try head.say([(0, second)])
        try head.add(labels(1), [(1, 1.0)])
        // Enough for some segments.
        try head.add(labels(0), (0..<6000).map { ($0 * minute, Double($0) * 1.7) })
        try head.truncateWithLog(before: 5900 * minute)
        #expect(folder.files(in: "wal").contains { $0.hasPrefix("checkpoint") })
        #expect(try head.said(0) == second)
        #expect(head.seriesCount == 1)
        #expect(try head.said(1) == nil)
        let copy = try folder.copy()
        let again = try open(copy.path)
        #expect(try again.said(0) == second)
    }
}
