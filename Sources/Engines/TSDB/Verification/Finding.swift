// SPDX-License-Identifier: Apache-2.0

internal import Platform
internal import Storage

/// Something about a data folder that an operator should know.
package struct Finding: Sendable, Hashable, CustomStringConvertible {
    package enum Kind: String, Sendable, Hashable {
        /// Bytes that are not what was written, or that contradict each other.
        case damage
        /// Nothing is wrong: leftovers of an interrupted run, overlaps that a compaction resolves.
        case note
    }

    package var kind: Kind
    /// Relative to the folder.
    package var path: String
    /// What is wrong, and at which offset.
    package var reason: String

    package init(_ kind: Kind, _ path: String, _ reason: String) {
        self.kind = kind
        self.path = path
        self.reason = reason
    }

    package var description: String { "\(kind.rawValue): \(path): \(reason)" }
}

/// What a verification looked at and found.
package struct FolderReport: Sendable {
    package var findings: [Finding] = []
    package var blocks = 0
    package var series: Int64 = 0
    package var chunks: Int64 = 0
    package var samples: Int64 = 0
    package var segments = 0
    package var records: Int64 = 0
    package var headChunks: Int64 = 0

    package init() {}

    package var isSound: Bool { !findings.contains { $0.kind == .damage } }

    mutating func damage(_ path: String, _ reason: String) {
        findings.append(Finding(.damage, path, reason))
    }

    mutating func note(_ path: String, _ reason: String) {
        findings.append(Finding(.note, path, reason))
    }

    /// Adds an error whose message begins with the path of the file.
    mutating func damage(_ path: String, _ error: StorageError) {
        damage(path, error.message.withoutPath(endingIn: path))
    }

    mutating func damage(_ path: String, _ error: FileError) { damage(path, error.description) }
}

extension String {
    /// The text behind a leading `…path: `.
    fileprivate func withoutPath(endingIn path: String) -> String {
        guard let colon = utf8.firstIndex(of: UInt8(ascii: ":")),
            self[..<colon].hasSuffix(path)
        else { return self }
        return String(self[index(after: colon)...].drop { $0 == " " })
    }
}
