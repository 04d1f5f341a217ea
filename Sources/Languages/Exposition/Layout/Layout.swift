// SPDX-License-Identifier: Apache-2.0
//
// What a target's expositions look like, apart from the values.
//
// A target writes the same lines in the same order every time; only the numbers change. A layout
// holds those lines in that order: of a sample everything before the number (its prefix), of HELP,
// TYPE and UNIT lines everything. `LayoutScanner` compares a body with it and reads nothing but
// numbers.
//
//     arena   # TYPE up gauge⏎up{a="b"} up{a="c"} …
//     lines   (0, 16, type) (16, 10, sample 0) (26, 10, sample 1) …
//
// Layouts never change and are shared: targets that run the same program have equal ones, and
// `LayoutPool` keeps one copy of each. What belongs to one target (which series a line stands for)
// is kept outside, by the ordinal of the sample among the samples.

internal import Bytes
package import Model
internal import Synchronization

/// One line of a layout: twelve bytes, since there may be millions.
struct LayoutLine: Hashable {
    enum Kind: UInt32 {
        /// HELP or UNIT, with the line break.
        case metadata
        /// TYPE, with the line break; `ordinal` is the type's place in `MetricType.allCases`.
        case type
        /// A sample up to its number; `ordinal` counts the samples.
        case sample
        /// A sample whose number stands right behind its name (`a+1`). Since such a prefix may also
        /// begin the name of another series, only the general reader can tell.
        case bareSample
    }

    static let longest = 1 << 28 - 1

    /// Where the bytes begin in the arena.
    var offset: UInt32
    private var lengthAndKind: UInt32
    var ordinal: UInt32

    init(_ kind: Kind, offset: Int, length: Int, ordinal: Int) {
        self.offset = UInt32(offset)
        lengthAndKind = UInt32(length) << 2 | kind.rawValue
        self.ordinal = UInt32(ordinal)
    }

    var length: Int { Int(lengthAndKind >> 2) }
    var kind: Kind { Kind(rawValue: lengthAndKind & 3)! }
    var isSample: Bool { kind == .sample || kind == .bareSample }
    var range: Range<Int> { Int(offset)..<(Int(offset) + length) }
}

package final class Layout: Sendable {
    package let dialect: TextDialect
    let arena: [UInt8]
    let lines: [LayoutLine]
    /// How many of the lines are samples.
    package let sampleCount: Int
    /// Equal for equal layouts.
    package let contentHash: UInt64
    private let index = Mutex<LayoutIndex?>(nil)
    let created = Mutex<CreatedSamples?>(nil)

    init(dialect: TextDialect, arena: [UInt8], lines: [LayoutLine], sampleCount: Int) {
        self.dialect = dialect
        self.arena = arena
        self.lines = lines
        self.sampleCount = sampleCount
        contentHash = xxHash64(arena.raw) &+ UInt64(lines.count)
    }

    /// The layout of a target that was never scraped.
    package convenience init(emptyFor dialect: TextDialect) {
        self.init(dialect: dialect, arena: [], lines: [], sampleCount: 0)
    }

    package var byteCount: Int {
        arena.capacity + lines.capacity * MemoryLayout<LayoutLine>.stride
            + (index.withLock { $0?.byteCount } ?? 0)
    }

    func isLine(_ line: LayoutLine, _ bytes: RawSpan) -> Bool {
        guard line.length == bytes.byteCount else { return false }
        let arena = arena
        return compareBytes(arena.raw.extracting(line.range), bytes) == 0
    }

    /// Finds lines by their bytes; made when it is first asked for.
    func lineIndex() -> LayoutIndex {
        index.withLock { index in
            if let index { return index }
            let made = LayoutIndex(arena: arena, lines: lines)
            index = made
            return made
        }
    }

    func hasSameContent(as other: Layout) -> Bool {
        dialect == other.dialect && lines == other.lines && arena == other.arena
    }

    /// The labels of the samples with the given ordinals (in ascending order), as a reader finds
    /// them.
    package func labels(ofSamples ordinals: [Int], options: ExpositionOptions) -> [Labels] {
        var wanted = ordinals[...]
        var result: [Labels] = []
        var family = FamilyContext()
        for line in lines {
            guard let next = wanted.first else { break }
            if line.kind == .type { family.type = MetricType.allCases[Int(line.ordinal)] }
            if options.typeAndUnitLabels { family.unit = unit(line) ?? family.unit }
            guard line.isSample, Int(line.ordinal) == next else { continue }
            wanted = wanted.dropFirst()
            // A value may stand right behind a name, but not every one: `x+1`, and not `x0`.
            let text = Array(arena[line.range]) + Array(" 0\n".utf8)
            result.append(seriesLabels(text, options: options, family: family))
        }
        return result
    }

    /// What a UNIT line says; nil for other lines.
    func unit(_ line: LayoutLine) -> String? {
        guard dialect == .openMetrics, line.kind == .metadata,
            line.length > 2, arena[line.range.lowerBound + 2] == UInt8(ascii: "U")
        else { return nil }
        let text = Array(arena[line.range])
        var reader = ExpositionReader(
            text.raw, dialect: dialect, options: ExpositionOptions())
        guard let entry = try? reader.next(), entry == .unit else { return nil }
        return reader.family.unit
    }

    private func seriesLabels(
        _ line: [UInt8], options: ExpositionOptions, family: FamilyContext
    ) -> Labels {
        var reader = ExpositionReader(
            line.raw, dialect: .text, options: options, family: family)
        do throws(ExpositionError) {
            guard try reader.next() == .series else { return .empty }
            return reader.labels()
        } catch {
            // Every line of a layout was read once; it reads again.
            return .empty
        }
    }
}

/// A hash table from the bytes of a line to its place. Open addressing, no deletion.
struct LayoutIndex: Sendable {
    /// Line numbers plus one; 0 is free.
    private let slots: [UInt32]

    var byteCount: Int { slots.count * MemoryLayout<UInt32>.stride }

    init(arena: [UInt8], lines: [LayoutLine]) {
        var capacity = 16
        while capacity < lines.count * 2 { capacity *= 2 }
        var slots = [UInt32](repeating: 0, count: capacity)
        for (number, line) in lines.enumerated() {
            let hash = xxHash64(arena.raw.extracting(line.range))
            var slot = Int(truncatingIfNeeded: hash) & (capacity - 1)
            while slots[slot] != 0 { slot = (slot + 1) & (capacity - 1) }
            slots[slot] = UInt32(number + 1)
        }
        self.slots = slots
    }

    /// The number of the line with exactly these bytes.
    func find(_ bytes: RawSpan, in layout: Layout) -> Int? {
        let hash = xxHash64(bytes)
        var slot = Int(truncatingIfNeeded: hash) & (slots.count - 1)
        while slots[slot] != 0 {
            let number = Int(slots[slot]) - 1
            let line = layout.lines[number]
            if layout.isLine(line, bytes) { return number }
            slot = (slot + 1) & (slots.count - 1)
        }
        return nil
    }
}
