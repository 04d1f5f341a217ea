// SPDX-License-Identifier: Apache-2.0

internal import CPlatform
internal import Glibc

/// The machine that the program runs on.
package enum Host {
    /// The name as `uname -n` prints it; `localhost` where there is none.
    package static var name: String {
        let capacity = 256
        let name = unsafe withUnsafeTemporaryAllocation(of: CChar.self, capacity: capacity) {
            buffer in
            // The last byte stays zero even where the system cuts a long name.
            unsafe buffer.initialize(repeating: 0)
            guard unsafe gethostname(buffer.baseAddress!, capacity - 1) == 0 else { return "" }
            return unsafe String(cString: buffer.baseAddress!)
        }
        return name.isEmpty ? "localhost" : name
    }

    /// The memory this process may use, in bytes: the machine's, or what its control group leaves.
    package static var memory: Int {
        let machine = sysconf(Int32(_SC_PHYS_PAGES)) * sysconf(Int32(_SC_PAGESIZE))
        let groups = ["/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes"]
        let limits = groups.compactMap { path -> Int? in
            // A file that is missing or says `max` sets no limit.
            guard let bytes = try? LocalFileSystem().contents(of: path) else { return nil }
            return Int(String(decoding: bytes, as: UTF8.self).prefix { $0 != "\n" })
        }
        return limits.filter { $0 > 0 }.reduce(machine, min)
    }

    /// The processors this process may use.
    package static var processorCount: Int { max(1, sysconf(Int32(_SC_NPROCESSORS_ONLN))) }
}

/// Bytes from the kernel's generator, fit for keys and identifiers.
package func randomBytes(_ count: Int) -> [UInt8] {
    var bytes = [UInt8](repeating: 0, count: count)
    unsafe bytes.withUnsafeMutableBytes { all in
        var done = 0
        while done < all.count {
            let size = min(256, all.count - done)
            // Fails only on a kernel without the call.
            let code = unsafe narthex_random(all.baseAddress! + done, size)
            precondition(code == 0, "the kernel gives no random bytes")
            done += size
        }
    }
    return bytes
}
