// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import Model
internal import PromQLSyntax

/// The rows of a vector gathered into histograms: classic ones from rows that are equal but for
/// `le`, their buckets ordered by bound once for all steps, and native ones.
struct HistogramGroups {
    struct Group {
        var labels: RowLabels
        /// The bucket rows, by ascending bound.
        var buckets: [(bound: Double, row: Int)] = []
        /// The row with native histograms of the same name and labels.
        var native: Int?
    }

    private(set) var groups: [Group] = []
    let block: Block
    let evaluation: Evaluation
    private let source: SourceRange

    init(_ evaluation: Evaluation, _ block: Block, _ source: SourceRange) {
        self.block = block
        self.evaluation = evaluation
        self.source = source
        var table = LabelSetTable(expecting: block.rows.count)
        let bucket = LabelNameSet([LabelName.bucket])
        var key: [UInt8] = []
        func group(_ labels: RowLabels, _ key: [UInt8]) -> Int {
            let number = table.insert(key)
            if number == groups.count {
                let name = RowLabels(Labels(packed: key), dropsName: true)
                groups.append(Group(labels: name))
            }
            return number
        }
        for (index, labels) in block.rows.enumerated() {
            if !block.data[index].floats.isEmpty {
                let text = labels.labels[LabelName.bucket] ?? ""
                if let bound = goFloat(text) {
                    key.removeAll(keepingCapacity: true)
                    bucket.appendOthers(of: labels.labels, to: &key)
                    groups[group(labels, key)].buckets.append((bound, index))
                } else {
                    noteBadBucket(labels, text)
                }
            }
            if block.data[index].hasHistograms {
                groups[group(labels, labels.labels.packed)].native = index
            }
        }
        for index in groups.indices {
            let buckets = groups[index].buckets
            groups[index].buckets = buckets.sorted { $0.bound < $1.bound }
        }
    }

    private func noteBadBucket(_ labels: RowLabels, _ text: String) {
        evaluation.annotations.add(
            .badBucketLabel(text, metric: shownMetric(labels.labels), source))
    }

    /// The name of the metric in annotations: only known where names are kept until the end.
    func shownMetric(_ labels: Labels) -> String {
        evaluation.delaysNameRemoval ? labels.metricName ?? "" : ""
    }

    /// The names of the results.
    var rows: [RowLabels] {
        groups.map {
            evaluation.delaysNameRemoval
                ? RowLabels($0.labels.labels, dropsName: true)
                : RowLabels($0.labels.labels.withoutMetadata)
        }
    }

    /// What a group is at a step.
    enum Found {
        case nothing
        case classic
        case native(FloatHistogram)
    }

    /// Gathers the buckets of a group at a step. A classic and a native histogram of one name at
    /// once cannot be told apart, so neither counts.
    func gather(_ group: Int, _ step: Int, into histogram: inout ClassicHistogram) -> Found {
        histogram.removeAll()
        for (bound, row) in groups[group].buckets where block.data[row].floats.contains(step) {
            histogram.append(bound, block.data[row].values[step])
        }
        guard let native = groups[group].native,
            let found = block.data[native].histograms[step]
        else { return histogram.buckets.isEmpty ? .nothing : .classic }
        if histogram.buckets.isEmpty { return .native(found) }
        evaluation.annotations.add(
            .mixedClassicAndNativeHistograms(
                metric: shownMetric(block.rows[native].labels), source))
        return .nothing
    }
}

extension Planner {
    /// `histogram_quantile`, `histogram_quantiles` and `histogram_fraction`.
    func histogramCall(_ function: Function, _ arguments: [Expression], _ steps: Steps)
        throws(QueryError) -> any VectorOperator
    {
        let outer = histogramDetail
        histogramDetail.needsBuckets = true
        defer { histogramDetail = outer }
        switch function {
        case .histogramQuantile:
            let quantiles = try scalar(arguments[0], steps)
            let block = try Block(try vector(arguments[1], steps))
            noteInvalid(quantiles, arguments[0])
            let groups = HistogramGroups(evaluation, block, arguments[1].source)
            return merged(
                try quantileRows(groups, quantiles, arguments[1], steps, groups.rows), steps)
        case .histogramQuantiles:
            let block = try Block(try vector(arguments[0], steps))
            let label = arguments[1].text
            var all: [(RowLabels, Row)] = []
            var columns: [[Double]] = []
            for argument in arguments[2...] {
                columns.append(try scalar(argument, steps))
                noteInvalid(columns[columns.count - 1], argument)
            }
            let groups = HistogramGroups(evaluation, block, arguments[0].source)
            for quantiles in columns {
                for distinct in Self.distinct(quantiles) {
                    let rows = groups.rows.map {
                        RowLabels(
                            $0.labels.setting(label, openMetricsText(distinct)),
                            dropsName: $0.dropsName)
                    }
                    var mask = StepSet(capacity: steps.count)
                    for step in quantiles.indices
                    where quantiles[step].bitPattern == distinct.bitPattern { mask.insert(step) }
                    for (labels, var row) in try quantileRows(
                        groups, quantiles, arguments[0], steps, rows, only: mask)
                    {
                        row.keepOnly(mask)
                        all.append((labels, row))
                    }
                }
            }
            return merged(all, steps)
        default:
            let lower = try scalar(arguments[0], steps)
            let upper = try scalar(arguments[1], steps)
            let block = try Block(try vector(arguments[2], steps))
            let groups = HistogramGroups(evaluation, block, arguments[2].source)
            return merged(fractionRows(groups, lower, upper, arguments[2], steps), steps)
        }
    }

