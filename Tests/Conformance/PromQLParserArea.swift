// SPDX-License-Identifier: Apache-2.0

#if canImport(PromQLSyntax)
    import Bytes
    import Foundation
    import JSON
    import Model
    import PromQLSyntax

    /// `promql_parser`: expressions, their printed forms, tokens and series descriptions.
    struct PromQLParserArea: Area {
        let name = "promql_parser"

        func run(_ folder: URL) throws -> [FileReport] {
            var all = ParserOptions.all
            let pretty = try report(folder, "pretty.json") { expression($0, all) }
            let strings = try report(folder, "string.json") { expression($0, all) }
            all.fillModifiers = false
            return [
                try report(folder, "expressions.json") { expression($0, all) ?? requirement($0) },
                pretty, strings,
                try report(folder, "lexer.json", tokens),
                try report(folder, "series_descriptions.json", series),
            ]
        }

        private func report(
            _ folder: URL, _ file: String, _ check: ([String: Any]) -> String?
        ) throws -> FileReport {
            var report = FileReport(name: "\(name)/\(file)")
            let url = folder.appendingPathComponent(name).appendingPathComponent(file)
            let table = try readJSON(url) as? [String: Any] ?? [:]
            for entry in table["cases"] as? [[String: Any]] ?? [] {
                report.record(String(reflecting: entry["input"] as? String ?? ""), check(entry))
            }
            return report
        }

        private func expression(_ entry: [String: Any], _ options: ParserOptions) -> String? {
            let input = entry["input"] as? String ?? ""
            let ok = entry["ok"] as? Bool ?? false
            let parsed: PromQLSyntax.Expression
            do throws(ParseError) {
                parsed = try parseExpression(input, options)
            } catch {
                if ok { return "refused: \(error)" }
                return firstError(entry, error)
            }
            if !ok { return "accepted as \(parsed)" }
            let forms = [
                ("type", parsed.type.rawValue), ("string", parsed.description),
                ("pretty", parsed.pretty()), ("pretty_width10", parsed.pretty(width: 10)),
            ]
            for (key, ours) in forms {
                if let theirs = entry[key] as? String, !isEqualBytewise(theirs, ours) {
                    return "\(key): \(String(reflecting: ours)), expected "
                        + String(reflecting: theirs)
                }
            }
            var again = JSONWriter()
            again.syntaxTree(parsed)
            if (try? JSONSerialization.jsonObject(with: Data(again.output.bytes))) == nil {
                return "the tree is no JSON"
            }
            return nil
        }

        private func firstError(_ entry: [String: Any], _ error: ParseError) -> String? {
            guard let first = (entry["errors"] as? [[String: Any]])?.first else { return nil }
            let message = first["message"] as? String ?? ""
            if !isEqualBytewise(message, error.message) {
                return "error: \(error.message), expected \(message)"
            }
            let (start, end) = (first["start"] as? Int, first["end"] as? Int)
            // A byte that was no UTF-8 when the table was made counts as three here.
            let isExact = !(entry["input"] as? String ?? "").contains("\u{FFFD}")
            return start == error.source.start && (end == error.source.end || !isExact)
                ? nil
                : "error at \(error.source), expected \(start ?? -1) to \(end ?? -1)"
        }

        /// With one of the options that a case requires switched off it must be refused.
        private func requirement(_ entry: [String: Any]) -> String? {
            for requirement in entry["requires"] as? [String] ?? [] {
                var options = ParserOptions.all
                switch requirement {
                case "duration-expressions": options.durationExpressions = false
                case "experimental-functions": options.experimentalFunctions = false
                case "extended-range-selectors": options.extendedRangeSelectors = false
                default: return "unknown requirement \(requirement)"
                }
                if (try? parseExpression(entry["input"] as? String ?? "", options)) != nil {
                    return "accepted without \(requirement)"
                }
            }
            return nil
        }

        private func series(_ entry: [String: Any]) -> String? {
            let ok = entry["ok"] as? Bool ?? false
            let found: SeriesDescription
            do throws(ParseError) {
                found = try parseSeriesDescription(entry["input"] as? String ?? "")
            } catch {
                if ok { return "refused: \(error)" }
                let expected = entry["error_text"] as? String ?? ""
                return expected == error.description || expected.contains("<Item")
                    ? nil : "error: \(error), expected \(expected)"
            }
            if !ok { return "accepted" }
            let labels = (entry["labels"] as? [String: String] ?? [:]).map {
                Label($0.key, $0.value)
            }
            if Labels(labels) != found.labels { return "labels \(found.labels)" }
            let ours = found.values.map { value -> String in
                switch value {
                case .omitted: "<null>"
                case .float(let number): StaleMarker.isStale(number) ? "stale" : "\(number)"
                case .histogram(let histogram, let given): "\(histogram.scriptNotation) \(given)"
                }
            }
            let theirs = (entry["values"] as? [Any] ?? []).map { value -> String in
                switch value {
                case let number as NSNumber: "\(number.doubleValue)"
                case let table as [String: Any]:
                    "\(table["histogram"] ?? "") \(table["counter_reset_hint_set"] as? Bool ?? false)"
                case let text as String: text
                default: "<null>"
                }
            }
            return ours == theirs ? nil : "\(ours), expected \(theirs)"
        }

        private func tokens(_ entry: [String: Any]) -> String? {
            let ok = entry["ok"] as? Bool ?? false
            let found: [Lexeme]
            do throws(ParseError) {
                found = try lexemes(
                    entry["input"] as? String ?? "",
                    describesSeries: entry["series_desc"] as? Bool ?? false)
            } catch {
                return ok ? "refused: \(error)" : nil
            }
            if !ok { return "accepted" }
            // Some kinds carry a number of upstream's parser generator, which is not binding.
            let expected = (entry["tokens"] as? [[String: Any]] ?? []).map {
                let text = $0["text"] as? String ?? ""
                let kind = $0["kind"] as? String ?? ""
                return
                    "\(kind.hasPrefix("\"<Item") ? quoted(text) : kind) \(text) \($0["pos"] ?? "")"
            }
            let ours = found.map { "\($0.kind) \($0.text) \($0.source.start)" }
            return ours == expected ? nil : "\(ours), expected \(expected)"
        }
    }
#endif
