// SPDX-License-Identifier: Apache-2.0

internal import CRE2

/// Why a pattern was refused, in the words of Go's regexp package.
package struct PatternError: Error, Hashable, CustomStringConvertible {
    package var pattern: String
    package var reason: String

    package var description: String { "error parsing regexp: \(reason)" }

    /// The same error as the parser of label matchers words it, which upstream hands the pattern
    /// without the anchors around it.
    package var withoutAnchors: PatternError {
        guard reason.hasSuffix(")$`"), let quote = reason.firstIndex(of: "`") else { return self }
        var shown = reason[reason.index(after: quote)...].dropLast(3)
        if shown.hasPrefix("^(?s:") { shown = shown.dropFirst(5) }
        return PatternError(pattern: pattern, reason: "\(reason[...quote])\(shown)`")
    }
}

/// A compiled RE2 pattern whose dot matches newlines. Immutable, so any thread may use it; matching
/// takes time linear in the text.
@safe package final class Pattern: @unchecked Sendable {
    // SAFETY: RE2 objects are immutable after construction and documented as safe for concurrent
    // use.
    private let compiled: OpaquePointer
    package let source: String
    package let groupCount: Int

    package init(_ source: String) throws(PatternError) {
        var text = withNamedGroups(source)
        let compiled = text.withUTF8 { bytes in
            unsafe bytes.withMemoryRebound(to: CChar.self) {
                unsafe narthex_re2_new($0.baseAddress, $0.count)!
            }
        }
        if let error = unsafe narthex_re2_error(compiled) {
            let reason = unsafe String(cString: error)
            unsafe narthex_re2_free(compiled)
            throw PatternError(pattern: source, reason: goSentence(reason, source))
        }
        unsafe self.compiled = compiled
        self.source = source
        unsafe self.groupCount = Int(narthex_re2_group_count(compiled))
    }

    deinit { unsafe narthex_re2_free(compiled) }

    /// Whether the pattern matches the whole of `text`. Bytes that are not UTF-8 count as U+FFFD
    /// each, as in Go.
    package func matchesWhole(_ text: RawSpan) -> Bool {
        let matched = unsafe text.withUnsafeBytes { unsafe matchesWhole($0) }
        if matched { return true }
        guard let repaired = repairedUTF8(text) else { return false }
        return unsafe repaired.withUnsafeBytes { unsafe matchesWhole($0) }
    }

    private func matchesWhole(_ bytes: UnsafeRawBufferPointer) -> Bool {
        let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
        return unsafe narthex_re2_match(compiled, start, bytes.count, true, nil, nil, 0)
    }

    /// The byte ranges of the whole match and of each group, or nil where `text` does not match.
    package func captures(in text: RawSpan, anchored: Bool) -> [Range<Int>?]? {
        var starts = [Int64](repeating: -1, count: groupCount + 1)
        var ends = starts
        let matched = unsafe text.withUnsafeBytes { bytes in
            let start = unsafe bytes.baseAddress?.assumingMemoryBound(to: CChar.self)
            return unsafe narthex_re2_match(
                compiled, start, bytes.count, anchored, &starts, &ends, Int32(groupCount + 1))
        }
        guard matched else { return nil }
        return zip(starts, ends).map { $0 < 0 ? nil : Int($0)..<Int($1) }
    }

    /// The number of the group with this name.
    package func group(named name: String) -> Int? {
        (1...max(1, groupCount)).first { index in
            guard index <= groupCount,
                let found = unsafe narthex_re2_group_name(compiled, Int32(index))
            else { return false }
            return unsafe String(cString: found) == name
        }
    }
}

/// The text with each byte that is not part of valid UTF-8 replaced by U+FFFD; nil where it is
/// valid.
private func repairedUTF8(_ text: RawSpan) -> [UInt8]? {
    unsafe text.withUnsafeBytes { bytes in
        guard unsafe bytes.contains(where: { $0 >= 0x80 }) else { return nil }
        var repaired: [UInt8] = []
        var decoder = UTF8.ForwardParser()
        var iterator = unsafe bytes.makeIterator()
        var isValid = true
        while true {
            switch unsafe decoder.parseScalar(from: &iterator) {
            case .valid(let scalar): repaired.append(contentsOf: scalar)
            case .error(let length):
                isValid = false
                for _ in 0..<length { repaired.append(contentsOf: [0xEF, 0xBF, 0xBD]) }
            case .emptyInput: return isValid ? nil : repaired
            }
        }
    }
}
