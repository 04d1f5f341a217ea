// SPDX-License-Identifier: Apache-2.0

import EngineFuzzing
import RandomQueries

private let evaluation: RandomEvaluation = {
    do { return try RandomEvaluation() } catch { preconditionFailure("\(error)") }
}()

/// Any text is answered or refused, and answered alike at one time and as a step among others.
func fuzzEvaluation(_ bytes: [UInt8]) {
    check(String(decoding: bytes, as: UTF8.self))
}

/// The bytes are the seed of a query that is one.
func fuzzQueries(_ bytes: [UInt8]) {
    let seed = bytes.prefix(8).reduce(UInt64(bytes.count)) { $0 << 8 | UInt64($1) }
    var generator = QueryGenerator(
        seed: seed, series: evaluation.series, times: 0...1800, language: .newest)
    check(generator.query(depth: 4))
}

private func check(_ query: String) {
    if let difference = evaluation.difference(query, at: 900_000) {
        preconditionFailure("\(query): \(difference)")
    }
}
