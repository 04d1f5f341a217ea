// SPDX-License-Identifier: Apache-2.0

import JSON
import Synchronization
import Testing
import Tools

@Suite struct QueryToolTests {
    private func run(_ arguments: [String]) -> (status: Int32, output: String, error: String) {
        let (output, error) = (Text(), Text())
        let status = QueryTool(output: output.append, error: error.append).run(arguments)
        return (status, output.all, error.all)
    }

    private final class Text: Sendable {
        private let text = Mutex("")
        var all: String { text.withLock { $0 } }
        func append(_ more: String) { text.withLock { $0 += more } }
    }

    @Test(
        "Arguments that make no sense are refused with a reason and the help",
        arguments: [
            ([], ""), (["instant"], ""),
            (["explain"], "a server and an expression are needed"),
            (["explain", "http://localhost:9090"], "a server and an expression are needed"),
            (["explain", "--analyse", "localhost:9090", "up"], "there is no flag '--analyse'"),
            (["explain", "https://localhost", "up"], "'https://localhost' is no http address"),
            (["explain", "localhost:x", "up"], "'localhost:x' is no http address of a server"),
            (
                ["explain", "--start=1", "localhost:9090", "up"],
                "a range query needs --start, --end and --step"
            ),
            (["explain", "--timeout=0", "localhost:9090", "up"], "'0' is no timeout in seconds"),
        ])
    func refusals(_ arguments: [String], _ reason: String) {
        let (status, output, error) = run(arguments)
        #expect(status == 2)
        #expect(output.isEmpty)
        #expect(reason.isEmpty || error.contains(reason))
        #expect(error.contains("usage: narthex tool query explain"))
    }

    @Test("A server that is not there is told with its address")
    func noServer() {
        let (status, _, error) = run(["explain", "http://127.0.0.1:1", "up"])
        #expect(status == 1)
        #expect(error.contains("127.0.0.1:1: connect"))
        #expect(error.contains("connection refused"))
    }

    @Test("A plan is shown as a tree with what is known of each node")
    func text() throws {
        let plan = #"""
            {"operation":"/","expression":"a / on (x) sum by (x) (b[5m])","rewrites":[],
             "matching":{"cardinality":"one-to-one","on":["x"],"include":[]},
             "analysis":{"series":2,"samples":22,"samplesQueryable":44,"samplesRead":33,
               "bytes":1536,"time":0.0015,"ownTime":0.0005},
             "children":[
               {"operation":"selector","expression":"a","reads":{"start":1,"end":2.5},
                "children":[]},
               {"operation":"sum","expression":"sum by (x) (b)","grouping":{"by":["x"]},
                "children":[{"operation":"selector","expression":"b",
                  "rewrites":["shares its series with the selector at 0"],"children":[]}]}]}
            """#
        #expect(
            PlanText.of(try JSONValue(parsing: plan)) == """
                /
                │    one-to-one on (x)
                │    2 series, 22 samples, read 33, 1.5 KiB, 1.5 ms (own 0.5)
                ├─ selector a
                │       reads 1.0 to 2.5
                └─ sum by (x)
                   └─ selector b
                           shares its series with the selector at 0

                """)
        #expect(PlanText.of(.null) == nil)
    }
}
