// SPDX-License-Identifier: Apache-2.0

import Bytes
import Foundation
import Model
import Platform
import Storage
import TSDB
import Testing

/// Folders with data that is not stored yet are served, and left as they are.
struct ForeignDataTests {
    private func record(_ body: [UInt8]) -> [UInt8] {
        var writer = ByteWriter()
        writer.uint8(1)
        writer.uint16BE(UInt16(body.count))
        writer.uint32BE(crc32c(body))
        writer.append(body)
        return writer.bytes
    }

    @Test(arguments: [5, 6, 99] as [UInt8])
    func otherRecordsAreSkipped(kind: UInt8) throws {
        let folder = TemporaryFolder()
        let writing = try openHead(folder)
        try writing.add([1], at: 1000) { _ in 1 }
        try writing.close()
        try folder.write(record([kind, 1, 2, 3]), "wal/00000001")
        let head = try openHead(folder)
        #expect(head.foreignData == nil)
        try head.add([1], at: 2000) { _ in 1 }
        #expect(try headContents(head)[series(1)]?.times == [1000, 2000])
    }

    @Test func damagedCheckpointsAreAnError() throws {
        let folder = TemporaryFolder()
        try folder.write([1, 0, 9, 0, 0, 0, 0, 1], "wal/checkpoint.00000003/00000000")
        #expect(throws: StorageError.self) { try openHead(folder) }
    }

    @Test func twoRefsOfOneLabelSetAreOneSeries() throws {
        let folder = TemporaryFolder()
        func seriesRecord(_ ref: UInt64) -> [UInt8] {
            var writer = ByteWriter()
            writer.uint8(1)
            writer.uint64BE(ref)
            writer.uvarint(1)
            writer.lengthPrefixed("__name__")
            writer.lengthPrefixed("up")
            return record(writer.bytes)
        }
        func sampleRecord(_ ref: UInt64, _ time: Int64) -> [UInt8] {
            var writer = ByteWriter()
            writer.uint8(2)
            writer.uint64BE(ref)
            writer.uint64BE(UInt64(time))
            writer.varint(0)
            writer.varint(0)
            writer.uint64BE(Double(time).bitPattern)
            return record(writer.bytes)
        }
        try folder.write(
            seriesRecord(5) + sampleRecord(5, 1000) + seriesRecord(9) + sampleRecord(9, 2000)
                + sampleRecord(77, 3000) + sampleRecord(5, 4000), "wal/00000000")
        let head = try openHead(folder)
        let found = try headContents(head)
        #expect(found[Labels(["__name__": "up"])]?.times == [1000, 2000, 4000])
        #expect(found.count == 1)
    }
}
