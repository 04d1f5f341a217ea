// SPDX-License-Identifier: Apache-2.0
//
// Asks two servers that hold the same data the same random queries and compares the answers:
// series, values as text, warnings and infos, errors. Every query has a seed of its own, which is
// printed with a disagreement and repeats it.
//
//     Differential --left http://127.0.0.1:9090 --right http://127.0.0.1:9091 \
//         --start 1700000000 --end 1700003600 --count 1000 --seed 1
//
// `--only SEED` repeats one query, `--depth N` bounds the nesting (3), `--values-only` ignores
// warnings, infos and the texts of errors, `--metrics REGEX` restricts the metrics, `--verbose`
// shows every query, `--prefer REGEX` takes every second selector's metric from among these,
// `--experimental` uses functions behind the flag promql-experimental-functions,
// which both servers must have then, `--containing TEXT` asks only the queries with this text. Exit
// status 1 if the servers disagreed anywhere.

import Foundation

/// The arguments of the program.
struct Settings {
    var left = ""
    var right = ""
    var start = 0.0
    var end = 0.0
    var seed: UInt64 = 1
    var count = 500
    var depth = 3
    var only: UInt64?
    var metrics = ".+"
    var preferred: String?
    /// What a query must have in it to be asked.
    var part = ""
    var valuesOnly = false
    var verbose = false
    var experimental = false

    init(_ arguments: [String]) {
        func value(_ name: String) -> String? {
            arguments.firstIndex(of: name).flatMap {
                $0 + 1 < arguments.count ? arguments[$0 + 1] : nil
            }
        }
        left = value("--left") ?? ""
        right = value("--right") ?? ""
        start = value("--start").flatMap(Double.init) ?? 0
        end = value("--end").flatMap(Double.init) ?? start
        seed = value("--seed").flatMap(UInt64.init) ?? seed
        count = value("--count").flatMap(Int.init) ?? count
        depth = value("--depth").flatMap(Int.init) ?? depth
        only = value("--only").flatMap(UInt64.init)
        metrics = value("--metrics") ?? metrics
        preferred = value("--prefer")
        part = value("--containing") ?? ""
        valuesOnly = arguments.contains("--values-only")
        experimental = arguments.contains("--experimental")
        verbose = arguments.contains("--verbose")
    }
}

let settings = Settings(CommandLine.arguments)
guard !settings.left.isEmpty, !settings.right.isEmpty else {
    print("--left and --right must name the servers, --start and --end the time range in seconds")
    exit(2)
}
do {
    exit(try Comparison(settings).run() ? 0 : 1)
} catch {
    print("\(error)")
    exit(2)
}
