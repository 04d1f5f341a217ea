// SPDX-License-Identifier: Apache-2.0

import Testing

@Suite struct ExplainedQueryTests {
    @Test("A plan is given instead of a result, in the same envelope")
    func plan() {
        let text = Bench().get("/api/v1/query?query=sum(up)&time=60&explain=plan")
        #expect(
            text.hasPrefix(
                #"{"status":"success","data":{"resultType":"vector","result":[],"explain":{"#
                    + #""operation":"sum","expression":"sum(up)","position":{"start":0,"end":7},"#
                    + #""steps":{"start":60,"interval":0.001,"count":1},"grouping":{"by":[]},"#
                    + #""children":[{"operation":"selector","expression":"up","#))
        let read = #""matchers":["__name__=\"up\""],"reads":{"start":-239.999,"end":60}"#
        #expect(text.contains(read))
        #expect(!text.contains("analysis"))
    }

    @Test("Under observation the result comes with what each node came to")
    func analyze() {
        let target = "/api/v1/query_range?query=sum(up)&start=0&end=60&step=60"
        let plain = Bench().get(target)
        let text = Bench().get(target + "&explain=analyze")
        #expect(text.hasPrefix(plain.dropLast(2)), "the result is the same")
        #expect(text.contains(#""analysis":{"series":1,"samples":2,"samplesQueryable":4,"#))
        #expect(text.contains(#""analysis":{"series":2,"samples":4,"samplesQueryable":4,"#))
    }

    @Test("Other words than plan and analyze are refused, bad queries as ever")
    func refusals() {
        let bench = Bench()
        let other = bench.send("GET", "/api/v1/query?query=up&explain=yes")
        #expect(other.status == 400)
        #expect(other.text.contains(#"invalid parameter \"explain\": it must be"#))
        let range = "/api/v1/query_range?query=up[5m]&start=0&end=1&step=1"
        let bad = bench.send("GET", range + "&explain=plan")
        #expect(bad.status == 400)
        #expect(bad.text.contains("invalid expression type"))
    }
}
