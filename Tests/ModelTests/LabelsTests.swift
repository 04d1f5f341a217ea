// SPDX-License-Identifier: Apache-2.0

import Bytes
import Model
import Testing

@Suite struct LabelsTests {
    @Test("A set is sorted bytewise, without empty values, the last of equal names counting")
    func building() {
        let labels = Labels([Label("b", "1"), Label("a", ""), Label("é", "2"), Label("b", "3")])
        #expect(labels.description == "{b=\"3\", \"é\"=\"2\"}")
        #expect(labels["b"] == "3")
        #expect(labels["a"] == nil)
        #expect(labels.count == 2)
    }

    @Test("Values of any length survive, also those whose length takes four bytes")
    func long() {
        for length in [0, 1, 254, 255, 256, 70_000] {
            let value = String(repeating: "x", count: length)
            let labels = Labels(["a": "1", "b": value, "c": "2"])
            #expect(labels["b"] == (length == 0 ? nil : value))
            #expect(labels["c"] == "2")
        }
    }

    @Test("Texts that Swift takes for equal are different labels")
    func canonical() {
        let composed = Labels(["a": "\u{E9}"])
        let decomposed = Labels(["a": "e\u{301}"])
        #expect(composed != decomposed)
    }

    @Test(
        "Sets are ordered label by label",
        arguments: [
            (["a": "1"], ["a": "2"]), (["a": "1"], ["a": "1", "b": "1"]), (["a": "2"], ["b": "1"]),
            ([:], ["a": "1"]), (["a": "10"], ["a": "2"]),
        ] as [(KeyValuePairs<String, String>, KeyValuePairs<String, String>)])
    func order(
        smaller: KeyValuePairs<String, String>, larger: KeyValuePairs<String, String>
    ) {
        #expect(Labels(smaller) < Labels(larger))
        #expect(!(Labels(larger) < Labels(smaller)))
    }

    @Test(
        "What two sets have in common at their beginning is counted in fields",
        arguments: [
            ([], [], 0), (["a"], ["b"], 0), (["a", "1"], ["a", "1"], 2), (["a"], ["a", "1"], 1),
            (["a", "1", "b"], ["a", "2", "b"], 1),
            (["abcdefghij", "x1"], ["abcdefghij", "x2"], 1),
            (["a", "12"], ["a", "123"], 1), (["", ""], ["", "", "a"], 2),
            ([String(repeating: "l", count: 300), "a"], [String(repeating: "l", count: 300)], 1),
            ([String(repeating: "l", count: 300)], [String(repeating: "l", count: 556)], 0),
            ([String(repeating: "l", count: 300)], [String(repeating: "l", count: 299) + "m"], 0),
        ])
    func sharedFields(left: [String], right: [String], count: Int) {
        func packed(_ fields: some Sequence<String>) -> [UInt8] {
            var bytes: [UInt8] = []
            for field in fields { Labels.appendField(field, to: &bytes) }
            return bytes
        }
        for (one, other) in [(left, right), (right, left)] {
            let shared = Labels.sharedFields(packed(one).raw, packed(other).raw)
            #expect(shared.count == count)
            #expect(shared.end == packed(left.prefix(count)).count)
        }
    }

    @Test("A builder changes a copy")
    func changing() {
        let labels = Labels(["a": "1", "b": "2"])
        #expect(labels.setting("c", "3").description == "{a=\"1\", b=\"2\", c=\"3\"}")
        #expect(labels.setting("a", "").description == "{b=\"2\"}")
        #expect(labels.removing("a").description == "{b=\"2\"}")
        #expect(labels.removing("x") == labels)
        #expect(labels.description == "{a=\"1\", b=\"2\"}")
    }
}
