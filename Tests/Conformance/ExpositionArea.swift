// SPDX-License-Identifier: Apache-2.0

#if canImport(Exposition)
    import Bytes
    import Exposition
    import Foundation
    import Model

    /// `exposition`: what the readers make of whole bodies, and which one a Content-Type selects.
    struct ExpositionArea: Area {
        let name = "exposition"

        func run(_ folder: URL) throws -> [FileReport] {
            let folder = folder.appendingPathComponent(name)
            var reports: [FileReport] = []
            for file in [
                "prometheus-text.json", "openmetrics-text.json", "protobuf-delimited.json",
            ] {
                reports.append(try bodies(folder.appendingPathComponent(file)))
            }
            reports.append(try contentTypes(folder.appendingPathComponent("content_types.json")))
            reports.append(try files(folder.appendingPathComponent("files")))
            return reports
        }

        private func bodies(_ file: URL) throws -> FileReport {
            var report = FileReport(name: "\(name)/\(file.lastPathComponent)")
            let document = try readJSON(file) as! [String: Any]
            for (index, test) in (document["cases"] as! [[String: Any]]).enumerated() {
                let input =
                    (test["input"] as? String).map { Array($0.utf8) }
                    ?? Array(Data(base64Encoded: test["input_base64"] as! String)!)
                report.record("\(index)", check(input, test))
            }
            return report
        }

        private func check(_ input: [UInt8], _ test: [String: Any]) -> String? {
            let format = test["format"] as! String
            let options = test["options"] as? [String: Bool] ?? [:]
            guard format != "protobuf-delimited" else { return "protobuf is not read yet" }
            if options["convert_classic_to_nhcb"] == true {
                return "classic histograms are not converted to native ones yet"
            }
            return difference(
                input, dialect(format), options, events: test["events"] as? [[String: Any]] ?? [],
                error: test["ok"] as! Bool ? nil : test["error_text"] as? String ?? "")
        }

        private func files(_ folder: URL) throws -> FileReport {
            var report = FileReport(name: "\(name)/files")
            let names = try FileManager.default.contentsOfDirectory(atPath: folder.path).sorted()
            for events in names where events.hasSuffix(".events.json") {
                let document =
                    try readJSON(folder.appendingPathComponent(events)) as! [String: Any]
                let file = String(events.dropLast(".events.json".count))
                let input = try Data(contentsOf: folder.appendingPathComponent(file))
                let difference = difference(
                    Array(input), dialect(document["format"] as! String),
                    document["options"] as? [String: Bool] ?? [:],
                    events: document["cases"] as! [[String: Any]], error: nil)
                report.record(file, difference)
            }
            return report
        }

        private func contentTypes(_ file: URL) throws -> FileReport {
            var report = FileReport(name: "\(name)/content_types.json")
            let document = try readJSON(file) as! [String: Any]
            for test in document["cases"] as! [[String: Any]] {
                report.record(test["name"] as! String, checkContentType(test))
            }
            return report
        }

        private func checkContentType(_ test: [String: Any]) -> String? {
            let fallback: ExpositionFormat? =
                switch test["fallback_scrape_protocol"] as? String {
                case "PrometheusText0_0_4", "PrometheusText1_0_0": .text(.text)
                case "OpenMetricsText0_0_1", "OpenMetricsText1_0_0": .text(.openMetrics)
                case "PrometheusProto": .protobuf
                default: nil
                }
            var found: ExpositionFormat?
            var message: String?
            do {
                let choice = try ExpositionFormat.select(
                    contentType: test["content_type"] as! String, fallback: fallback)
                found = choice.format
                message = choice.warning
            } catch {
                message = error.message
            }
            let wanted: ExpositionFormat? =
                switch test["parser"] as? String {
                case "prometheus-text": .text(.text)
                case "openmetrics-text": .text(.openMetrics)
                case "protobuf": .protobuf
                default: nil
                }
            if found != wanted { return "selects \(String(describing: found))" }
            let expected = test["error_contains"] as? String
            guard let expected else { return message.map { "says: \($0)" } }
            guard let message, message.contains(expected) else {
                return "says \(message ?? "nothing"), not: \(expected)"
            }
            return nil
        }
    }

    /// `openmetrics`: the format's own test data, by what Prometheus accepts of it.
    struct OpenMetricsArea: Area {
        let name = "openmetrics"

        func run(_ folder: URL) throws -> [FileReport] {
            let folder = folder.appendingPathComponent(name)
            var report = FileReport(name: "\(name)/index.json")
            let document =
                try readJSON(folder.appendingPathComponent("index.json")) as! [String: Any]
            for test in document["cases"] as! [[String: Any]] {
                let name = test["name"] as! String
                let input = try Data(
                    contentsOf: folder.appendingPathComponent(name)
                        .appendingPathComponent("metrics"))
                let accepted = test["prometheus_accepts"] as! Bool
                let difference = difference(
                    Array(input), .openMetrics, [:],
                    events: test["prometheus_events"] as? [[String: Any]] ?? [],
                    error: accepted ? nil : test["prometheus_error"] as? String ?? "")
                report.record(name, difference)
            }
            return [report]
        }
    }

    private func dialect(_ format: String) -> TextDialect {
        format == "openmetrics-text" ? .openMetrics : .text
    }

    /// How the events of a body differ from the expected ones; nil where they do not.
    private func difference(
        _ input: [UInt8], _ dialect: TextDialect, _ options: [String: Bool],
        events expected: [[String: Any]], error expectedError: String?
    ) -> String? {
        var readerOptions = ExpositionOptions()
        readerOptions.typeAndUnitLabels = options["type_and_unit_labels"] ?? false
        readerOptions.skipsCreatedSeries = options["skip_created_series"] ?? false
        var events: [[String: Any]] = []
        var failure: String?
        var reader = ExpositionReader(
            input.raw, dialect: dialect, options: readerOptions)
        do {
            while let entry = try reader.next() { events.append(describe(entry, &reader)) }
        } catch {
            failure = error.message
        }
        if failure != expectedError {
            return "fails with \(failure ?? "nothing"), not: \(expectedError ?? "nothing")"
        }
        for (index, pair) in zip(events, expected).enumerated()
        where !NSDictionary(dictionary: pair.0).isEqual(to: pair.1) {
            return "event \(index) is \(pair.0), not: \(pair.1)"
        }
        if events.count != expected.count {
            return "\(events.count) events, not \(expected.count)"
        }
        return nil
    }

    private func describe(
        _ entry: ExpositionEntry, _ reader: inout ExpositionReader
    ) -> [String: Any] {
        switch entry {
        case .help: return ["event": "help", "metric": reader.familyName, "help": reader.help]
        case .type:
            return [
                "event": "type", "metric": reader.familyName, "type": reader.family.type.rawValue,
            ]
        case .unit:
            return ["event": "unit", "metric": reader.familyName, "unit": reader.family.unit]
        case .comment: return ["event": "comment", "text": reader.text]
        case .series:
            var event: [String: Any] = [
                "event": "series", "labels": dictionary(reader.labels()),
                "value": formatFloat(reader.value, style: .general),
            ]
            if let timestamp = reader.timestamp { event["timestamp_ms"] = timestamp }
            if let exemplar = reader.exemplar {
                var fields: [String: Any] = [
                    "labels": dictionary(exemplar.labels),
                    "value": formatFloat(exemplar.value, style: .general),
                ]
                if let timestamp = exemplar.timestamp { fields["timestamp_ms"] = timestamp }
                event["exemplars"] = [fields]
            }
            if let start = reader.startTimestamp() { event["start_timestamp_ms"] = start }
            return event
        }
    }

    private func dictionary(_ labels: Labels) -> [String: String] {
        var result: [String: String] = [:]
        for label in labels { result[label.name] = label.value }
        return result
    }
#endif
