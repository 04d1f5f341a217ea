// SPDX-License-Identifier: Apache-2.0

import Model
import PromQL

/// What callgrind counts.
nonisolated(unsafe) private var counted: () -> Void = {}

/// Callgrind begins and ends with it, by the name of its symbol.
@inline(never)
public func runCounted() { counted() }

extension BenchmarkCase {
    func run(_ engine: Engine, _ storage: BenchmarkStorage) throws(QueryError) {
        if step == 0 {
            _ = try engine.instant(query, at: storage.end, on: storage)
        } else {
            _ = try engine.range(
                query, from: storage.end - Int64(hours * 3_600_000), through: storage.end,
                step: step * 1000, on: storage)
        }
    }

    /// Runs the case twice, the second time to be counted, and prints its name.
    func count(_ engine: Engine, _ storage: BenchmarkStorage) throws(QueryError) {
        try run(engine, storage)
        var failure: QueryError?
        counted = {
            do throws(QueryError) { try run(engine, storage) } catch { failure = error }
        }
        runCounted()
        if let failure { throw failure }
        print(query)
    }
}
