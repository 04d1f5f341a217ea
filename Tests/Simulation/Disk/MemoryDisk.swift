// SPDX-License-Identifier: Apache-2.0
//
// A disk in memory that knows what was synced and what was not.
//
// Contents of a file reach the device by a sync of the file, entries of a directory by a sync of
// the directory; a power cut takes any part of the rest. Writes may be cut short by a full disk,
// any operation may fail, bits may flip. All of it is drawn from one seed, so that a run can be
// repeated.

internal import Glibc
package import Platform
internal import Synchronization

package final class MemoryDisk: FileSystem {
    struct State: Sendable {
        var files: [Int: FileNode] = [:]
        var directories: [Int: DirectoryNode] = [State.root: DirectoryNode()]
        var nextNode = State.root + 1
        var faults = DiskFaults()
        var random = RandomNumbers(seed: 0)
        /// Counts kills and power cuts; files that were opened before one are of no use after.
        var life = 0
        /// The files that are locked.
        var locks: Set<Int> = []
        var operationCount = 0

        static let root = 0
    }

    let state = Mutex(State())

    package init() {}

    // MARK: Control

    /// From here on all chance comes from this seed.
    package func reseed(_ seed: UInt64) {
        state.withLock { $0.random = RandomNumbers(seed: seed) }
    }

    package var faults: DiskFaults {
        get { state.withLock { $0.faults } }
        set { state.withLock { $0.faults = newValue } }
    }

    package var operationCount: Int { state.withLock { $0.operationCount } }

    /// The process that uses the disk dies: what it wrote stays, what it holds open is gone.
    package func kill() {
        state.withLock { state in
            state.life += 1
            state.locks = []
        }
    }

    /// The machine loses its power: of what was not synced, some is lost.
    package func cutPower(_ mode: PowerCut) {
        state.withLock { state in
            state.life += 1
            state.locks = []
            for id in state.directories.keys.sorted() {
                state.directories[id]?.loseUnsynced(mode, &state.random)
            }
            for id in state.files.keys.sorted() {
                state.files[id]?.loseUnsynced(mode, &state.random)
            }
            state.dropUnreachable()
        }
    }

    /// The paths of all files, sorted, with their sizes.
    package var allFiles: [(path: String, size: Int)] {
        state.withLock { state in
            var found: [(path: String, size: Int)] = []
            state.forEachFile(below: State.root, "") { path, file in
                found.append((path, file.contents.count))
            }
            return found.sorted { $0.path < $1.path }
        }
    }

    /// The device returns a bit of a file otherwise than it was written.
    package func flip(_ path: String, bit: Int) {
        state.withLock { state in
            guard let id = state.find(path) else { return }
            state.files[id]?.flip(bit: bit)
        }
    }

    // MARK: Files

    package func open(_ path: String, _ mode: OpenMode) throws(FileError) -> any OpenFile {
        let (id, life) = try state.withLock { (state) throws(FileError) in
            let isNew = state.find(path) == nil
            try state.begin(mode == .read && !isNew ? .read : .open, path)
            return (try state.open(path, mode), state.life)
        }
        return MemoryFile(path, self, id, life)
    }

    package func map(_ path: String) throws(FileError) -> MappedFile {
        let bytes = try state.withLock { (state) throws(FileError) in
            try state.begin(.map, path)
            return try state.file(path, "open").contents
        }
        return try MappedFile(path, copying: bytes)
    }

    package func status(of path: String) throws(FileError) -> FileStatus? {
        state.withLock { state in
            guard let id = state.find(path) else { return nil }
            let size = state.files[id]?.contents.count ?? 0
            return FileStatus(
                size: size, allocated: (size + 4095) / 4096 * 4096,
                isDirectory: state.files[id] == nil, modified: 0)
        }
    }

    package func lock(_ path: String) throws(FileLockError) -> FileLock {
        let opened: (id: Int, life: Int)
        do throws(FileError) {
            opened = try state.withLock { (state) throws(FileError) in
                try state.begin(.open, path)
                return (try state.open(path, .readWrite), state.life)
            }
        } catch {
            throw .file(error)
        }
        let isFree = state.withLock { $0.locks.insert(opened.id).inserted }
        guard isFree else { throw .held(path: path) }
        return FileLock(path) { [weak self] in
            self?.state.withLock { state in
                if state.life == opened.life { state.locks.remove(opened.id) }
            }
        }
    }

    // MARK: Directories

    package func entries(of directory: String) throws(FileError) -> [DirectoryEntry] {
        try state.withLock { (state) throws(FileError) in
            try state.begin(.list, directory)
            let id = try state.directory(directory, "open")
            let names = state.directories[id]?.entries ?? [:]
            return names.sorted { $0.key.utf8.lexicographicallyPrecedes($1.key.utf8) }.map {
                DirectoryEntry(name: $0.key, isDirectory: state.directories[$0.value] != nil)
            }
        }
    }

    package func rename(_ old: String, to new: String) throws(FileError) {
        try state.withLock { (state) throws(FileError) in
            try state.begin(.rename, "\(old) \(new)")
            try state.rename(old, to: new)
        }
    }

    package func link(_ existing: String, as new: String) throws(FileError) {
        try state.withLock { (state) throws(FileError) in
            try state.begin(.link, "\(existing) \(new)")
            try state.link(existing, as: new)
        }
    }

    package func remove(_ path: String) throws(FileError) {
        try state.withLock { (state) throws(FileError) in try state.remove(path) }
    }

    package func createDirectory(_ path: String) throws(FileError) {
        try state.withLock { (state) throws(FileError) in
            if let id = state.find(path), state.directories[id] != nil { return }
            try state.begin(.mkdir, path)
            try state.createDirectory(path)
        }
    }

    package func syncDirectory(_ path: String) throws(FileError) {
        try state.withLock { (state) throws(FileError) in
            try state.begin(.syncDirectory, path)
            let id = try state.directory(path, "open")
            state.directories[id]?.sync()
        }
    }
}
