// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// What evaluating one node of an expression came to: what it put out, what it looked at, and how
/// many samples upstream's evaluator would have held for it at once. Upstream evaluates a node
/// after its inputs, each to its end, and keeps their results until its own is complete; from the
/// counts of a streaming evaluation the peak of that is worked out node by node.
struct NodeAccount {
    /// How upstream counts samples while it evaluates a node of this kind.
    enum Rule: Equatable {
        /// Puts out samples of the storage, one a step.
        case selector
        /// Gathers the samples of all inputs step by step, and adds up results.
        case stepwise
        /// `timestamp()` of a selector: reads step by step, without an input.
        case sampleTimes
        /// Reads its inputs in place; they give way to the result as a whole.
        case aggregation
        /// Holds one window of one series beside the results so far.
        case rangeFunction
        /// The same, and what is left of it are the samples before they became absence.
        case absentOverTime
        /// Changes its input where it is.
        case inPlace
        /// Repeats a result of a single step.
        case repeated
        /// Evaluates its input on steps of its own, for a function over `range`, `offset` ago.
        case subquery(range: Milliseconds, offset: Milliseconds)
        /// Gathers like `stepwise`, and does not let go of its inputs.
        case info
    }

    let rule: Rule
    let parent: Int?
    let steps: Steps
    /// Where the node stands in the query.
    let source: SourceRange
    var children: [Int] = []

    /// The rows put out, and their samples; a histogram counts by its size.
    var series = 0
    var samples = 0
    /// How many rows have a sample at the last step.
    var atLastStep = 0
    /// Samples at each step, all counted as one, and by size. nil unless statistics are wanted.
    var elements: StepCounts?
    var sizes: StepCounts?

    /// Samples taken into account, once for every step that used them, and samples read.
    var queryable = 0
    var read = 0
    var queryableSteps: StepCounts?
    var readSteps: StepCounts?

    /// Range functions: the most samples held in windows and results, and the samples of results.
    var windowPeak = 0
    var windowResults = 0

    /// The most samples held at once beyond those held before, and what is held in the end.
    /// Known once the node has finished.
    var peak = 0
    var held = 0
    var isFinished = false

    init(
        _ rule: Rule, parent: Int?, _ steps: Steps, _ source: SourceRange, detailed: Bool
    ) {
        self.rule = rule
        self.parent = parent
        self.steps = steps
        self.source = source
        guard detailed else { return }
        elements = StepCounts(steps: steps.count)
        sizes = elements
        queryableSteps = elements
        readSteps = elements
    }

    var isSubquery: Bool {
        if case .subquery = rule { return true }
        return false
    }

    /// Counts a row that the node puts out. Returns its size.
    mutating func note(_ row: borrowing Row) -> Int {
        let size = row.sampleCount
        series += 1
        samples += size
        if elements != nil {
            elements!.add(row) { _ in 1 }
            sizes!.add(row) { $0.sampleCount }
        }
        let last = steps.count - 1
        if row.floats.contains(last) || (row.hasHistograms && row.histograms[last] != nil) {
            atLastStep += 1
        }
        return size
    }

    /// Counts a scalar, which has a value at every step.
    mutating func noteScalar() {
        series = 1
        samples = steps.count
        atLastStep = 1
        elements?.add(atEveryStep: 1)
        sizes?.add(atEveryStep: 1)
    }

    /// The samples of the result at a step, by size.
    func size(at step: Int) -> Int { sizes?[step] ?? 0 }
}
