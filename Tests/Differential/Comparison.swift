// SPDX-License-Identifier: Apache-2.0

import Foundation
import RandomQueries

/// Runs the queries and counts agreements.
struct Comparison {
    private let settings: Settings
    private let left: Server
    private let right: Server
    private let series: [[String: String]]
    private let preferred: [[String: String]]

    init(_ settings: Settings) throws {
        self.settings = settings
        left = Server(base: settings.left)
        right = Server(base: settings.right)
        series = try left.series(settings.metrics, settings.start, settings.end)
        if let metrics = settings.preferred {
            preferred = try left.series(metrics, settings.start, settings.end)
        } else {
            preferred = []
        }
        if series.isEmpty {
            throw ServerFailure(description: "\(left.base) has no series in the time range")
        }
    }

    /// True where the servers agreed on every query.
    func run() throws -> Bool {
        var exact = 0
        var near = 0
        var different = 0
        var filled = 0
        var chance = 0
        var known = 0
        let seeds =
            settings.only.map { [$0] }
            ?? (0..<settings.count).map { settings.seed &* 1_000_000 &+ UInt64($0) }
        for seed in seeds {
            var generator = QueryGenerator(
                seed: seed, series: series, preferred: preferred,
                times: settings.start...max(settings.start, settings.end),
                language: settings.experimental ? .experimental : .stable)
            let query = generator.query(depth: settings.depth)
            guard settings.part.isEmpty || query.contains(settings.part) else { continue }
            let times = generator.range()
            let parameters = generator.parameters()
            for isRange in [false, true] {
                var (path, form) = Self.request(query, times, isRange: isRange)
                form += parameters
                let answers = try [left, right].map { try answer(of: $0, path, form) }
                if !answers[0].points.isEmpty { filled += 1 }
                let line = "seed \(seed) \(path) \(form.map { "\($0.0)=\($0.1)" })"
                switch answers[0].compare(answers[1]) {
                case .exact:
                    exact += 1
                    if settings.verbose { print("same \(line)") }
                case .near where try isLeftToChance(answers, path, form):
                    chance += 1
                case .near where KnownDifferences.mayDifferInDigits(query): known += 1
                case .near(let difference):
                    near += 1
                    print("NEAR \(line)\n    \(difference)")
                case .different where try isLeftToChance(answers, path, form):
                    chance += 1
                case .different
                where try KnownDifferences(left: left, right: right).reason(
                    query, times, isRange: isRange, parameters, (answers[0], answers[1])) != nil:
                    known += 1
                case .different(let difference):
                    different += 1
                    print("DIFFERENT \(line)\n    \(difference)")
                }
            }
        }
        print(
            "\(exact) the same (\(filled) of all answers with data), \(near) in all but the last "
                + "digits, \(chance) left to chance, \(known) changed on purpose, "
                + "\(different) different")
        return near + different == 0
    }

    private func answer(
        of server: Server, _ path: String, _ form: [(String, String)]
    ) throws -> Answer {
        Answer(
            try server.ask(path, form), of: form.first?.1 ?? "", valuesOnly: settings.valuesOnly)
    }

    /// Whether the left server disagrees with itself: it adds up, and chooses among equal values,
    /// in the order of a hash map.
    private func isLeftToChance(
        _ answers: [Answer], _ path: String, _ form: [(String, String)]
    ) throws -> Bool {
        for _ in 0..<12 {
            if case .exact = answers[0].compare(try answer(of: left, path, form)) { continue }
            return true
        }
        return false
    }

    static func request(
        _ query: String, _ times: (start: Double, end: Double, step: Double), isRange: Bool
    ) -> (String, [(String, String)]) {
        if !isRange { return ("/api/v1/query", [("query", query), ("time", "\(times.start)")]) }
        return (
            "/api/v1/query_range",
            [
                ("query", query), ("start", "\(times.start)"), ("end", "\(times.end)"),
                ("step", "\(times.step)"),
            ]
        )
    }
}
