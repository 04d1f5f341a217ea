// SPDX-License-Identifier: Apache-2.0

internal import JSON
internal import Model
internal import PromQL
internal import PromQLSyntax

/// The plan of a query, as `data.explain` shows it: docs/explain.md.
extension JSONWriter {
    mutating func plan(_ node: PlanNode) {
        object { json in
            json.member("operation", node.operation)
            json.member("expression", node.expression)
            json.key("position")
            json.object { json in
                json.member("start", Int64(node.source.start))
                json.member("end", Int64(node.source.end))
            }
            json.key("steps")
            json.object { json in
                json.seconds("start", node.steps.start)
                json.seconds("interval", node.steps.interval)
                json.member("count", Int64(node.steps.count))
            }
            json.planDetails(node)
            if let analysis = node.analysis {
                json.key("analysis")
                json.analysis(analysis)
            }
            json.key("children")
            json.array(node.children) { $0.plan($1) }
        }
    }

    private mutating func seconds(_ name: String, _ milliseconds: Int64) {
        key(name)
        number(Double(milliseconds) / 1000)
    }

    private mutating func texts(_ name: String, _ texts: [String]) {
        key(name)
        array(texts) { $0.string($1) }
    }

    private mutating func planDetails(_ node: PlanNode) {
        if !node.matchers.isEmpty { texts("matchers", node.matchers.map(\.description)) }
        if let grouping = node.grouping {
            key("grouping")
            object { $0.texts(grouping.isWithout ? "without" : "by", grouping.labels) }
        }
        if let matching = node.matching {
            key("matching")
            object { json in
                json.member("cardinality", matching.cardinality.rawValue)
                json.texts(matching.isOn ? "on" : "ignoring", matching.labels)
                json.texts("include", matching.include)
            }
        }
        if let reads = node.reads {
            key("reads")
            object { json in
                json.seconds("start", reads.start)
                json.seconds("end", reads.end)
            }
        }
        if !node.rewrites.isEmpty { texts("rewrites", node.rewrites) }
    }

    private mutating func analysis(_ analysis: NodeAnalysis) {
        object { json in
            json.member("series", Int64(analysis.series))
            json.member("samples", Int64(analysis.samples))
            json.member("samplesQueryable", Int64(analysis.samplesQueryable))
            json.member("samplesRead", Int64(analysis.samplesRead))
            if let bytes = analysis.bytes { json.member("bytes", Int64(bytes)) }
            json.key("time")
            json.number(analysis.time)
            json.key("ownTime")
            json.number(analysis.ownTime)
            if let windows = analysis.windows {
                json.key("windows")
                json.object { json in
                    json.member("reused", Int64(windows.reused))
                    json.member("computed", Int64(windows.computed))
                }
            }
        }
    }
}
