// SPDX-License-Identifier: Apache-2.0

import Instrumentation
import Synchronization
import Testing

private final class Lines: Sendable {
    private let text = Mutex("")
    var all: String { text.withLock { $0 } }
    func append(_ line: String) { text.withLock { $0 += line } }
}

private func logged(
    _ format: LogFormat, at time: Int64 = 1_709_210_096_789, _ body: (Logger) -> Void
) -> String {
    let lines = Lines()
    body(Logger(level: .info, format: format, now: { time }, write: lines.append))
    return lines.all
}

@Suite struct LoggerTests {
    @Test("A line of logfmt has time, level, source, message and quoted fields")
    func logfmt() {
        let text = logged(.logfmt) {
            $0.debug("hidden")
            $0.with(["component": "tsdb"]).warn(
                "two words", ["a": "b=c", "empty": "", "plain": "x"], file: "M/F.swift", line: 7)
        }
        #expect(
            text == "time=2024-02-29T12:34:56.789Z level=WARN source=F.swift:7 msg=\"two words\" "
                + "component=tsdb a=\"b=c\" empty=\"\" plain=x\n")
    }

    @Test("A line of JSON is one object")
    func json() {
        let text = logged(.json) { $0.error("a\"b\n", ["k": "\u{1}"], file: "M/F.swift", line: 7) }
        #expect(
            text == "{\"time\":\"2024-02-29T12:34:56.789Z\",\"level\":\"ERROR\","
                + "\"source\":\"F.swift:7\",\"msg\":\"a\\\"b\\n\",\"k\":\"\\u0001\"}\n")
    }

    @Test(
        "Dates are right across the calendar",
        arguments: [
            (0, "1970-01-01T00:00:00.000Z"), (-1, "1969-12-31T23:59:59.999Z"),
            (951_782_400_000, "2000-02-29T00:00:00.000Z"),
            (4_107_542_399_999, "2100-02-28T23:59:59.999Z"),
            (4_107_542_400_000, "2100-03-01T00:00:00.000Z"),
        ])
    func dates(time: Int64, expected: String) {
        #expect(logged(.logfmt, at: time) { $0.info("x") }.hasPrefix("time=\(expected) "))
    }
}
