// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// How much of the files that this process has mapped counts as its memory. Any thread may ask.
package final class MappedMemory: Sendable {
    /// The kernel's account, kept open: it is asked for by every query.
    private let account: LocalFile?

    package init() { account = try? LocalFile("/proc/self/statm", .read) }

    /// Bytes of resident pages of files, the program's own included, in one system call. Zero where
    /// it is unknown.
    package var byteCount: Int {
        guard let account else { return 0 }
        var line = [UInt8](repeating: 0, count: 128)
        let count = unsafe line.withUnsafeMutableBytes { unsafe try? account.read(into: $0, at: 0) }
        return Self.shared(line.prefix(count ?? 0))
    }

    /// The third number of a line, in bytes: size and resident pages stand before it.
    private static func shared(_ line: ArraySlice<UInt8>) -> Int {
        var pages = 0
        var number = 1
        for byte in line where number <= 3 {
            if byte == UInt8(ascii: " ") {
                number += 1
            } else if number == 3, byte >= UInt8(ascii: "0"), byte <= UInt8(ascii: "9") {
                pages = pages &* 10 &+ Int(byte - UInt8(ascii: "0"))
            }
        }
        return pages &* max(1, sysconf(Int32(_SC_PAGESIZE)))
    }
}
