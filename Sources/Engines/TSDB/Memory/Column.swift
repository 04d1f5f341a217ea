// SPDX-License-Identifier: Apache-2.0

internal import Glibc
internal import Storage

/// An array that never moves: address space is reserved for `capacity` elements, and memory comes
/// with use. Fresh elements are zero bytes. For trivial types only, since nothing is deinitialised.
///
/// Owned by the head and touched under its lock.
@safe struct Column<Element>: ~Copyable {
    private let base: UnsafeMutablePointer<Element>
    let capacity: Int
    /// How many elements may be touched; grows by `reserve`.
    private(set) var count = 0

    /// The kernel refuses where the address space of the process is limited below what we reserve.
    init(capacity: Int) throws(StorageError) {
        self.capacity = capacity
        let size = capacity * MemoryLayout<Element>.stride
        let flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE
        guard let memory = unsafe mmap(nil, size, PROT_NONE, flags, -1, 0),
            unsafe memory != MAP_FAILED
        else { throw StorageError(.limit, "no address space left for \(size) bytes") }
        unsafe base = memory.bindMemory(to: Element.self, capacity: capacity)
    }

    deinit { unsafe _ = munmap(base, capacity * MemoryLayout<Element>.stride) }

    /// Makes the first `wanted` elements usable. In steps that grow with the column, so that a
    /// system call is rare.
    @inline(__always)
    mutating func reserve(_ wanted: Int) throws(StorageError) {
        if wanted > count { try grow(wanted) }
    }

    private mutating func grow(_ wanted: Int) throws(StorageError) {
        let stride = MemoryLayout<Element>.stride
        guard wanted <= capacity else {
            throw StorageError(.limit, "more than \(capacity) elements in the head")
        }
        let page = 1 << 16
        let goal = max(wanted, min(count + count / 2, count + (64 << 20) / stride)) * stride
        let size = min((goal + page - 1) / page * page, capacity * stride)
        guard unsafe mprotect(base, size, PROT_READ | PROT_WRITE) == 0 else {
            throw StorageError(.limit, "no memory for \(size) bytes of the head")
        }
        count = size / stride
    }

    @inline(__always)
    subscript(index: Int) -> Element {
        get {
            precondition(index >= 0 && index < count, "outside the column")
            return unsafe base[index]
        }
        nonmutating set {
            precondition(index >= 0 && index < count, "outside the column")
            unsafe base[index] = newValue
        }
    }

    @inline(__always)
    subscript(index: UInt32) -> Element {
        get { self[Int(index)] }
        nonmutating set { self[Int(index)] = newValue }
    }

    /// The address of an element, for the hot files. Bound: `index` is below `count`.
    @inline(__always)
    func pointer(_ index: Int) -> UnsafeMutablePointer<Element> { unsafe base + index }

    /// Elements as a span that borrows the column.
    @_lifetime(borrow self)
    func span(_ range: Range<Int>) -> Span<Element> {
        precondition(range.lowerBound >= 0 && range.upperBound <= count, "outside the column")
        let buffer = unsafe UnsafeBufferPointer(start: base + range.lowerBound, count: range.count)
        return unsafe _overrideLifetime(Span(_unsafeElements: buffer), borrowing: self)
    }
}
