// SPDX-License-Identifier: Apache-2.0
//
// Reads the body of a scrape against the layout of the last one.
//
// The fast lane walks body and layout side by side: where a line begins with the bytes it is
// expected to begin with, only its number is read. No label is parsed, nothing is hashed or looked
// up. Where a line differs, the scanner looks for it a few lines ahead (lines that vanished), then
// in the layout's index (lines that moved), and then has it read by the general reader: it is new,
// or broken.
//
// The caller handles new series while the scan goes on, in the order of the body, so that whatever
// is wrong first is reported first.

internal import Bytes
package import Model

/// Scans one body; a borrow of its bytes.
package struct LayoutScanner: ~Escapable {
    package enum Event: Sendable {
        /// A sample of a series that the layout lacks. `labels` tells which.
        case newSample(NewSample)
        case finished
    }

    let body: RawSpan
    package let layout: Layout
    package var result: ScanResult
    /// Whether explicit timestamps are kept.
    let honorsTimestamps: Bool
    let options: ExpositionOptions
    /// Whether `result` is to have the exemplars.
    package var gathersExemplars = false
    var position = ScanPosition()
    /// What the last UNIT line said, where labels tell of units.
    private var unit = ""
    var trace = ScanTrace()
    /// The label set of the new sample that was returned last.
    package private(set) var labels = Labels.empty

    /// `result` is overwritten; hand in that of an earlier scan.
    @_lifetime(copy body)
    package init(
        _ body: RawSpan, layout: Layout, honorsTimestamps: Bool, options: ExpositionOptions,
        into result: consuming ScanResult
    ) {
        self.body = body
        self.layout = layout
        self.honorsTimestamps = honorsTimestamps
        self.options = options
        self.result = result
        self.result.prepare(sampleCount: layout.sampleCount)
        position.limit = layout.lines.count
    }

    /// Goes on to the next new series or to the end.
    @_lifetime(self: copy self)
    package mutating func next() throws(ExpositionError) -> Event {
        while true {
            let line = position.line
            followLayout()
            if options.typeAndUnitLabels { noteUnit(layout.lines[line..<position.line]) }
            if leapAhead() || leapByIndex() { continue }
            if let event = try readLine() { return event }
        }
    }

    /// How many samples were read so far, those of new series included.
    package var sampleCount: Int {
        var count = trace.newSampleCount + result.repeats.count + result.duplicates.count
        for run in trace.runs where !run.isNew { count += samples(in: run.lines) }
        return count + samples(in: position.runStart..<position.line)
    }

    private func samples(in lines: Range<Int>) -> Int {
        if lines == layout.lines.indices { return layout.sampleCount }
        return layout.lines[lines].reduce(0) { $0 + ($1.isSample ? 1 : 0) }
    }

    /// Whether the body had all lines of the layout in their order and no other.
    package var isUnchanged: Bool {
        trace.newLines.isEmpty && trace.runs.count <= 1 && result.hasSeenAll
    }

    /// Whether the body had lines that the layout lacks.
    package var hasNewLines: Bool { !trace.newLines.isEmpty }

    /// How many lines of the body did not stand behind the line they stand behind in the layout.
    package var leapCount: Int { max(0, trace.runs.count - 1) }

    /// Ends a scan before its time: `result` tells what was seen so far.
    @_lifetime(self: copy self)
    package mutating func abandon() { finish() }

    /// The layout of this body; to be called after `finished`.
    package func revision() -> LayoutRevision { trace.revision(of: layout, body: body) }
}

/// Where a scan stands.
struct ScanPosition {
    /// The first byte of the body's next line.
    var offset = 0
    /// The line of the layout that is expected next.
    var line = 0
    /// The first line of the current run.
    var runStart = 0
    /// The fast lane goes no further: here the layout ends, or a run that is closed begins.
    var limit = 0
    /// The place of the last type in `MetricType.allCases`.
    var typePlace = 0

    var type: MetricType {
        get { MetricType.allCases[typePlace] }
        set { typePlace = MetricType.allCases.firstIndex(of: newValue) ?? 0 }
    }
}

// MARK: Finding the way back

extension LayoutScanner {
    /// How far ahead a vanished line is assumed to be the reason for a difference.
    private static let lookahead = 12

    @_lifetime(self: copy self)
    private mutating func leap(to line: Int) {
        closeRun()
        position.line = line
        position.runStart = line
        position.limit = trace.nextMet(from: line, of: layout.lines.count)
    }

    @_lifetime(self: copy self)
    private mutating func closeRun() {
        trace.close(position.runStart..<position.line, of: layout.lines.count)
        position.runStart = position.line
    }

    private func bodyHas(_ line: LayoutLine) -> Bool {
        guard body.byteCount - position.offset >= line.length else { return false }
        let found = body.extracting(position.offset..<(position.offset + line.length))
        return layout.isLine(line, found)
    }

    /// Tries the next few lines of the layout.
    @_lifetime(self: copy self)
    private mutating func leapAhead() -> Bool {
        guard position.offset < body.byteCount, position.line < position.limit else { return false }
        // The expected line is there, but its number is for the general reader.
        if bodyHas(layout.lines[position.line]) { return false }
        var line = position.line + 1
        let end = min(position.limit, line + Self.lookahead)
        while line < end {
            if bodyHas(layout.lines[line]) {
                leap(to: line)
                return true
            }
            line += 1
        }
        return false
    }

