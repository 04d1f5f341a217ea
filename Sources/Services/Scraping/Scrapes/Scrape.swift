// SPDX-License-Identifier: Apache-2.0
//
// From a body to a batch of samples: one scrape of one target.
//
//     body ─scan against layout─▶ values by ordinal ─refs─▶ batch ─commit─▶ storage
//                 │ new series: labels, relabelling, limits, resolve
//                 ▼
//          a revised layout, if lines came or went
//
// A scrape that cannot be used as a whole (broken text, a limit exceeded) stores nothing but its
// report and the staleness markers of the series that it did not get to. The ones before the fault
// keep their tracking and get no marker: upstream has it so.

internal import Bytes
internal import Exposition
internal import Instrumentation
internal import Model
internal import Platform
internal import Storage

struct Scrape {
    let rules: ScrapeRules
    let surroundings: ScrapeSurroundings
    let timestamp: Timestamp
    var table: SeriesTable
    var scratch: Scratch
    var report = ScrapeReport()
    /// What of the layout's samples the body had.
    var seen = OrdinalSet.none
    var new = NewSeries()
    var revision: LayoutRevision?
    /// Series had to be found again since the storage had given them up.
    var hasFoundAnew = false
    /// Set when the layout was found in the body as it is.
    var isUnchanged = false

    init(
        _ rules: ScrapeRules, _ surroundings: ScrapeSurroundings, at timestamp: Timestamp,
        table: consuming SeriesTable
    ) {
        self.rules = rules
        self.surroundings = surroundings
        self.timestamp = timestamp
        self.table = table
        scratch = surroundings.scratches.take()
        scratch.batch.removeAll()
        scratch.batch.sharedTimestamp = timestamp
        scratch.sources.removeAll(keepingCapacity: true)
    }

    /// Reads the body into the batch. After an error the batch is as it was.
    mutating func read(_ body: RawSpan, contentType: String) throws(ScrapeError) {
        report.bytes = body.byteCount
        // An empty body says nothing, not even in which format.
        if body.byteCount == 0 { return }
        if contentType.isEmpty || !isEqualBytewise(contentType, table.contentType) {
            try chooseDialect(contentType)
        }
        try scan(body)
        count()
        let limit = rules.job.limits.samples
        let appended = report.kept - countKept(scratch.result.duplicates)
        if limit > 0, appended > limit {
            surroundings.metrics.sampleLimitExceeded.increment()
            report.added = min(report.added, limit)
            throw ScrapeError("sample limit exceeded")
        }
        try resolveNew()
        fill()
        addExemplars()
    }

    private mutating func chooseDialect(_ contentType: String) throws(ScrapeError) {
        let choice: (format: ExpositionFormat, warning: String?)
        do throws(ExpositionError) {
            choice = try ExpositionFormat.select(
                contentType: contentType, fallback: rules.fallbackFormat)
        } catch {
            throw ScrapeError(error.message)
        }
        guard case .text(let dialect) = choice.format else {
            let type = quoted(contentType)
            throw ScrapeError("received Content-Type \(type): protobuf is not supported yet")
        }
        if dialect != table.layout.dialect { table.restart(dialect) }
        // What took the fallback is asked again: the next configuration may have another.
        table.contentType = choice.warning == nil ? contentType : ""
    }

