// SPDX-License-Identifier: Apache-2.0

import Instrumentation
import Model
import PromQL
import Storage
import Synchronization
import Testing

/// A storage that says when a series is read.
private struct WatchedStorage: Queryable, Querier, SeriesSet {
    var count = 1000
    var whenRead: @Sendable (Int) -> Void

    func querier(over range: TimeRange) throws(StorageError) -> any Querier { self }
    func select(_ matchers: [Matcher], hints: SelectHints) throws(StorageError) -> any SeriesSet {
        self
    }
    func labelNames(_ matchers: [Matcher]) throws(StorageError) -> [String] { [] }
    func labelValues(_ name: String, _ matchers: [Matcher]) throws(StorageError) -> [String] { [] }
    func labels(at index: Int) -> Labels { Labels(["__name__": "x", "n": "\(1000 + index)"]) }
    func read(_ index: Int, _ range: TimeRange, into columns: inout SampleColumns)
        throws(StorageError)
    {
        whenRead(index)
        for time in stride(from: range.start, through: range.end, by: 60_000) {
            columns.timestamps.append(time)
            columns.values.append(Double(index))
        }
    }
}

@Suite struct LimitsTests {
    private static let limit = 8 << 20
    private static let refusal =
        "query processing would hold more than 8MiB of memory in query execution "
        + "(--query.max-memory)"

    private func engine(_ change: (inout EngineConfiguration) -> Void) -> Engine {
        var configuration = EngineConfiguration()
        configuration.parser = .all
        change(&configuration)
        return Engine(configuration, registry: Registry())
    }

    private func failure(
        _ engine: Engine, _ query: String, on storage: any Queryable, steps: Int64 = 1
    ) -> QueryError? {
        do throws(QueryError) {
            _ =
                steps == 1
                ? try engine.instant(query, at: 1_000_000, on: storage)
                : try engine.range(
                    query, from: 1_000_000, through: 1_000_000 + (steps - 1) * 1000, step: 1000,
                    on: storage)
            return nil
        } catch {
            return error
        }
    }

    static let doubling: String = {
        var query = "label_replace(x{n=\"1000\"}, \"a\", \"0123456789abcdef\", \"\", \"\")"
        for _ in 0..<40 { query = "label_replace(\(query), \"a\", \"$1$1\", \"a\", \"(.*)\")" }
        return query
    }()

    @Test(
        "Hostile queries are refused before they take more memory than they may",
        arguments: [
            ("max_over_time(x[10d:1s])", 1),
            ("x + on () group_left x{n=\"1000\"}", 5000),
            ("x or x offset 1m", 5000),
            ("sort(x)", 5000),
            ("count_values(\"value\", x * time())", 5000),
            ("count_values by (n) (\"value\", x * time())", 5000),
            ("histogram_quantiles(x, \"q\", scalar(vector(time())))", 5000),
            (doubling, 1),
            ("label_join(x, \"a\", \"\(String(repeating: "-", count: 20_000))\", \"n\", \"n\")", 1),
        ] as [(String, Int64)])
    func hostile(_ query: String, _ steps: Int64) {
        let engine = engine { $0.maxMemory = Self.limit }
        let storage = WatchedStorage { _ in }
        let error = failure(engine, query, on: storage, steps: steps)
        #expect(error?.message == Self.refusal)
        #expect(failure(engine, "sum(x)", on: storage) == nil, "the engine goes on")
    }

    @Test("What streams through takes little, however much it is")
    func streaming() {
        let engine = engine { $0.maxMemory = Self.limit }
        let storage = WatchedStorage { _ in }
        #expect(failure(engine, "sum(rate(x[5m]))", on: storage, steps: 2000) == nil)
        #expect(failure(engine, "max by (a) (x * 2)", on: storage, steps: 2000) == nil)
    }

    @Test("Values that occur at few steps take little, however many steps there are")
    func fewOccurrences() {
        let engine = engine { $0.maxMemory = 2 * Self.limit }
        var storage = WatchedStorage { _ in }
        storage.count = 100
        // 2000 values, each at 100 of 2000 steps: as columns they would take 32 MiB.
        let query = "count_values(\"value\", x + (time() - time() % 100) * 10)"
        #expect(failure(engine, query, on: storage, steps: 2000) == nil)
    }

