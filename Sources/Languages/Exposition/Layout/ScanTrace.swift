// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model

/// The way of a scan through its layout: which lines it met, in which order, as runs of consecutive
/// lines; and which lines it met that the layout does not have.
struct ScanTrace {
    /// Consecutive lines of the layout, or of `newLines`.
    struct Run {
        var lines: Range<Int>
        var isNew: Bool
    }

    /// A line of the body that the layout lacks.
    struct NewLine {
        var kind: LayoutLine.Kind
        /// Where its bytes (of a sample: its prefix) stand in the body.
        var range: Range<Int>
        /// For TYPE lines, as in `LayoutLine`; for samples their number among the new ones.
        var ordinal: Int
    }

    private(set) var runs: [Run] = []
    private(set) var newLines: [NewLine] = []
    private(set) var newSampleCount = 0
    /// Which lines closed runs have met, 64 in a word; empty while there is none.
    private var met: [UInt64] = []
    /// The new samples by the hash of their prefix.
    private var newSamples: [UInt64: Int] = [:]

    mutating func reset() {
        runs.removeAll(keepingCapacity: true)
        newLines.removeAll(keepingCapacity: true)
        newSampleCount = 0
        met.removeAll(keepingCapacity: true)
        newSamples.removeAll(keepingCapacity: true)
    }

    mutating func close(_ lines: Range<Int>, of lineCount: Int) {
        guard !lines.isEmpty else { return }
        runs.append(Run(lines: lines, isNew: false))
        if met.isEmpty { met = Array(repeating: 0, count: (lineCount + 63) >> 6) }
        for word in (lines.lowerBound >> 6)...((lines.upperBound - 1) >> 6) {
            let from = max(lines.lowerBound, word << 6) & 63
            let to = min(lines.upperBound, (word + 1) << 6) - (word << 6)
            let above = to == 64 ? UInt64.max : (1 << UInt64(to)) - 1
            met[word] |= above & ~((1 << UInt64(from)) - 1)
        }
    }

    func hasMet(_ line: Int) -> Bool {
        !met.isEmpty && met[line >> 6] >> UInt64(line & 63) & 1 == 1
    }

    /// The first line from `line` on that a closed run has met.
    func nextMet(from line: Int, of lineCount: Int) -> Int {
        guard !met.isEmpty, line < lineCount else { return lineCount }
        var word = line >> 6
        var bits = met[word] & ~((1 << UInt64(line & 63)) - 1)
        while bits == 0 {
            word += 1
            if word == met.count { return lineCount }
            bits = met[word]
        }
        return min(lineCount, word << 6 + bits.trailingZeroBitCount)
    }

    mutating func addNew(_ kind: LayoutLine.Kind, _ range: Range<Int>, ordinal: Int) {
        if let last = runs.last, last.isNew {
            runs[runs.count - 1].lines = last.lines.lowerBound..<(newLines.count + 1)
        } else {
            runs.append(Run(lines: newLines.count..<(newLines.count + 1), isNew: true))
        }
        newLines.append(NewLine(kind: kind, range: range, ordinal: ordinal))
    }

    /// The number among the new samples of the one with the same prefix, or nil after adding it.
    mutating func addNewSample(_ range: Range<Int>, of body: RawSpan) -> Int? {
        let prefix = body.extracting(range)
        let hash = xxHash64(prefix)
        if let known = newSamples[hash] {
            let line = newLines[known]
            if compareBytes(body.extracting(line.range), prefix) == 0 { return line.ordinal }
        } else {
            newSamples[hash] = newLines.count
        }
        let last = prefix[prefix.byteCount - 1]
        let endsVisibly = isWhitespace(last) || last == UInt8(ascii: "}")
        addNew(endsVisibly ? .sample : .bareSample, range, ordinal: newSampleCount)
        newSampleCount += 1
        return nil
    }
}

/// A layout made of the lines that a scan met, in their order.
package struct LayoutRevision: Sendable {
    package var layout: Layout
    /// For each sample of the new layout its ordinal in the old one, or, negative, its number among
    /// the new samples: -1 is the first.
    package var origins: [Int32]
}

extension ScanTrace {
    /// `lines` of `layout` and of `body` in the order of this trace.
    func revision(of layout: Layout, body: RawSpan) -> LayoutRevision {
        var size = 0
        var count = 0
        for run in runs {
            count += run.lines.count
            for line in run.lines {
                size += run.isNew ? newLines[line].range.count : layout.lines[line].length
            }
        }
        var draft = LayoutDraft(byteCount: size, lineCount: count)
        let arena = layout.arena
        for run in runs {
            for number in run.lines {
                if run.isNew {
                    let line = newLines[number]
                    draft.append(
                        line.kind, body.extracting(line.range), ordinal: line.ordinal,
                        origin: ~line.ordinal)
                } else {
                    let line = layout.lines[number]
                    draft.append(
                        line.kind, arena.raw.extracting(line.range), ordinal: Int(line.ordinal),
                        origin: Int(line.ordinal))
                }
            }
        }
        return draft.finish(layout.dialect)
    }
}

private struct LayoutDraft {
    private var arena: [UInt8] = []
    private var lines: [LayoutLine] = []
    private var origins: [Int32] = []

    init(byteCount: Int, lineCount: Int) {
        arena.reserveCapacity(byteCount)
        lines.reserveCapacity(lineCount)
        origins.reserveCapacity(lineCount)
    }

    mutating func append(_ kind: LayoutLine.Kind, _ bytes: RawSpan, ordinal: Int, origin: Int) {
        // A line that does not fit into the numbers is not remembered: it is new every time.
        guard bytes.byteCount <= LayoutLine.longest,
            arena.count + bytes.byteCount <= Int(UInt32.max)
        else { return }
        let isSample = kind == .sample || kind == .bareSample
        lines.append(
            LayoutLine(
                kind, offset: arena.count, length: bytes.byteCount,
                ordinal: isSample ? origins.count : ordinal))
        if isSample { origins.append(Int32(truncatingIfNeeded: origin)) }
        unsafe bytes.withUnsafeBytes { unsafe arena.append(contentsOf: $0) }
    }

    consuming func finish(_ dialect: TextDialect) -> LayoutRevision {
        LayoutRevision(
            layout: Layout(
                dialect: dialect, arena: arena, lines: lines, sampleCount: origins.count),
            origins: origins)
    }
}