    private mutating func scan(_ body: RawSpan) throws(ScrapeError) {
        var scanner = LayoutScanner(
            body, layout: table.layout, honorsTimestamps: rules.job.samples.honorsTimestamps,
            options: surroundings.expositionOptions, into: scratch.result.take())
        scanner.gathersExemplars = surroundings.gathersExemplars
        var failure: ScrapeError?
        do throws(ExpositionError) {
            while failure == nil, case .newSample(let sample) = try scanner.next() {
                do throws(ScrapeError) {
                    let isTimely = (sample.timestamp ?? timestamp) <= latestAccepted
                    let isNone = surroundings.gathersStarts && sample.isCreated
                    new.append(
                        isNone ? nil : try rules.labels.stored(scanner.labels), sample,
                        isTimely: isTimely)
                } catch {
                    failure = error
                }
            }
        } catch {
            failure = ScrapeError(error.message)
        }
        if failure != nil { scanner.abandon() }
        report.scraped = scanner.sampleCount
        isUnchanged = scanner.isUnchanged
        if failure == nil, needsRevision(scanner.hasNewLines) { revision = scanner.revision() }
        scratch.result = scanner.result.take()
        seen = scratch.result.hasSeenAll ? .all : .some(scratch.result.seen)
        if surroundings.gathersStarts { report.scraped -= createdCount }
        guard let failure else { return }
        if failure.isLabelLimit { surroundings.metrics.labelLimitsExceeded.increment() }
        count()
        throw failure
    }

    /// Whether to remember this body as it is. Lines that are new must be remembered; lines that
    /// are gone or moved are put up with for a while, since they may come back.
    private mutating func needsRevision(_ hasNewLines: Bool) -> Bool {
        if isUnchanged {
            table.deviations = 0
            table.patience = SeriesTable.initialPatience
            return false
        }
        table.deviations += 1
        if hasNewLines { return true }
        guard table.deviations >= table.patience else { return false }
        table.deviations = 0
        table.patience = min(table.patience * 2, SeriesTable.longestPatience)
        return true
    }

    // MARK: Counting

    private func isKept(_ ordinal: Int) -> Bool {
        ordinal < 0 ? new.isKept(~ordinal) : table.refs[ordinal] != SeriesTable.dropped
    }

    private func countKept(_ ordinals: some Sequence<Int>) -> Int {
        var count = 0
        for ordinal in ordinals where isKept(ordinal) { count += 1 }
        return count
    }

    private mutating func count() {
        report.added = new.timelyCount
        if case .all = seen, case .all = table.present {
            report.kept = table.sampleCount - table.droppedCount
        } else {
            report.kept = 0
            for ordinal in 0..<table.sampleCount where seen.has(ordinal) && isKept(ordinal) {
                report.kept += 1
                if !table.present.has(ordinal) { report.added += 1 }
            }
        }
        report.kept += new.keptCount + countKept(scratch.result.duplicates)
        report.kept += countKept(scratch.result.repeats.lazy.map(\.ordinal))
    }
}

/// What a target's scrapes go by.
final class ScrapeRules: Sendable {
    let job: ScrapeConfiguration
    let labels: SampleLabels
    let timeout: Milliseconds

    init(_ job: ScrapeConfiguration, _ target: Target) {
        self.job = job
        timeout = target.timeout
        labels = SampleLabels(
            target: target.publicLabels, honorsLabels: job.samples.honorsLabels,
            rules: job.metricRelabeling, limits: job.limits, validation: job.names.validation)
    }

    var fallbackFormat: ExpositionFormat? {
        switch job.request.fallbackProtocol {
        case nil: nil
        case .prometheusText004, .prometheusText100: .text(.text)
        case .openMetricsText001, .openMetricsText100: .text(.openMetrics)
        case .prometheusProto: .protobuf
        }
    }
}

/// The series that a body has and the layout lacks, in the order of the body.
struct NewSeries: Sendable {
    private(set) var labels: [Labels?] = []
    private(set) var samples: [NewSample] = []
    private(set) var keptCount = 0
    /// Of those, the ones whose sample is not too far in the future to be stored.
    private(set) var timelyCount = 0
    /// Parallel to `labels`, once resolved.
    var refs: [SeriesRef] = []

    mutating func append(_ stored: Labels?, _ sample: NewSample, isTimely: Bool) {
        labels.append(stored)
        samples.append(sample)
        guard stored != nil else { return }
        keptCount += 1
        if isTimely { timelyCount += 1 }
    }

    func isKept(_ number: Int) -> Bool { labels[number] != nil }
}
