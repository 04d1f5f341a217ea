// SPDX-License-Identifier: Apache-2.0

internal import Bytes
internal import HTTP
internal import JSON
internal import Model
internal import PromQLSyntax

extension PrometheusAPI {
    /// What is scraped, and what it says about its metrics.
    var targetOperations: [Operation] {
        let targets = context.targets
        let addresses = GlobalAddresses(context.settings)
        return [
            Operation(methods: ["GET"], path: "/scrape_pools") { _ in
                let names = targets.scrapePools.sorted(by: isOrderedBytewise)
                return APIAnswer { json in
                    json.object { json in
                        json.key("scrapePools")
                        json.array(names) { $0.string($1) }
                    }
                }
            },
            Operation(methods: ["GET"], path: "/targets") { request in
                Self.targets(request.urlParameters, targets, addresses)
            },
            Operation(methods: ["GET"], path: "/metadata") { request throws(APIFailure) in
                try Self.metadata(request.parameters, targets)
            },
            Operation(methods: ["GET"], path: "/targets/metadata") { request throws(APIFailure) in
                try Self.targetMetadata(request.parameters, targets)
            },
        ]
    }

    private static func targets(
        _ parameters: Parameters, _ targets: any TargetsView, _ addresses: GlobalAddresses
    ) -> APIAnswer {
        let state = parameters["state"].lowercased()
        let pool = parameters["scrapePool"]
        func isWanted(_ name: String) -> Bool { pool.isEmpty || isEqualBytewise(pool, name) }
        let showsActive = ["", "any", "active"].contains(state)
        let showsDropped = ["", "any", "dropped"].contains(state)
        let active = showsActive ? targets.activeTargets.filter { isWanted($0.scrapePool) } : []
        let dropped = showsDropped ? targets.droppedTargets.filter { isWanted($0.scrapePool) } : []
        let counts = showsDropped ? targets.droppedTargetCounts : nil
        return APIAnswer(
            streaming: { json, body throws(ClientGone) in
                json.beginObject()
                json.key("activeTargets")
                json.beginArray()
                for target in active {
                    json.target(target, addresses)
                    try body.flush(whenFull: &json.output.bytes)
                }
                json.endArray()
                json.key("droppedTargets")
                json.beginArray()
                for target in dropped {
                    json.droppedTarget(target)
                    try body.flush(whenFull: &json.output.bytes)
                }
                json.endArray()
                json.key("droppedTargetCounts")
                json.counts(counts)
                json.endObject()
            })
    }

    /// A number that may be left out; nil for no bound.
    private static func bound(
        _ name: String, _ parameters: Parameters
    ) throws(APIFailure) -> Int? {
        let text = parameters[name]
        if text.isEmpty { return nil }
        guard let number = Int(text) else { throw .badData("\(name) must be a number") }
        return number < 0 ? nil : number
    }

    private static func metadata(
        _ parameters: Parameters, _ targets: any TargetsView
    ) throws(APIFailure) -> APIAnswer {
        let limit = try bound("limit", parameters)
        let perMetric = try bound("limit_per_metric", parameters)
        let metric = parameters["metric"]
        var families: [String: [Metadata]] = [:]
        targets.forEachMetadata(metric.isEmpty ? nil : metric) { _, family, metadata in
            let known = families[family, default: []]
            if let perMetric, perMetric > 0, known.count >= perMetric { return }
            if !known.contains(metadata) { families[family, default: []].append(metadata) }
        }
        let names = families.keys.sorted(by: isOrderedBytewise).prefix(limit ?? .max)
        let answer = names.map { (name: $0, entries: families[$0] ?? []) }
        return APIAnswer { json in
            json.object { json in
                for family in answer {
                    json.key(family.name)
                    json.array(family.entries) { json, metadata in
                        json.object { $0.metadata(metadata) }
                    }
                }
            }
        }
    }

    private static func targetMetadata(
        _ parameters: Parameters, _ targets: any TargetsView
    ) throws(APIFailure) -> APIAnswer {
        let limit = try bound("limit", parameters)
        let (selector, metric) = (parameters["match_target"], parameters["metric"])
        var matchers: [Matcher] = []
        do throws(ParseError) {
            if !selector.isEmpty { matchers = try parseMetricSelector(selector) }
        } catch {
            throw .invalid("match_target", error.description)
        }
        var found: [(target: Labels, family: String, metadata: Metadata)] = []
        targets.forEachMetadata(metric.isEmpty ? nil : metric) { target, family, metadata in
            if let limit, found.count >= limit { return }
            guard matchers.allSatisfy({ $0.matches(target) }) else { return }
            found.append((target, family, metadata))
        }
        let answer = found
        return APIAnswer { json in
            json.array(answer) { json, entry in
                json.object { json in
                    json.key("target")
                    json.labels(entry.target)
                    if metric.isEmpty { json.member("metric", entry.family) }
                    json.metadata(entry.metadata)
                }
            }
        }
    }
}

extension JSONWriter {
    fileprivate mutating func metadata(_ metadata: Metadata) {
        member("type", metadata.type.rawValue)
        member("help", metadata.help)
        member("unit", metadata.unit)
    }

    fileprivate mutating func target(_ target: ActiveTarget, _ addresses: GlobalAddresses) {
        object { json in
            json.key("discoveredLabels")
            json.labels(target.discoveredLabels)
            json.key("labels")
            json.labels(target.labels)
            json.member("scrapePool", target.scrapePool)
            json.member("scrapeUrl", target.scrapeURL)
            json.member("globalUrl", addresses.global(target.scrapeURL))
            json.member("lastError", target.lastError)
            json.key("lastScrape")
            json.time(target.lastScrape)
            json.key("lastScrapeDuration")
            json.number(target.lastScrapeDuration)
            json.member("health", target.health.rawValue)
            json.member("scrapeInterval", target.scrapeInterval)
            json.member("scrapeTimeout", target.scrapeTimeout)
        }
    }

    fileprivate mutating func droppedTarget(_ target: DroppedTarget) {
        object { json in
            json.key("discoveredLabels")
            json.labels(target.discoveredLabels)
            json.member("scrapePool", target.scrapePool)
        }
    }

    fileprivate mutating func counts(_ counts: [(scrapePool: String, count: Int)]?) {
        guard let counts else { return null() }
        object { json in
            for entry in counts { json.member(entry.scrapePool, Int64(entry.count)) }
        }
    }
}
