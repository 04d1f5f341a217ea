// SPDX-License-Identifier: Apache-2.0

internal import Instrumentation
package import Platform
internal import PromQL
internal import PromQLScripts

/// `narthex tool promqltest`: runs scripts of upstream's test language for PromQL against our
/// engine, and shows for each query that does not hold what was expected and what came.
package struct PromQLTestTool: Sendable {
    private let files: any FileSystem
    private let output: @Sendable (String) -> Void
    private let error: @Sendable (String) -> Void

    package init(
        files: any FileSystem, output: @escaping @Sendable (String) -> Void,
        error: @escaping @Sendable (String) -> Void
    ) {
        self.files = files
        self.output = output
        self.error = error
    }

    static let tool = ToolProgram.Tool(
        name: "promqltest", help: "Runs test scripts of PromQL and shows what does not hold."
    ) { arguments in
        PromQLTestTool(
            files: LocalFileSystem(), output: StandardStream.output, error: StandardStream.error
        ).run(arguments)
    }

    /// 0 where everything holds, 1 where a query or a script is wrong, 2 where the arguments are or
    /// a file cannot be read.
    package func run(_ arguments: [String]) -> Int32 {
        switch PromQLTestOptions.parse(arguments) {
        case .help:
            output(PromQLTestOptions.help)
            return 0
        case .refused(let reason):
            error("narthex tool promqltest: \(reason)\n\n\(PromQLTestOptions.help)")
            return 2
        case .options(let options): return run(options)
        }
    }

    private func run(_ options: PromQLTestOptions) -> Int32 {
        let tally = Monitor(Tally())
        do {
            // Queries run on a deep stack.
            let pool = try BoundedPool("promqltest", threads: 1, queueLimit: options.paths.count)
            for path in options.paths {
                let isTaken = pool.submit { run(path, options.configuration, tally) }
                precondition(isTaken, "the queue has room for every script")
            }
            pool.close()
        } catch {
            self.error("narthex tool promqltest: \(error)\n")
            return 2
        }
        return tally.withLock { tally in
            let scripts = tally.scripts == 1 ? "1 script" : "\(tally.scripts) scripts"
            let queries = tally.queries == 1 ? "1 query" : "\(tally.queries) queries"
            let wrong = tally.brokenScripts == 0 ? "" : ", \(tally.brokenScripts) could not be run"
            output(
                "\(queries) in \(scripts): \(tally.queries - tally.failures) held, "
                    + "\(tally.failures) failed\(wrong)\n")
            if tally.hasUnreadable { return 2 }
            return tally.failures + tally.brokenScripts > 0 ? 1 : 0
        }
    }

    private struct Tally: Sendable {
        var scripts = 0
        var queries = 0
        var failures = 0
        var brokenScripts = 0
        var hasUnreadable = false
    }

    // MARK: One script

    private func run(_ path: String, _ configuration: EngineConfiguration, _ tally: Monitor<Tally>)
    {
        let text: String
        do {
            text = String(decoding: try files.contents(of: path), as: UTF8.self)
        } catch {
            self.error("narthex tool promqltest: \(error)\n")
            return tally.withLock { $0.hasUnreadable = true }
        }
        tally.withLock { $0.scripts += 1 }
        do throws(ScriptError) {
            let engine = Engine(configuration, registry: Registry())
            let outcomes = try ScriptRunner(engine).run(try Script.parse(text))
            for outcome in outcomes where outcome.failure != nil {
                output(Self.report(outcome, path))
            }
            tally.withLock {
                $0.queries += outcomes.count
                $0.failures += outcomes.count { $0.failure != nil }
            }
        } catch {
            output("\(path):\(error.line): \(error.message)\n\n")
            tally.withLock { $0.brokenScripts += 1 }
        }
    }

    private static func report(_ outcome: ScriptRunner.Outcome, _ path: String) -> String {
        func list(_ title: String, _ lines: some Collection<String>) -> String {
            lines.isEmpty ? "" : "  \(title):\n" + lines.map { "    \($0)\n" }.joined()
        }
        var answer = Array(outcome.answer.prefix(answerLimit))
        if outcome.answer.count > answerLimit {
            answer.append("… and \(outcome.answer.count - answerLimit) more")
        }
        return "\(path):\(outcome.line): \(outcome.source.first ?? outcome.query)\n"
            + "  \(outcome.failure ?? "")\n" + list("expected", outcome.source.dropFirst())
            + list("came", answer) + "\n"
    }

    /// As many lines of an answer are shown.
    private static let answerLimit = 50
}
