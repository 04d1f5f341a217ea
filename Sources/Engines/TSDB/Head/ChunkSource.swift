// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import ChunkEncoding
internal import Model
internal import Platform
internal import Storage

/// A chunk of the head that can be read without its lock.
struct ChunkSource: Sendable {
    /// The times of the first and the last sample.
    var range: TimeRange
    var place: HeadChunkFiles.Source

    var bytes: [UInt8] {
        switch place {
        case .memory(let bytes, _): bytes
        case .file(let file, let data, _):
            unsafe file.bytes.extracting(data).withUnsafeBytes { unsafe [UInt8]($0) }
        }
    }

    /// Appends the samples within the closed range.
    func decode(
        _ range: TimeRange, _ timestamps: inout [Timestamp], _ values: inout [Double]
    ) throws(StorageError) {
        try place.decode(range, &timestamps, &values)
    }
}

extension HeadChunkFiles.Source {
    func decode(
        _ range: TimeRange, _ timestamps: inout [Timestamp], _ values: inout [Double]
    ) throws(StorageError) {
        do {
            switch self {
            case .file(let file, let data, let encoding):
                guard let encoding = EncodedChunk.Encoding(rawValue: encoding) else { return }
                try decodeFloats(
                    file.bytes.extracting(data), encoding, within: range, &timestamps, &values)
            case .memory(let bytes, let encoding):
                guard let encoding = EncodedChunk.Encoding(rawValue: encoding) else { return }
                try decodeFloats(bytes.raw, encoding, within: range, &timestamps, &values)
            }
        } catch {
            throw StorageError(.damaged, "head: \(error)")
        }
    }
}
