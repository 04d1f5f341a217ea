// SPDX-License-Identifier: Apache-2.0

package import Model
package import PromQLSyntax

/// A node of the plan of a query: what is computed, from what, and, where the query was evaluated
/// under observation, what it came to.
package struct PlanNode: Sendable {
    /// A function, aggregation or operator by its name; `selector`, `range selector`, `subquery`,
    /// `number`, `string`, or `repeat` for what is evaluated once and holds at every step.
    package var operation: String
    package var expression: String
    /// The bytes of the query that it was written with.
    package var source: SourceRange
    /// The times at which it is evaluated, in milliseconds.
    package var steps: (start: Timestamp, interval: Milliseconds, count: Int)
    package var matchers: [Matcher] = []
    /// Of an aggregation.
    package var grouping: (isWithout: Bool, labels: [String])?
    /// Of an operation between two vectors.
    package var matching: VectorMatching?
    /// The samples that a selector reads, both ends included.
    package var reads: TimeRange?
    /// What is done otherwise than it is written.
    package var rewrites: [String] = []
    package var analysis: NodeAnalysis?
    package var children: [PlanNode] = []

    init(_ operation: String, _ expression: Expression, _ steps: Steps) {
        self.operation = operation
        self.expression = expression.description
        source = expression.source
        self.steps = (steps.start, steps.interval, steps.count)
    }
}

/// What evaluating a node came to, together with all that is below it where nothing else is said.
package struct NodeAnalysis: Sendable {
    /// The rows that it put out, and their samples; a histogram counts by its size.
    package var series = 0
    package var samples = 0
    /// Samples taken into account, once for every step that used them, and samples read.
    package var samplesQueryable = 0
    package var samplesRead = 0
    /// The most memory that was held for it at once, in bytes; nil where the allocator does not
    /// count.
    package var bytes: Int?
    /// In seconds, without what the nodes above did with its rows.
    package var time = 0.0
    /// The same without the nodes below it.
    package var ownTime = 0.0
    /// For windows over samples: how often those of an earlier series with the same timestamps
    /// served, and how often they had to be computed.
    package var windows: (reused: Int, computed: Int)?
}
