// SPDX-License-Identifier: Apache-2.0

/// One step of a history. What it does in detail is drawn from its own seed, so that a step does
/// the same when others before it are left out.
package struct Step: Sendable {
    package enum Kind: Sendable, Hashable, CaseIterable {
        /// A few batches, one after the other.
        case append
        /// A batch with samples that are late, doubled or too old among those that are not.
        case appendLate
        /// A batch of which all or nothing is to be stored.
        case appendWhole
        /// Batches of samples that are late, as far as anything may be.
        case backfill
        /// Some series end and others begin.
        case churn
        /// The clock leaps.
        case leap
        /// What the head's thread does once a second.
        case writePending
        case maintain
        case delete
        case cleanTombstones
        /// Other settings.
        case reload
        /// More memory is in use, or less.
        case squeeze
        case check
        case query
        /// A selection that is read after later commits.
        case isolate
        case snapshot
        /// What the head writes to have less to replay at a start.
        case headSnapshot
        /// A clean end and a start.
        case restart
        /// The process is killed and started again.
        case kill
        /// The machine loses power.
        case cutPower
        /// From here on some operations of the disk fail.
        case beginFaults
        case fillDisk
        case endFaults
        /// A bit of a file is not what was written. Ends a history.
        case flip
    }

    package var kind: Kind
    package var seed: UInt64
}

/// What is done to a database, from beginning to end: the steps, and how the database is set.
package struct History: Sendable {
    package var seed: UInt64
    package var steps: [Step]

    /// The history of a seed.
    package init(seed: UInt64) {
        self.seed = seed
        var random = RandomNumbers(seed: seed)
        var steps: [Step] = []
        let kinds = Self.weights.flatMap { Array(repeating: $0.kind, count: $0.weight) }
        for _ in 0..<(10 + random.below(70)) {
            steps.append(Step(kind: random.element(of: kinds), seed: random.next()))
        }
        steps.append(Step(kind: .endFaults, seed: random.next()))
        steps.append(Step(kind: .check, seed: random.next()))
        if random.isOne(in: 3) { steps.append(Step(kind: .flip, seed: random.next())) }
        self.steps = steps
    }

    private static let weights: [(kind: Step.Kind, weight: Int)] = [
        (.append, 40), (.appendLate, 8), (.backfill, 8), (.appendWhole, 4), (.churn, 4), (.leap, 3),
        (.writePending, 12), (.maintain, 12), (.check, 3), (.query, 5), (.isolate, 3),
        (.snapshot, 2), (.headSnapshot, 6), (.delete, 4), (.cleanTombstones, 1), (.reload, 2),
        (.squeeze, 3), (.restart, 3), (.kill, 6), (.cutPower, 6), (.beginFaults, 3), (.fillDisk, 3),
        (.endFaults, 6),
    ]

    /// The history without some of its steps.
    func leavingOut(_ range: Range<Int>) -> History {
        var shorter = self
        shorter.steps.removeSubrange(range)
        return shorter
    }
}
