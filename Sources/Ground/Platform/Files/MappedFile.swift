// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// A file mapped read-only into memory for as long as this object lives.
@safe package final class MappedFile: @unchecked Sendable {
    // SAFETY: the mapping is read-only and unmapped in deinit alone.
    private let base: UnsafeMutableRawPointer?
    /// False where the memory is a copy of our own.
    private let isBackedByFile: Bool
    package let count: Int
    package let path: String

    package init(_ path: String) throws(FileError) {
        let descriptor = unsafe Glibc.open(path, O_RDONLY | O_CLOEXEC)
        guard descriptor >= 0 else { throw FileError(operation: "open", path: path, code: errno) }
        defer { close(descriptor) }
        var status = stat()
        guard unsafe fstat(descriptor, &status) == 0 else {
            throw FileError(operation: "stat", path: path, code: errno)
        }
        count = Int(status.st_size)
        isBackedByFile = true
        self.path = path
        guard count > 0 else {
            unsafe base = nil
            return
        }
        let address = unsafe mmap(nil, count, PROT_READ, MAP_SHARED, descriptor, 0)
        guard unsafe address != MAP_FAILED else {
            throw FileError(operation: "mmap", path: path, code: errno)
        }
        unsafe base = address
    }

    /// A file of a file system that lives in memory: a read-only copy of its bytes as they are now.
    package init(_ path: String, copying bytes: [UInt8]) throws(FileError) {
        count = bytes.count
        isBackedByFile = false
        self.path = path
        guard count > 0 else {
            unsafe base = nil
            return
        }
        let address = unsafe mmap(
            nil, count, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0)
        guard let address = unsafe address, unsafe address != MAP_FAILED else {
            throw FileError(operation: "mmap", path: path, code: errno)
        }
        unsafe bytes.withUnsafeBytes {
            unsafe address.copyMemory(from: $0.baseAddress!, byteCount: $0.count)
        }
        unsafe mprotect(address, count, PROT_READ)
        unsafe base = address
    }

    deinit {
        if let base = unsafe base { unsafe munmap(base, count) }
    }

    /// Counts the pages that were read no longer as memory of this process, until they are read
    /// again. They stay in the system's cache, so that costs a fault for some pages each.
    package func releasePages() {
        guard isBackedByFile, let base = unsafe base else { return }
        unsafe madvise(base, count, MADV_DONTNEED)
    }

    package var bytes: RawSpan {
        @_lifetime(borrow self)
        get {
            let start = unsafe UnsafeRawPointer(base)
            let buffer = unsafe UnsafeRawBufferPointer(start: start, count: count)
            return unsafe _overrideLifetime(RawSpan(_unsafeBytes: buffer), borrowing: self)
        }
    }
}