    @Test("Without an allocator that counts there is no limit")
    func noMeter() {
        let engine = engine {
            $0.maxMemory = 1
            $0.memoryMeter = { nil }
        }
        #expect(failure(engine, "x + x", on: WatchedStorage { _ in }) == nil)
    }

    @Test("Results count against the limit of all queries until they are let go")
    func resultsCount() throws {
        let engine = engine { $0.maxMemoryInAll = Self.limit }
        let storage = WatchedStorage { _ in }
        func all() throws(QueryError) -> QueryResult {
            try engine.range(
                "x{n=\"1\"}", from: 0, through: 700_000, step: 1000, on: storage)
        }
        var results: [QueryResult] = [try all()]
        let error = failure(engine, "x", on: storage, steps: 700)
        #expect(error?.message.hasPrefix("all queries together would hold more than 8MiB") == true)
        #expect(results.count == 1)
        results = []
        #expect(failure(engine, "x", on: storage, steps: 700) == nil)
    }

    /// An allocator whose balance is what a test says.
    private final class Balance: Sendable {
        private let bytes = Atomic<Int>(0)
        var now: Int { bytes.load(ordering: .relaxed) }
        func add(_ count: Int) { bytes.add(count, ordering: .relaxed) }
    }

    @Test("Where all together hold too much, a query with more than its part fails, others go on")
    func parts() throws {
        let balance = Balance()
        let engine = engine {
            $0.maxMemoryInAll = 1 << 20
            $0.memoryMeter = { balance.now }
        }
        func storage(holding bytes: Int) -> WatchedStorage {
            WatchedStorage { index in if index == 0 { balance.add(bytes) } }
        }
        let held = try engine.instant("x", at: 1_000_000, on: storage(holding: 900 << 10))
        #expect(failure(engine, "sum(x)", on: storage(holding: 300 << 10)) == nil)
        #expect(
            failure(engine, "sum(x)", on: storage(holding: 600 << 10))?.message
                == "all queries together would hold more than 1MiB of memory in query execution "
                + "(--query.max-memory-total), 600KiB of it this one")
        withExtendedLifetime(held) {}
    }

    @Test(
        "A query that nobody waits for any more stops at the next series",
        arguments: ["x", "sum(x)", "rate(x[5m])", "x + x", "topk(3, x)", "max_over_time(x[5m:1m])"])
    func cancellation(_ query: String) {
        let cancellation = Cancellation()
        let reads = Atomic<Int>(0)
        let storage = WatchedStorage { index in
            reads.add(1, ordering: .relaxed)
            if index == 10 { cancellation.cancel() }
        }
        var options = QueryOptions()
        options.cancellation = cancellation
        do throws(QueryError) {
            _ = try engine { _ in }.instant(query, at: 1_000_000, on: storage, options)
            Issue.record("the query went on to its end")
        } catch {
            #expect(error.message == "query was canceled in expression evaluation")
        }
        #expect(reads.load(ordering: .relaxed) == 11)
    }

    @Test(
        "A query that nobody waits for any more stops within a series of long windows",
        .timeLimit(.minutes(1)),
        arguments: ["sum_over_time(x[100d])", "stddev_over_time(x[100d])"])
    func cancellationWithinSeries(_ query: String) {
        let cancellation = Cancellation()
        var storage = WatchedStorage { _ in cancellation.cancel() }
        storage.count = 1
        var options = QueryOptions()
        options.cancellation = cancellation
        // More than ten billion values in all windows.
        do throws(QueryError) {
            _ = try engine { $0.maxSamples = 1 << 40 }.range(
                query, from: 0, through: 100_000_000, step: 1000, on: storage, options)
            Issue.record("the query went on to its end")
        } catch {
            #expect(error.message == "query was canceled in expression evaluation")
        }
    }

    @Test("Time in the queue counts against the timeout")
    func timeInQueue() {
        var options = QueryOptions()
        options.timeInQueue = 200
        do throws(QueryError) {
            _ = try engine { _ in }.instant(
                "x", at: 1_000_000, on: WatchedStorage { _ in }, options)
            Issue.record("the query was evaluated")
        } catch {
            #expect(error.message == "query timed out in expression evaluation")
        }
    }
}
