// SPDX-License-Identifier: Apache-2.0

import Model
import Testing

@Suite struct DurationTests {
    @Test(
        "Durations are read and written in Prometheus' notation",
        arguments: [
            ("0", 0, "0s"), ("5m", 300_000, "5m"), ("1h30m", 5_400_000, "1h30m"),
            ("90s", 90_000, "1m30s"), ("1d", 86_400_000, "1d"), ("7d", 604_800_000, "1w"),
            ("10y", 315_360_000_000, "10y"), ("100y", 3_153_600_000_000, "100y"),
            ("1s5ms", 1005, "1s5ms"), ("8d", 691_200_000, "8d"),
        ] as [(String, Int64, String)])
    func notation(text: String, milliseconds: Int64, written: String) {
        #expect(DurationText.parse(text) == milliseconds)
        #expect(DurationText.format(milliseconds) == written)
    }

    @Test(
        "Everything else is refused",
        arguments: ["", "5", "m", "1.5h", "-1h", "1m1h", "1m1m", "1 h", "300y", "1q", "h1"])
    func refusals(text: String) {
        #expect(DurationText.parse(text) == nil)
    }
}