    /// Looks the line up among all lines.
    @_lifetime(self: copy self)
    private mutating func leapByIndex() -> Bool {
        guard !layout.lines.isEmpty, let end = quickPrefixEnd() else { return false }
        let prefix = body.extracting(position.offset..<end)
        guard let line = layout.lineIndex().find(prefix, in: layout), line != position.line,
            !hasMet(line)
        else { return false }
        leap(to: line)
        return true
    }

    /// Whether the body had this line already.
    private func hasMet(_ line: Int) -> Bool {
        trace.hasMet(line) || (position.runStart..<position.line).contains(line)
    }
}

// MARK: One line by the general reader

extension LayoutScanner {
    @_lifetime(self: copy self)
    private mutating func readLine() throws(ExpositionError) -> Event? {
        var reader = ExpositionReader(
            body, at: position.offset, dialect: layout.dialect, options: options,
            family: family)
        guard let entry = try reader.next() else {
            finish()
            return .finished
        }
        let start = reader.lineStart
        defer { position.offset = min(reader.offset, body.byteCount) }
        switch entry {
        case .comment: return nil
        case .help, .type, .unit:
            position.type = reader.family.type
            if options.typeAndUnitLabels { unit = reader.family.unit }
            metadataLine(start..<min(reader.offset, body.byteCount), isType: entry == .type)
            return nil
        case .series: break
        }
        if !reader.isAtLineStart {
            // What stands behind the sample begins no line: the reader says so.
            _ = try reader.next()
        }
        let prefix = start..<reader.valueRange.lowerBound
        let timestamp = honorsTimestamps ? reader.timestamp : nil
        let sample = NewSample(value: reader.value, timestamp: timestamp)
        let exemplar = gathersExemplars ? reader.exemplar : nil
        if let line = knownLine(prefix), layout.lines[line].isSample {
            let ordinal = Int(layout.lines[line].ordinal)
            if knownSample(line, sample) { gather(exemplar, of: ordinal, timestamp) }
            return nil
        }
        closeRun()
        if let number = trace.addNewSample(prefix, of: body) {
            if repeated(~number, sample) { gather(exemplar, of: ~number, timestamp) }
            return nil
        }
        gather(exemplar, of: -trace.newSampleCount, timestamp)
        labels = reader.labels()
        return .newSample(
            NewSample(
                value: sample.value, timestamp: timestamp,
                isCreated: layout.dialect == .openMetrics && reader.isCreatedSeries))
    }

    private var family: FamilyContext {
        var family = FamilyContext(type: position.type)
        if options.typeAndUnitLabels { family.unit = unit }
        return family
    }

    /// Lines of the layout that were passed by without being read.
    @_lifetime(self: copy self)
    private mutating func noteUnit(_ lines: ArraySlice<LayoutLine>) {
        for line in lines { unit = layout.unit(line) ?? unit }
    }

    private func knownLine(_ range: Range<Int>) -> Int? {
        guard !layout.lines.isEmpty else { return nil }
        let bytes = body.extracting(range)
        if position.line < position.limit {
            if layout.isLine(layout.lines[position.line], bytes) { return position.line }
        }
        return layout.lineIndex().find(bytes, in: layout)
    }

    @_lifetime(self: copy self)
    private mutating func gather(
        _ exemplar: Exemplar?, of ordinal: Int, _ timestamp: Timestamp?
    ) {
        guard let exemplar else { return }
        result.exemplars.append(
            FoundExemplar(ordinal: ordinal, exemplar: exemplar, timestamp: timestamp))
    }

    /// False where the sample repeats one without a timestamp of its own.
    @_lifetime(self: copy self)
    private mutating func knownSample(_ line: Int, _ sample: NewSample) -> Bool {
        let ordinal = Int(layout.lines[line].ordinal)
        if hasMet(line) { return repeated(ordinal, sample) }
        if line != position.line { leap(to: line) }
        position.line += 1
        result.values[ordinal] = sample.value
        if let timestamp = sample.timestamp { result.setTimestamp(timestamp, of: ordinal) }
        return true
    }

    @_lifetime(self: copy self)
    private mutating func repeated(_ ordinal: Int, _ sample: NewSample) -> Bool {
        if let timestamp = sample.timestamp {
            result.repeats.append(
                RepeatedSample(ordinal: ordinal, value: sample.value, timestamp: timestamp))
            return true
        }
        result.duplicates.append(ordinal)
        return false
    }

    @_lifetime(self: copy self)
    private mutating func metadataLine(_ range: Range<Int>, isType: Bool) {
        if let line = knownLine(range), !layout.lines[line].isSample {
            if hasMet(line) { return }
            if line != position.line { leap(to: line) }
            position.line += 1
            return
        }
        // Without its line break the last line of a text is not what it would be elsewhere.
        guard body[range.upperBound - 1] == newline else { return }
        closeRun()
        trace.addNew(isType ? .type : .metadata, range, ordinal: position.typePlace)
    }

    @_lifetime(self: copy self)
    private mutating func finish() {
        closeRun()
        let isWhole = trace.runs.first.map { !$0.isNew && $0.lines == layout.lines.indices }
        if layout.lines.isEmpty || isWhole == true { return }
        var seen = Array(repeating: UInt64(0), count: (layout.sampleCount + 63) >> 6)
        for run in trace.runs where !run.isNew {
            for line in layout.lines[run.lines] where line.isSample {
                seen[Int(line.ordinal) >> 6] |= 1 << UInt64(line.ordinal & 63)
            }
        }
        result.seen = seen
    }
}
