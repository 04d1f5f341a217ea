// SPDX-License-Identifier: Apache-2.0

internal import CPlatform
internal import Glibc
internal import Synchronization

/// A thread of the operating system, for work that blocks or that must not share the cooperative
/// pool: event loops, queries, file writers.
package final class SystemThread: Sendable {
    /// Room for recursion over trees of some thousand levels, such as queries, with a wide margin.
    /// Without optimisation frames are several times as large.
    package static let deepStackSize: Int = {
        #if DEBUG
            256 << 20
        #else
            64 << 20
        #endif
    }()

    package let name: String
    private let handle: Mutex<pthread_t?>

    /// Starts the thread. `name` shows in `ps` and profilers (15 bytes count). The stack is
    /// reserved address space and costs memory only where it is touched. EAGAIN where the system
    /// has no thread left.
    package init(
        _ name: String, stackSize: Int = 8 << 20, _ body: @escaping @Sendable () -> Void
    ) throws(FileError) {
        self.name = name
        var attributes = pthread_attr_t()
        unsafe pthread_attr_init(&attributes)
        unsafe pthread_attr_setstacksize(&attributes, stackSize)
        defer { unsafe _ = pthread_attr_destroy(&attributes) }
        let start = unsafe Unmanaged.passRetained(Start(name, body))
        var thread = pthread_t()
        let code = unsafe pthread_create(
            &thread, &attributes,
            { argument in
                let start = unsafe Unmanaged<Start>.fromOpaque(argument!).takeRetainedValue()
                unsafe narthex_name_thread(start.name)
                start.body()
                return nil
            }, start.toOpaque())
        guard code == 0 else {
            unsafe start.release()
            throw FileError(operation: "create", path: "thread \(name)", code: code)
        }
        handle = Mutex(thread)
    }

    deinit {
        if let thread = handle.withLock({ $0 }) { pthread_detach(thread) }
    }

    /// Returns when the thread has ended. A second call returns at once. Not to be called on the
    /// thread itself.
    package func join() {
        let thread = handle.withLock { handle in
            defer { handle = nil }
            return handle
        }
        if let thread { pthread_join(thread, nil) }
    }
}

private final class Start: Sendable {
    let name: String
    let body: @Sendable () -> Void

    init(_ name: String, _ body: @escaping @Sendable () -> Void) {
        self.name = name
        self.body = body
    }
}
