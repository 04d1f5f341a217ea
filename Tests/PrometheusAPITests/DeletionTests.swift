// SPDX-License-Identifier: Apache-2.0

import Model
import PrometheusAPI
import Storage
import Synchronization
import Testing

extension Administration {
    /// One whose cleaning fails.
    init(
        deleting delete:
            @escaping @Sendable (TimeRange, [Matcher]) throws(StorageError) -> Void
    ) {
        self.init(
            snapshot: { includesHead in "x-\(includesHead)" }, delete: delete,
            cleanTombstones: { () throws(StorageError) in
                throw StorageError(.damaged, "clean tombstones: x: bad")
            })
    }
}

@Suite("Deletion")
struct DeletionTests {
    @Test("series are deleted by all selectors or, where one is bad, by none")
    func deletions() {
        let deleted = Mutex<[String]>([])
        var bench = Bench()
        bench.administration = Administration(deleting: { range, matchers in
            deleted.withLock {
                $0.append("\(matchers.map(\.value)) \(range.start) \(range.end)")
            }
        })
        let path = "/api/v1/admin/tsdb/delete_series"
        let refusals = [
            "": "no match[] parameter provided",
            "?match[]=up&start=x": #"invalid parameter \"start\": invalid time value for "#
                + #"'start': cannot parse \"x\" to a valid timestamp"#,
            "?match[]=up&match[]=%7B": #"invalid parameter \"match[]\": 1:2: parse error: "#
                + "unexpected end of input inside braces",
        ]
        for (query, error) in refusals {
            let answer = bench.send("POST", path + query)
            #expect(answer.status == 400)
            #expect(answer.text.contains(error), "\(answer.text)")
        }
        #expect(deleted.withLock { $0 } == [])
        let answer = bench.send(
            "PUT", path + "?match[]=up&match[]=%7Ba=%22b%22%7D&start=1.5&end=1970-01-01T00:01:00Z")
        #expect(answer.status == 204)
        #expect(answer.text == "")
        #expect(deleted.withLock { $0 } == [#"["up"] 1500 60000"#, #"["b"] 1500 60000"#])
        let failed = bench.send("POST", "/api/v1/admin/tsdb/clean_tombstones")
        #expect(failed.status == 500)
        #expect(failed.text.contains(#""errorType":"internal","error":"clean tombstones: x: bad""#))
    }
}
