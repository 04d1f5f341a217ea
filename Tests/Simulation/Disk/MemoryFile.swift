// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Platform
internal import Synchronization

/// An open file of a `MemoryDisk`. It can be used until the process that opened it is gone.
final class MemoryFile: OpenFile {
    let path: String
    private let disk: MemoryDisk
    private let id: Int
    private let life: Int

    init(_ path: String, _ disk: MemoryDisk, _ id: Int, _ life: Int) {
        self.path = path
        self.disk = disk
        self.id = id
        self.life = life
    }

    private func use<Result: Sendable>(
        _ operation: DiskOperation?,
        _ body: (inout MemoryDisk.State) throws(FileError) -> Result
    ) throws(FileError) -> Result {
        try disk.state.withLock { (state) throws(FileError) in
            precondition(state.life == life, "\(path) is used after the end of its process")
            if let operation { try state.begin(operation, path) }
            return try body(&state)
        }
    }

    func size() throws(FileError) -> Int {
        try use(nil) { state in state.files[id]?.contents.count ?? 0 }
    }

    func read(into buffer: UnsafeMutableRawBufferPointer, at offset: Int) throws(FileError) -> Int {
        let contents = try use(.read) { state in state.files[id]?.contents ?? [] }
        guard offset < contents.count else { return 0 }
        let part = contents[offset..<min(contents.count, offset + buffer.count)]
        buffer.copyBytes(from: part)
        return part.count
    }

    func write(_ bytes: RawSpan, at offset: Int) throws(FileError) {
        let bytes = bytes.withUnsafeBytes { [UInt8]($0) }
        try use(nil) { (state) throws(FileError) in
            try state.write(bytes, to: id, at: offset, path)
        }
    }

    func truncate(to size: Int) throws(FileError) {
        try use(.truncate) { (state) throws(FileError) in
            try state.truncate(id, to: size, path)
        }
    }

    func sync() throws(FileError) {
        try use(.sync) { state in state.files[id]?.sync() }
    }
}
