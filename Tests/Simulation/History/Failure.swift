// SPDX-License-Identifier: Apache-2.0

/// A history that did not agree with the expectation, cut down to the steps that it takes.
package struct Failure: Sendable, CustomStringConvertible {
    package var history: History
    package var disagreement: Disagreement
    package var trace: [String]

    /// Lives the history of a seed; nil where all is as it should be.
    package init?(seed: UInt64, tally: inout Tally, isShortened: Bool = true) {
        let history = History(seed: seed)
        guard let first = Failure(history, &tally) else { return nil }
        self = first
        if isShortened { shorten() }
    }

    private init?(_ history: History, _ tally: inout Tally) {
        var run = Run(history)
        do throws(Disagreement) {
            try run.run()
            tally.add(run)
            return nil
        } catch {
            tally.add(run)
            self.history = history
            disagreement = error
            trace = run.trace
        }
    }

    /// Leaves out steps, first many at once and then one by one, as long as it still fails.
    private mutating func shorten() {
        var ignored = Tally()
        var size = max(1, history.steps.count / 2)
        while true {
            var start = 0
            while start < history.steps.count {
                let end = min(start + size, history.steps.count)
                if let shorter = Failure(history.leavingOut(start..<end), &ignored) {
                    self = shorter
                } else {
                    start = end
                }
            }
            if size == 1 { return }
            size = max(1, size / 2)
        }
    }

    package var description: String {
        let lines = trace.enumerated().map { "  \($0.offset). \($0.element)" }
        return "seed \(history.seed): \(disagreement)\n" + lines.joined(separator: "\n")
    }
}

/// How much was tried.
package struct Tally: Sendable, CustomStringConvertible {
    package private(set) var histories = 0
    package private(set) var samples = 0
    package private(set) var steps: [Step.Kind: Int] = [:]

    package init() {}

    mutating func add(_ run: Run) {
        histories += 1
        samples += run.sampleCount
        steps.merge(run.counts, uniquingKeysWith: +)
    }

    package var description: String {
        let kinds = Step.Kind.allCases.map { "\($0) \(steps[$0] ?? 0)" }
        return "\(histories) histories, \(samples) samples left in them; steps: "
            + kinds.joined(separator: ", ")
    }
}
