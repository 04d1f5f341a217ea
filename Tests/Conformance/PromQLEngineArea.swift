// SPDX-License-Identifier: Apache-2.0

#if canImport(PromQLScripts)
    import Foundation
    import Instrumentation
    import Model
    import PromQL
    import PromQLScripts
    import Storage

    /// `promql_engine`: queries with exact answers that are not scripts.
    struct PromQLEngineArea: Area {
        let name = "promql_engine"

        func run(_ folder: URL) throws -> [FileReport] {
            try [
                "at_modifier.json", "extended_and_subquery.json", "lookback.json",
                "rate_annotations.json",
            ].map { file in
                var report = FileReport(name: "\(name)/\(file)")
                let url = folder.appendingPathComponent(name).appendingPathComponent(file)
                let table = try readJSON(url) as? [String: Any] ?? [:]
                let shared = table["load"] as? String
                for entry in table["cases"] as? [[String: Any]] ?? [] {
                    let load = shared ?? entry["load"] as? String ?? ""
                    report.record(
                        "\(entry["query"] ?? "") at \(entry["time_ms"] ?? entry["start_ms"] ?? "")",
                        try check(entry, load, addsMore: shared != nil))
                }
                return report
            }
        }

        private func check(
            _ entry: [String: Any], _ load: String, addsMore: Bool
        ) throws -> String? {
            let storage = MemoryStorage()
            for case .load(let block) in try Script.parse(load).commands {
                if let failure = storage.load(block) { return failure }
            }
            if addsMore { addSpecialSeries(storage) }
            var configuration = ScriptRunner.configuration
            configuration.maxSamples = 50_000_000
            configuration.lookbackDelta = integer(entry["engine_lookback_ms"]) ?? 300_000
            if configuration.lookbackDelta <= 0 { configuration.lookbackDelta = 300_000 }
            configuration.typeAndUnitLabels = entry["type_and_unit_labels"] as? Bool ?? false
            var options = QueryOptions()
            options.lookbackDelta = integer(entry["query_lookback_ms"])
            let engine = Engine(configuration, registry: Registry())
            let query = entry["query"] as? String ?? ""
            let result: QueryResult
            do throws(QueryError) {
                if entry["kind"] as? String == "range" {
                    result = try engine.range(
                        query, from: integer(entry["start_ms"]) ?? 0,
                        through: integer(entry["end_ms"]) ?? 0,
                        step: integer(entry["step_ms"]) ?? 1, on: storage, options)
                } else {
                    result = try engine.instant(
                        query, at: integer(entry["time_ms"]) ?? 0, on: storage, options)
                }
            } catch {
                return error.message
            }
            return compare(entry, result)
        }

        private func integer(_ value: Any?) -> Int64? { (value as? NSNumber)?.int64Value }

        /// The series that the description of the table adds in words.
        private func addSpecialSeries(_ storage: MemoryStorage) {
            var negative = SampleColumns()
            for second in -1000...0 {
                negative.timestamps.append(Int64(second) * 1000)
                negative.values.append(Double(1 - second) - (second == -1000 ? 1 : 0))
            }
            // The first sample has the value 1000, the next ones 1 - t.
            storage.append(Labels([LabelName.metric: "metric_neg"]), negative)
            var single = SampleColumns()
            single.timestamps = [3_600_000]
            single.values = [1000]
            storage.append(Labels([LabelName.metric: "metric_timestamp"]), single)
        }

        // MARK: Comparison

        private func compare(_ entry: [String: Any], _ result: QueryResult) -> String? {
            if let expects = entry["expect_samples"] as? Bool {
                guard case .vector(let elements) = result.value else { return "no vector" }
                return elements.isEmpty != expects
                    ? nil : "\(elements.count) samples, expected \(expects ? "some" : "none")"
            }
            if let warnings = entry["warnings"] as? [String],
                let infos = entry["infos"] as? [String]
            {
                return warnings.sorted() == result.warnings.sorted()
                    && infos.sorted() == result.infos.sorted()
                    ? nil
                    : "warnings \(result.warnings), infos \(result.infos), expected \(warnings), "
                        + "\(infos)"
            }
            let expected = entry["result"] as? [String: Any] ?? [:]
            let ours = lines(result.value)
            let theirs = lines(expected)
            return ours == theirs ? nil : "\(ours), expected \(theirs)"
        }

        private func lines(_ value: QueryValue) -> [String] {
            func text(_ labels: Labels) -> String { labels.description }
            switch value {
            case .scalar(let sample): return ["\(sample.value)"]
            case .string(let string, _): return [string]
            case .vector(let elements):
                return elements.map {
                    "\(text($0.labels)) \($0.timestamp):\($0.value)"
                }.sorted()
            case .matrix(let series):
                return series.map { one in
                    text(one.labels)
                        + zip(one.timestamps, one.values).map { " \($0):\($1)" }.joined()
                }.sorted()
            }
        }

        private func lines(_ expected: [String: Any]) -> [String] {
            func number(_ value: Any?) -> Double {
                switch value as? String {
                case "+Inf": .infinity
                case "-Inf": -.infinity
                case let text: text.flatMap(Double.init) ?? .nan
                }
            }
            if let scalar = expected["value"] { return ["\(number(scalar))"] }
            return (expected["result"] as? [[String: Any]] ?? []).map { series in
                let labels = (series["labels"] as? [String: String] ?? [:]).map {
                    Label($0.key, $0.value)
                }
                let head = Labels(labels).description
                if let values = series["values"] as? [[Any]] {
                    return head
                        + values.map { " \($0[0]):\(number($0[1]))" }.joined()
                }
                return "\(head) \(series["t"] ?? ""):\(number(series["value"]))"
            }.sorted()
        }
    }
#endif
