// SPDX-License-Identifier: Apache-2.0

import Testing
import YAML

private struct Job {
    var name = "", limit = 0, honor = true
    var targets: [String] = []

    init(_ node: YAMLNode) throws(YAMLError) {
        var fields = try YAMLMapping(node, "config.plain")
        name = try fields.string("job_name") ?? ""
        limit = try fields.integer("sample_limit") ?? limit
        honor = try fields.bool("honor_timestamps") ?? honor
        targets = try fields.strings("targets") ?? []
        try fields.finish()
    }
}

@Suite struct MappingTests {
    @Test("Fields are read, absent ones keep their defaults, null ones are zero")
    func reading() throws {
        let text = "job_name: x\nsample_limit:\ntargets: [a, b]\n"
        let job = try Job(try #require(try YAMLNode(parsing: text)))
        #expect(job.name == "x")
        #expect(job.limit == 0)
        #expect(job.honor)
        #expect(job.targets == ["a", "b"])
    }

    @Test(
        "Mistakes are named with place and hint",
        arguments: [
            (
                "job_name: x\nsampel_limit: 10\n",
                "parsing YAML file p.yml: yaml: unmarshal errors:\n  line 2, column 1: field "
                    + "sampel_limit not found in type config.plain; did you mean \"sample_limit\"?"
            ),
            (
                "job_name: x\nsomething: 10\n",
                "parsing YAML file p.yml: yaml: unmarshal errors:\n  line 2, column 1: field "
                    + "something not found in type config.plain"
            ),
            (
                "job_name: x\n\njob_name: y\n",
                "parsing YAML file p.yml: yaml: unmarshal errors:\n  line 3, column 1: field "
                    + "job_name already set in type config.plain"
            ),
            (
                "targets: a\n",
                "parsing YAML file p.yml: yaml: unmarshal errors:\n  line 1, column 10: cannot "
                    + "unmarshal !!str `a` into []string"
            ),
            (
                "- a\n",
                "parsing YAML file p.yml: yaml: unmarshal errors:\n  line 1, column 1: cannot "
                    + "unmarshal !!seq into config.plain"
            ),
            (
                "[a]: b\n",
                "parsing YAML file p.yml: yaml: unmarshal errors:\n  line 1, column 1: cannot "
                    + "unmarshal !!seq into string"
            ),
        ])
    func mistakes(text: String, expected: String) throws {
        let node = try #require(try YAMLNode(parsing: text))
        do {
            _ = try Job(node)
            Issue.record("was accepted")
        } catch {
            #expect(error.inFile("p.yml").description == expected)
        }
    }

    @Test("A map of strings refuses a key that stands twice")
    func maps() throws {
        let node = try #require(try YAMLNode(parsing: "a: 1\nb: 2\na: 3\n"))
        do {
            _ = try node.entries("map[string]string")
            Issue.record("was accepted")
        } catch {
            #expect(error.message == "key \"a\" already set in map")
            #expect(error.position == YAMLPosition(line: 3, column: 1))
        }
    }
}
