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
        _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        try place.decode(range, into: &columns)
    }
}

extension HeadChunkFiles.Source {
    /// How the bytes are encoded; nil for an encoding that is not known.
    var encoding: EncodedChunk.Encoding? {
        switch self {
        case .file(_, _, let encoding), .memory(_, let encoding):
            EncodedChunk.Encoding(rawValue: encoding)
        }
    }

    func decode(
        _ range: TimeRange, into columns: inout SampleColumns
    ) throws(StorageError) {
        guard let encoding else { return }
        do throws(ChunkError) {
            switch self {
            case .file(let file, let data, _):
                try columns.append(file.bytes.extracting(data), encoding, within: range)
            case .memory(let bytes, _):
                try columns.append(bytes.raw, encoding, within: range)
            }
        } catch {
            throw StorageError(.damaged, "head: \(error)")
        }
    }
}
