// SPDX-License-Identifier: Apache-2.0

import Bytes
import Instrumentation
import Model
import Synchronization
import Testing

@Suite struct SummaryTests {
    private final class Clock: Sendable {
        let nanoseconds = Atomic<UInt64>(1_000_000_000_000)
        func advance(minutes: UInt64) {
            nanoseconds.add(minutes * 60_000_000_000, ordering: .relaxed)
        }
    }

    private func summary(_ clock: Clock) -> Summary {
        Summary(quantiles: [0, 0.5, 0.9, 1]) { clock.nanoseconds.load(ordering: .relaxed) }
    }

    @Test("Quantiles are within one percent, count and sum are exact")
    func quantiles() {
        let summary = summary(Clock())
        for value in 1...1000 { summary.observe(Double(value) / 1000) }
        let state = summary.snapshot()
        #expect(state.count == 1000)
        #expect(abs(state.sum - 500.5) < 1e-9)
        for (value, expected) in zip(state.values, [0.001, 0.5, 0.9, 1]) {
            #expect(abs(value / expected - 1) <= 0.0101, "\(value) for \(expected)")
        }
    }

    @Test("Quantiles forget what is older than ten minutes, count and sum do not")
    func window() {
        let clock = Clock()
        let summary = summary(clock)
        summary.observe(8)
        clock.advance(minutes: 7)
        summary.observe(2)
        #expect(summary.snapshot().values[3] > 7)
        clock.advance(minutes: 4)
        #expect(summary.snapshot().values[3] < 3)
        clock.advance(minutes: 60)
        let state = summary.snapshot()
        #expect(state.values.filter { !$0.isNaN }.isEmpty)
        #expect(state.count == 2)
        #expect(state.sum == 10)
    }

    @Test("A summary is exposed with its quantiles, sum and count")
    func exposition() {
        let registry = Registry()
        registry.summary("x_seconds", "How long.", quantiles: [0.5], Labels(["a": "b"])).observe(0)
        var writer = ByteWriter(capacity: 256)
        registry.expose(into: &writer)
        #expect(
            String(decoding: writer.bytes, as: UTF8.self) == """
                # HELP x_seconds How long.
                # TYPE x_seconds summary
                x_seconds{a="b",quantile="0.5"} 0
                x_seconds_sum{a="b"} 0
                x_seconds_count{a="b"} 1

                """)
    }
}
