// SPDX-License-Identifier: Apache-2.0

#if canImport(PromQLScripts)
    import Foundation
    import Instrumentation
    import PromQL
    import PromQLScripts

    /// `promqltest`: the test scripts, reported per query.
    struct PromQLScriptArea: Area {
        let name = "promqltest"

        func run(_ folder: URL) throws -> [FileReport] {
            let scripts = folder.appendingPathComponent(name)
            return try run(scripts, name, delayedNameRemoval: true)
                + run(
                    scripts.appendingPathComponent("immediate_name_removal"),
                    "\(name)/immediate_name_removal", delayedNameRemoval: false)
        }

        private func run(
            _ folder: URL, _ prefix: String, delayedNameRemoval: Bool
        ) throws -> [FileReport] {
            let files = try FileManager.default.contentsOfDirectory(atPath: folder.path)
            return try files.filter { $0.hasSuffix(".test") }.sorted().map { file in
                let text = try String(
                    contentsOf: folder.appendingPathComponent(file), encoding: .utf8)
                return report("\(prefix)/\(file)", text, delayedNameRemoval)
            }
        }

        private func report(
            _ name: String, _ text: String, _ delayedNameRemoval: Bool
        ) -> FileReport {
            var report = FileReport(name: name)
            var configuration = ScriptRunner.configuration
            configuration.delayedNameRemoval = delayedNameRemoval
            do {
                let engine = Engine(configuration, registry: Registry())
                for outcome in try ScriptRunner(engine).run(try Script.parse(text)) {
                    report.record("line \(outcome.line) \(outcome.query)", outcome.failure)
                }
            } catch {
                // Every query of a script that cannot run counts as failed.
                let queries = text.split(separator: "\n").filter {
                    $0.drop { $0 == " " || $0 == "\t" }.hasPrefix("eval")
                }
                report = FileReport(name: name)
                for query in queries { report.record(String(query), "\(error)") }
            }
            return report
        }
    }

    /// `promqltest_runner`: scripts that must pass, and scripts that must be found wrong.
    struct PromQLScriptRunnerArea: Area {
        let name = "promqltest_runner"

        func run(_ folder: URL) throws -> [FileReport] {
            var report = FileReport(name: "\(name)/selftest.json")
            let url = folder.appendingPathComponent(name).appendingPathComponent("selftest.json")
            let table = try readJSON(url) as? [String: Any] ?? [:]
            for entry in table["cases"] as? [[String: Any]] ?? [] {
                let failure = failure(of: entry["script"] as? String ?? "")
                let ok = entry["ok"] as? Bool ?? false
                report.record(
                    entry["name"] as? String ?? "",
                    ok ? failure : failure == nil ? "passed, must fail" : nil)
            }
            return [report]
        }

        private func failure(of script: String) -> String? {
            do {
                let engine = Engine(ScriptRunner.configuration, registry: Registry())
                let outcomes = try ScriptRunner(engine).run(try Script.parse(script))
                return outcomes.compactMap(\.failure).first
            } catch {
                return "\(error)"
            }
        }
    }
#endif
