// SPDX-License-Identifier: Apache-2.0

import Model
import PromQLScripts
import PromQLSyntax
import Storage
import Testing

@Suite struct ScriptTests {
    @Test("A load block is read with its step, values and start timestamps")
    func load() throws {
        let script = try Script.parse(
            """
            # comment
            load 5m
              up{job="a"}@st _ -1m -2m
              up{job="a"} 1 _ {{sum:3}}

            clear
            """)
        guard case .load(let load) = script.commands[0] else {
            Issue.record("no load")
            return
        }
        #expect(load.step == 300_000)
        let storage = MemoryStorage()
        #expect(storage.load(load) == nil)
        let querier = try storage.querier(over: TimeRange(start: 0, end: 600_000))
        let set = try querier.select(
            [Matcher(LabelName.metric, equals: "up")],
            hints: SelectHints(range: TimeRange(start: 0, end: 600_000)))
        #expect(set.count == 1)
        var columns = SampleColumns()
        try set.read(0, TimeRange(start: 0, end: 600_000), into: &columns)
        #expect(columns.timestamps == [0])
        #expect(columns.histogramTimestamps == [600_000])
        #expect(columns.histogramStartTimestamps == [480_000])
        #expect(storage.load(load) == "out of order sample in {__name__=\"up\", job=\"a\"}")
    }

    @Test(
        "Texts that are no scripts are refused with their line",
        arguments: [
            ("bogus", 1), ("\nload x\n", 2), ("eval instant at 1m (", 1),
            ("eval range from 2m to 1m step 1m up", 1),
            ("eval instant at 0 up\n  expect info\n  expect no_info", 3),
            ("load 1m\n  up@st -1m\n  down 1", 3),
        ])
    func errors(_ text: String, _ line: Int) {
        #expect {
            _ = try Script.parse(text)
        } throws: {
            ($0 as? ScriptError)?.line == line
        }
    }
}
