// SPDX-License-Identifier: Apache-2.0

internal import Settings

/// An amount of memory as flags take it: a size such as `512MiB`, or a share of the memory that the
/// process may use, such as `25%`. `0` stands for no limit.
enum MemoryAmount {
    /// The amount in bytes where all is `memory`; nil where the text is none.
    static func bytes(_ text: String, of memory: Int) -> Int? {
        if text.hasSuffix("%") {
            guard let share = Double(text.dropLast()), share >= 0, share <= 100 else { return nil }
            return Int(Double(memory) * share / 100)
        }
        guard case .success(let size) = ByteSize.parse(text), size >= 0 else { return nil }
        return size
    }
}
