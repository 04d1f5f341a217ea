// SPDX-License-Identifier: Apache-2.0

internal import Model
internal import PromQLSyntax

/// Counts what a query looks at, and what it holds against how much it may, node by node of its
/// expression. The planner opens an account for each node, operators count into it, and it is
/// finished when its last row is out. Flat, as expressions may be deep.
final class QueryLedger {
    private(set) var accounts: [NodeAccount] = []
    private(set) var budget: SampleBudget
    /// The node that is being planned.
    private(set) var current: Int?
    /// Whether all is counted for each step, which only statistics need.
    private let isDetailed: Bool
    /// There for a query that is explained.
    var recorder: NodeRecorder?

    init(limit: Int, detailed: Bool) {
        budget = SampleBudget(limit: limit)
        isDetailed = detailed
    }

    /// Opens an account for a node below the one that is being planned, and turns to it.
    func open(_ rule: NodeAccount.Rule, _ steps: Steps, _ source: SourceRange) -> Int {
        let number = accounts.count
        accounts.append(
            NodeAccount(rule, parent: current, steps, source, detailed: isDetailed))
        if let current { accounts[current].children.append(number) }
        current = number
        return number
    }

    /// Turns back to the node above.
    func leave(_ number: Int) { current = accounts[number].parent }

    func note(_ row: borrowing Row, of number: Int) throws(QueryError) {
        try budget.add(accounts[number].note(row))
    }

    func noteScalar(of number: Int) throws(QueryError) {
        accounts[number].noteScalar()
        try budget.add(accounts[number].samples)
    }

    /// Counts a series of a range vector that is the result itself, or part of it.
    func noteSelected(_ count: Int, of number: Int) throws(QueryError) {
        accounts[number].series += 1
        accounts[number].samples += count
        accounts[number].sizes?.add(count, at: 0)
        accounts[number].queryable += count
        accounts[number].queryableSteps?.add(count, at: 0)
        accounts[number].read += count
        accounts[number].readSteps?.add(count, at: 0)
        try budget.add(count)
    }

    /// Counts the windows of a series that a range function has worked on, and the row it made of
    /// them.
    func noteWindows(
        _ windows: WindowCounts, _ row: borrowing Row, isStored: Bool, of number: Int
    ) throws(QueryError) {
        let size = row.sampleCount
        let results = accounts[number].windowResults
        let peak = results + max(windows.widest, windows.last + size)
        try budget.check(adding: max(windows.widest, windows.last))
        accounts[number].windowPeak = max(accounts[number].windowPeak, peak)
        accounts[number].windowResults += size
        accounts[number].queryable += windows.covered
        if isStored { accounts[number].read += windows.distinct }
        guard accounts[number].queryableSteps != nil else { return }
        for step in 0..<accounts[number].steps.count {
            let (covered, fresh) = windows.counts(at: step)
            accounts[number].queryableSteps!.add(covered, at: step)
            if isStored { accounts[number].readSteps!.add(fresh, at: step) }
        }
    }

    /// The last row of a node is out: what its inputs held is free.
    func finish(_ number: Int) throws(QueryError) {
        var account = accounts[number]
        if account.isFinished { return }
        var inputs = 0
        var freed = 0
        for child in account.children {
            if accounts[child].isSubquery { try finish(child) }
            let input = accounts[child]
            account.peak = max(account.peak, inputs + input.peak)
            inputs += input.held
            if input.isSubquery || !account.keepsInputs { freed += input.held }
            account.takeCounts(of: input)
        }
        account.takeOwnCounts()
        let own = account.ownPeak(account.children.map { accounts[$0] })
        account.peak = max(account.peak, inputs + own, account.samples)
        switch account.rule {
        case .subquery:
            account.held = inputs
            freed = 0
            account.series = account.children.first.map { accounts[$0].series } ?? 0
            account.samples = inputs
        case .absentOverTime: account.held = account.windowResults + inputs - freed
        default: account.held = account.samples + inputs - freed
        }
        account.isFinished = true
        accounts[number] = account
        budget.release(freed)
        try budget.check(adding: account.peak - account.held)
    }