    private static func distinct(_ values: [Double]) -> [Double] {
        var seen: Set<UInt64> = []
        return values.filter { seen.insert($0.bitPattern).inserted }
    }

    private func noteInvalid(_ quantiles: [Double], _ argument: Expression) {
        for quantile in Self.distinct(quantiles) where !Quantile.isValid(quantile) {
            evaluation.annotations.add(.invalidQuantile(quantile, argument.source))
        }
    }

    private func merged(_ rows: [(RowLabels, Row)], _ steps: Steps) -> any VectorOperator {
        let block = Block(steps: steps)
        for (labels, row) in rows where !row.isEmpty { block.append(labels, row) }
        guard let slots = MergeRows.slots(of: block.rows) else { return block }
        return MergeRows(input: block, slots: slots)
    }

    private func quantileRows(
        _ groups: HistogramGroups, _ quantiles: [Double], _ argument: Expression, _ steps: Steps,
        _ rows: [RowLabels], only mask: StepSet? = nil
    ) throws(QueryError) -> [(RowLabels, Row)] {
        var histogram = ClassicHistogram()
        return try groups.groups.indices.map { (group) throws(QueryError) in
            try evaluation.checkpoint()
            var row = Row(width: steps.count)
            for step in 0..<steps.count where mask?.contains(step) ?? true {
                switch groups.gather(group, step, into: &histogram) {
                case .nothing: break
                case .classic:
                    let value = histogram.quantile(quantiles[step], at: steps[step])
                    if let forced = histogram.forced {
                        let metric = groups.shownMetric(groups.groups[group].labels.labels)
                        evaluation.annotations.add(
                            .forcedMonotonicity(forced, metric: metric, argument.source))
                    }
                    row.setFloat(value, at: step)
                case .native(let native):
                    let metric = groups.shownMetric(groups.groups[group].labels.labels)
                    let native = NativeHistogram(
                        histogram: native, metric: metric, source: argument.source,
                        annotations: evaluation.annotations)
                    row.setFloat(native.quantile(quantiles[step]), at: step)
                }
            }
            return (rows[group], row)
        }
    }

    private func fractionRows(
        _ groups: HistogramGroups, _ lower: [Double], _ upper: [Double], _ argument: Expression,
        _ steps: Steps
    ) -> [(RowLabels, Row)] {
        var histogram = ClassicHistogram()
        let rows = groups.rows
        return groups.groups.indices.map { group in
            var row = Row(width: steps.count)
            for step in 0..<steps.count {
                switch groups.gather(group, step, into: &histogram) {
                case .nothing: break
                case .classic:
                    row.setFloat(histogram.fraction(from: lower[step], to: upper[step]), at: step)
                case .native(let native):
                    let metric = groups.shownMetric(groups.groups[group].labels.labels)
                    let native = NativeHistogram(
                        histogram: native, metric: metric, source: argument.source,
                        annotations: evaluation.annotations)
                    row.setFloat(native.fraction(from: lower[step], to: upper[step]), at: step)
                }
            }
            return (rows[group], row)
        }
    }

    /// `histogram_count` and the like: a number out of each native histogram. Floats have none.
    func histogramValue(_ function: Function, _ argument: Expression, _ steps: Steps)
        throws(QueryError) -> any VectorOperator
    {
        let outer = histogramDetail
        if function == .histogramCount || function == .histogramSum || function == .histogramAvg {
            histogramDetail.wantsTotals = true
        }
        defer { histogramDetail = outer }
        let input = try vector(argument, steps)
        // Only the name goes here; type and unit stay.
        let rows = input.rows.map { row in
            evaluation.delaysNameRemoval
                ? RowLabels(row.labels, dropsName: true)
                : RowLabels(row.labels.removing(LabelName.metric))
        }
        return MapRows.over(input, named: rows) { row in
            let histograms = row.histograms
            row.clear()
            for (step, histogram) in histograms.enumerated() {
                guard let histogram else { continue }
                row.setFloat(NativeHistogram.value(function, histogram), at: step)
            }
        }
    }
}
