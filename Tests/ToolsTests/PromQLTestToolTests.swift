// SPDX-License-Identifier: Apache-2.0

import Foundation
import Platform
import Testing
import Tools

@Suite final class PromQLTestToolTests {
    private let folder = NSTemporaryDirectory() + "narthex-" + UUID().uuidString

    init() throws {
        try FileManager.default.createDirectory(
            atPath: folder, withIntermediateDirectories: true)
    }

    deinit { try? FileManager.default.removeItem(atPath: folder) }

    private func write(_ name: String, _ text: String) throws -> String {
        let path = "\(folder)/\(name)"
        try text.write(toFile: path, atomically: true, encoding: .utf8)
        return path
    }

    private func run(_ arguments: [String]) -> (status: Int32, output: String, error: String) {
        let said = Monitor((output: "", error: ""))
        let tool = PromQLTestTool(
            files: LocalFileSystem(), output: { text in said.withLock { $0.output += text } },
            error: { text in said.withLock { $0.error += text } })
        let status = tool.run(arguments)
        return said.withLock { (status, $0.output, $0.error) }
    }

    private let script = """
        load 1m
          x{l="a"} 1 2 3
          x{l="b"} 4 _ 6

        eval instant at 2m sum(x)
          {} 9


        """

    @Test("Scripts that hold are counted")
    func holds() throws {
        let path = try write("good.test", script)
        let lines = try write("lines.test", script.replacing("\n", with: "\r\n"))
        let result = run([path, lines])
        #expect(result.status == 0)
        #expect(result.output == "2 queries in 2 scripts: 2 held, 0 failed\n")
        #expect(result.error.isEmpty)
    }

    @Test("What does not hold is shown with its place, what was expected and what came")
    func failures() throws {
        let path = try write(
            "bad.test",
            script + """
                eval instant at 2m x
                  x{l="a"} 3
                  x{l="b"} 7

                eval range from 0 to 2m step 1m -x
                  {l="a"} -1 -2 -3

                eval instant at 1m x + on () group_left () y

                eval instant at 1m rate(x[2m])
                  expect no_info
                """)
        let result = run([path])
        #expect(result.status == 1)
        #expect(
            result.output == """
                \(path):8: eval instant at 2m x
                  expected 7 for {__name__="x", l="b"} but got 6
                  expected:
                    x{l="a"} 3
                    x{l="b"} 7
                  came:
                    {__name__="x", l="a"} 3
                    {__name__="x", l="b"} 6

                \(path):12: eval range from 0 to 2m step 1m -x
                  unexpected metric {l="b"} in result, has [-4 @[0] -4 @[60000] -6 @[120000]]
                  expected:
                    {l="a"} -1 -2 -3
                  came:
                    {l="a"} -1 -2 -3
                    {l="b"} -4 -4 -6

                \(path):17: eval instant at 1m rate(x[2m])
                  unexpected info annotations: ["PromQL info: \
                metric might not be a counter, name does not end in _total/_sum/_count/_bucket: \\"x\\" (1:6)"]
                  expected:
                    expect no_info
                  came:
                    expect info msg: PromQL info: metric might not be a counter, \
                name does not end in _total/_sum/_count/_bucket: "x" (1:6)
                    {l="a"} 0.016666666666666666

                5 queries in 1 script: 2 held, 3 failed

                """)
    }

    @Test("A script that cannot be run is named with the line, and others still are")
    func broken() throws {
        let broken = try write("broken.test", "clear\n\neval instant at 1m sum(\n")
        let good = try write("good.test", script)
        let result = run([broken, good])
        #expect(result.status == 1)
        #expect(result.output.hasPrefix("\(broken):3: 1:5: parse error: "))
        #expect(
            result.output.hasSuffix(
                "1 query in 2 scripts: 1 held, 0 failed, 1 could not be run\n"))
    }

    @Test(
        "Arguments that make no sense, and files that are not there, end with 2",
        arguments: [
            ([], "which scripts?"), (["--fast", "a"], "unknown flag '--fast'"),
            (["--enable-feature=x", "a"], "unknown feature 'x'"),
            (["--enable-feature"], "expected argument for flag '--enable-feature'"),
            (["/nowhere/at/all.test"], "/nowhere/at/all.test"),
        ])
    func refusals(arguments: [String], reason: String) {
        let result = run(arguments)
        #expect(result.status == 2)
        #expect(result.error.contains(reason))
    }

    @Test("Names are dropped late unless that is turned off")
    func names() throws {
        let path = try write(
            "names.test",
            script + """
                eval instant at 2m label_replace(-x{l="a"}, "n", "$1", "__name__", "(.*)")
                  {l="a", n="x"} -3
                """)
        #expect(run([path]).status == 0)
        #expect(run(["--immediate-name-removal", path]).status == 1)
        #expect(run(["--disable-feature", "promql-delayed-name-removal", path]).status == 1)
    }

    @Test("Parts of the language that are turned off make a script wrong")
    func features() throws {
        let path = try write(
            "features.test", script + "eval instant at 2m max_of(1, 2)\n  2\n")
        #expect(run([path]).status == 0)
        let result = run(["--disable-feature=promql-experimental-functions", path])
        #expect(result.status == 1)
        #expect(result.output.contains("is not enabled"))
    }
}
