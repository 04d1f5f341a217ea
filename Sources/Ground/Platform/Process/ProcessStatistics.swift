// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// What this process uses, as the `process_*` metrics show it. Read from `/proc`; a figure that
/// cannot be read is zero.
package struct ProcessStatistics: Sendable, Hashable {
    /// Of all threads, user and system.
    package var cpuSeconds: Double
    /// Bytes.
    package var residentMemory: Int
    /// Bytes of address space.
    package var virtualMemory: Int
    package var openFiles: Int
    package var openFilesLimit: Int
    package var threads: Int
    /// Seconds since the Unix epoch.
    package var startTime: Double

    package static func current() -> ProcessStatistics {
        let fields = statFields()
        func field(_ number: Int) -> Int {
            // Numbered as in proc(5), where the state, first behind the name, is field 3.
            let index = number - 3
            return fields.indices.contains(index) ? Int(fields[index]) ?? 0 : 0
        }
        let ticks = Double(max(1, sysconf(Int32(_SC_CLK_TCK))))
        return ProcessStatistics(
            cpuSeconds: cpuSeconds(),
            residentMemory: field(24) * max(1, sysconf(Int32(_SC_PAGESIZE))),
            virtualMemory: field(23),
            openFiles: openFiles(),
            openFilesLimit: openFilesLimit(),
            threads: field(20),
            startTime: Double(bootTime()) + Double(field(22)) / ticks)
    }

    /// Bytes of resident memory that are not pages of files: those the system can drop. Takes some
    /// microseconds. Zero where it is unknown.
    package static var privateMemory: Int {
        let fields = text("/proc/self/statm").split(separator: " ")
        guard fields.count > 2, let resident = Int(fields[1]), let shared = Int(fields[2]) else {
            return 0
        }
        return max(0, resident - shared) * max(1, sysconf(Int32(_SC_PAGESIZE)))
    }

    private static func cpuSeconds() -> Double {
        var used = timespec()
        unsafe clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &used)
        return Double(used.tv_sec) + Double(used.tv_nsec) / 1e9
    }

    private static func text(_ path: String) -> String {
        guard let bytes = try? LocalFileSystem().contents(of: path, limit: 1 << 20) else {
            return ""  // No /proc here: the figures are zero.
        }
        return String(decoding: bytes, as: UTF8.self)
    }

    /// The fields behind the program's name, which may itself hold spaces and parentheses.
    private static func statFields() -> [Substring] {
        let line = text("/proc/self/stat")
        guard let end = line.lastIndex(of: ")") else { return [] }
        return line[line.index(after: end)...].split(whereSeparator: \.isWhitespace)
    }

    private static func bootTime() -> Int {
        for line in text("/proc/stat").split(separator: "\n") where line.hasPrefix("btime ") {
            return Int(line.dropFirst(6)) ?? 0
        }
        return 0
    }

    private static func openFiles() -> Int {
        // The listing itself holds one descriptor.
        max(0, ((try? LocalFileSystem().entries(of: "/proc/self/fd").count) ?? 1) - 1)
    }

    private static func openFilesLimit() -> Int {
        var limit = rlimit()
        guard unsafe getrlimit(__rlimit_resource_t(RLIMIT_NOFILE.rawValue), &limit) == 0 else {
            return 0
        }
        return Int(clamping: limit.rlim_cur)
    }
}
