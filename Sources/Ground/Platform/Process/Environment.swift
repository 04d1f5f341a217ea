// SPDX-License-Identifier: Apache-2.0

internal import Glibc

/// The process's surroundings as text.
package enum Environment {
    package static func variable(_ name: String) -> String? {
        unsafe getenv(name).map { unsafe String(cString: $0) }
    }

    /// The absolute form of a path, from the current directory where it is relative.
    package static func absolute(_ path: String) -> String {
        if path.hasPrefix("/") { return path }
        guard let buffer = unsafe getcwd(nil, 0) else { return path }
        defer { unsafe free(buffer) }
        let directory = unsafe String(cString: buffer)
        return path.isEmpty ? directory : "\(directory)/\(path)"
    }
}

/// Writes text to the standard streams: one system call per text, so that lines of different
/// threads do not mix.
package enum StandardStream {
    /// Whether a person reads along.
    package static var isOutputTerminal: Bool { isatty(1) == 1 }

    package static func output(_ text: String) { write(text, 1) }
    package static func error(_ text: String) { write(text, 2) }

    private static func write(_ text: String, _ descriptor: Int32) {
        var rest = ArraySlice(text.utf8)
        while !rest.isEmpty {
            let count = unsafe rest.withUnsafeBytes { bytes in
                unsafe Glibc.write(descriptor, bytes.baseAddress, bytes.count)
            }
            if count < 0, errno == EINTR { continue }
            // Nobody can be told that the terminal is gone.
            guard count > 0 else { return }
            rest = rest.dropFirst(count)
        }
    }
}

/// The end of the program.
package enum Process {
    package static func exit(_ code: Int32) -> Never { Glibc.exit(code) }
}