    /// The account of the subquery that is an input of a node.
    func subquery(below number: Int) -> Int? {
        accounts[number].children.first { accounts[$0].isSubquery }
    }

    /// What the whole query came to.
    var statistics: QueryStatistics {
        var statistics = QueryStatistics()
        guard let root = accounts.first else { return statistics }
        statistics.totalSamples = root.queryable
        statistics.samplesRead = root.read
        statistics.peakSamples = root.peak
        statistics.totalSamplesPerStep = root.queryableSteps?.all
        statistics.samplesReadPerStep = root.readSteps?.all
        statistics.steps = (root.steps.start, root.steps.interval)
        return statistics
    }
}

extension NodeAccount {
    /// Upstream forgets to let go of what these took in.
    fileprivate var keepsInputs: Bool {
        rule == .rangeFunction || rule == .absentOverTime || rule == .info
    }

    /// What the node itself holds at most, beside its inputs.
    fileprivate func ownPeak(_ inputs: [NodeAccount]) -> Int {
        switch rule {
        case .selector, .inPlace, .aggregation, .repeated, .subquery: return 0
        case .rangeFunction, .absentOverTime: return windowPeak
        case .stepwise, .info, .sampleTimes: break
        }
        let reads = rule == .sampleTimes
        guard elements != nil else {
            return samples + inputs.reduce(0) { $0 + $1.atLastStep } + (reads ? atLastStep : 0)
        }
        var peak = 0
        var results = 0
        for step in 0..<steps.count {
            var gathered = reads ? elements![step] : 0
            for input in inputs { gathered += input.elements?[step] ?? 0 }
            results += size(at: step)
            peak = max(peak, results + gathered)
        }
        return peak
    }

    /// What a selector puts out is what it looked at.
    fileprivate mutating func takeOwnCounts() {
        guard rule == .selector || rule == .sampleTimes else { return }
        queryable = samples
        read = samples
        queryableSteps = sizes
        readSteps = sizes
    }

    /// Adds what an input looked at to what the node has looked at.
    fileprivate mutating func takeCounts(of input: NodeAccount) {
        switch (rule, input.rule) {
        case (.rangeFunction, .subquery(let range, let offset)),
            (.absentOverTime, .subquery(let range, let offset)):
            // The windows over the results of the subquery count, not what these came from.
            takeReads(of: input, range: range, offset: offset)
        case (.repeated, _):
            queryable += input.queryable * steps.count
            queryableSteps?.add(atEveryStep: input.queryable)
            read += input.read
            readSteps?.add(input.read, at: 0)
        case (.subquery, _):
            queryable += input.queryable
            read += input.read
            queryableSteps = input.queryableSteps
            readSteps = input.readSteps
        default:
            queryable += input.queryable
            read += input.read
            if input.isSubquery {
                queryableSteps?.add(input.queryable, at: steps.count - 1)
                readSteps?.add(input.read, at: steps.count - 1)
            } else {
                if let counts = input.queryableSteps { queryableSteps?.add(counts) }
                if let counts = input.readSteps { readSteps?.add(counts) }
            }
        }
    }

    /// Assigns what a subquery read at its steps to the first step that sees it; what lies between
    /// two windows does not count.
    private mutating func takeReads(
        of input: NodeAccount, range: Milliseconds, offset: Milliseconds
    ) {
        guard steps.count > 1, let reads = input.readSteps else {
            read += input.read
            readSteps?.add(input.read, at: 0)
            return
        }
        for (index, count) in reads.all.enumerated() where count > 0 {
            let time = input.steps[index] &+ offset
            let distance = time &- steps.start
            let ahead = distance > 0 ? (distance &+ steps.interval &- 1) / steps.interval : 0
            let step = min(Int(ahead), steps.count - 1)
            if time <= steps[step] &- range { continue }
            read += count
            readSteps?.add(count, at: step)
        }
    }
}
