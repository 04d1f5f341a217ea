// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Platform

extension MemoryDisk.State {
    private func error(_ operation: String, _ path: String, _ code: Int32) -> FileError {
        FileError(operation: operation, path: path, code: code)
    }

    /// Fails where the faults want it.
    mutating func begin(_ operation: DiskOperation, _ path: String) throws(FileError) {
        operationCount += 1
        if let failure = faults.failure(operation, path, &random) { throw failure }
    }

    // MARK: Finding

    private func split(_ path: String) -> [Substring] {
        path.split(separator: "/", omittingEmptySubsequences: true)
    }

    func find(_ path: String) -> Int? {
        var id = Self.root
        for name in split(path) {
            guard let next = directories[id]?.entries[String(name)] else { return nil }
            id = next
        }
        return id
    }

    func file(_ path: String, _ operation: String) throws(FileError) -> FileNode {
        guard let id = find(path) else { throw error(operation, path, ENOENT) }
        guard let file = files[id] else { throw error(operation, path, EISDIR) }
        return file
    }

    func directory(_ path: String, _ operation: String) throws(FileError) -> Int {
        guard let id = find(path) else { throw error(operation, path, ENOENT) }
        guard directories[id] != nil else { throw error(operation, path, ENOTDIR) }
        return id
    }

    /// The directory that holds a path, and the last element.
    private func place(
        _ path: String, _ operation: String
    ) throws(FileError) -> (directory: Int, name: String) {
        let names = split(path)
        guard let name = names.last else { throw error(operation, path, EINVAL) }
        let parent = "/" + names.dropLast().joined(separator: "/")
        return (try directory(parent, operation), String(name))
    }

    func forEachFile(below id: Int, _ path: String, _ body: (String, FileNode) -> Void) {
        for (name, child) in directories[id]?.entries ?? [:] {
            if let file = files[child] {
                body("\(path)/\(name)", file)
            } else {
                forEachFile(below: child, "\(path)/\(name)", body)
            }
        }
    }

    mutating func dropUnreachable() {
        var open = [Self.root]
        var reached: Set<Int> = [Self.root]
        while let id = open.popLast() {
            for child in directories[id]?.entries.values.sorted() ?? [] {
                if reached.insert(child).inserted { open.append(child) }
            }
        }
        files = files.filter { reached.contains($0.key) }
        directories = directories.filter { reached.contains($0.key) }
    }

    // MARK: Files

    mutating func open(_ path: String, _ mode: OpenMode) throws(FileError) -> Int {
        if let id = find(path) {
            guard files[id] != nil else { throw error("open", path, EISDIR) }
            if mode == .create { throw error("open", path, EEXIST) }
            if mode == .replace { try truncate(id, to: 0, path) }
            return id
        }
        guard mode != .read else { throw error("open", path, ENOENT) }
        let place = try place(path, "open")
        try requireRoom("open", path)
        let id = nextNode
        nextNode += 1
        files[id] = FileNode()
        directories[place.directory]?.set(place.name, id)
        return id
    }

    private func requireRoom(_ operation: String, _ path: String) throws(FileError) {
        if let room = faults.room, room <= 0 { throw error(operation, path, ENOSPC) }
    }

    /// Writes what fits; a failing write has written a beginning.
    mutating func write(
        _ bytes: [UInt8], to id: Int, at offset: Int, _ path: String
    ) throws(FileError) {
        operationCount += 1
        var failure = faults.failure(.write, path, &random)
        var count = failure == nil ? bytes.count : random.below(bytes.count + 1)
        let size = files[id]?.contents.count ?? 0
        if let room = faults.room, offset + count - size > room {
            count = max(0, min(count, room + size - offset))
            failure = failure ?? error("write", path, ENOSPC)
        }
        if count > 0 { files[id]?.write(Array(bytes[..<count]), at: offset) }
        addRoom(-max(0, offset + count - size))
        if let failure { throw failure }
    }

    mutating func truncate(_ id: Int, to newSize: Int, _ path: String) throws(FileError) {
        let size = files[id]?.contents.count ?? 0
        guard size != newSize else { return }
        files[id]?.truncate(to: newSize)
        addRoom(size - newSize)
    }

    private mutating func addRoom(_ bytes: Int) {
        if let room = faults.room { faults.room = max(0, room + bytes) }
    }

    // MARK: Entries

    mutating func createDirectory(_ path: String) throws(FileError) {
        var id = Self.root
        for name in split(path).map(String.init) {
            if let next = directories[id]?.entries[name] {
                guard directories[next] != nil else { throw error("mkdir", path, ENOTDIR) }
                id = next
                continue
            }
            try requireRoom("mkdir", path)
            directories[nextNode] = DirectoryNode()
            directories[id]?.set(name, nextNode)
            id = nextNode
            nextNode += 1
        }
    }

    mutating func rename(_ old: String, to new: String) throws(FileError) {
        guard let id = find(old) else { throw error("rename", "\(old) \(new)", ENOENT) }
        let from = try place(old, "rename")
        let to = try place(new, "rename")
        precondition(from.directory == to.directory, "nothing is moved between directories")
        if let replaced = find(new) {
            if replaced == id { return }
            let isEmpty = directories[replaced]?.entries.isEmpty ?? true
            guard isEmpty else { throw error("rename", "\(old) \(new)", ENOTEMPTY) }
            unlink(replaced)
        }
        directories[from.directory]?.rename(from.name, to: to.name)
    }

    mutating func link(_ existing: String, as new: String) throws(FileError) {
        guard let id = find(existing) else { throw error("link", "\(existing) \(new)", ENOENT) }
        guard find(new) == nil else { throw error("link", "\(existing) \(new)", EEXIST) }
        let place = try place(new, "link")
        try requireRoom("link", new)
        directories[place.directory]?.set(place.name, id)
        files[id]?.links += 1
    }

    /// Entry by entry, as it is done below a real directory: a failure leaves a part.
    mutating func remove(_ path: String) throws(FileError) {
        guard let id = find(path) else { return }
        for name in (directories[id]?.entries.keys.sorted()) ?? [] {
            try remove("\(path)/\(name)")
        }
        try begin(.remove, path)
        let place = try place(path, "remove")
        directories[place.directory]?.remove(place.name)
        unlink(id)
    }

    private mutating func unlink(_ id: Int) {
        files[id]?.links -= 1
        if let file = files[id], file.links == 0 { addRoom(file.contents.count) }
    }
}
