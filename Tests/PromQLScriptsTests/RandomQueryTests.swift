// SPDX-License-Identifier: Apache-2.0

import EngineFuzzing
import Platform
import RandomQueries
import Testing

/// A short run of what `Fuzz/run evaluation` does for long.
@Suite struct RandomQueryTests {
    /// Runs on a thread with a deep stack, as queries do.
    private func run(_ body: @escaping @Sendable () throws -> [String]) throws -> [String] {
        let found = Monitor<[String]>([])
        let pool = try BoundedPool("query", threads: 1, queueLimit: 1)
        _ = pool.submit {
            do {
                let texts = try body()
                found.withLock { $0 += texts }
            } catch {
                found.withLock { $0.append("\(error)") }
            }
        }
        pool.close()
        return found.withLock { $0 }
    }

    @Test("Random queries answer alike at one time and as a step among others")
    func steps() throws {
        let differences = try run {
            let evaluation = try RandomEvaluation()
            var found: [String] = []
            for seed in UInt64(0)..<400 {
                var generator = QueryGenerator(
                    seed: seed, series: evaluation.series, times: 0...1800, language: .newest)
                let query = generator.query(depth: 3)
                if let difference = evaluation.difference(query, at: 900_000) {
                    found.append("seed \(seed): \(query): \(difference)")
                }
            }
            return found
        }
        #expect(differences == [])
    }

    @Test("Queries with random bytes in them, repeated or cut, are answered or refused")
    func mutilated() throws {
        let count = try run {
            let evaluation = try RandomEvaluation()
            var random = Randomness(seed: 1)
            for seed in UInt64(0)..<400 {
                var generator = QueryGenerator(
                    seed: seed, series: evaluation.series, times: 0...1800, language: .newest)
                var bytes = Array(generator.query(depth: 3).utf8)
                for _ in 0...random.number(0...3) where !bytes.isEmpty {
                    let at = random.number(0...bytes.count - 1)
                    switch random.number(0...3) {
                    case 0: bytes[at] = UInt8(random.number(0...255))
                    case 1: bytes.insert(contentsOf: bytes[at...].prefix(9), at: at)
                    case 2: bytes.removeSubrange(at...)
                    default: bytes.remove(at: at)
                    }
                }
                _ = evaluation.difference(String(decoding: bytes, as: UTF8.self), at: 900_000)
            }
            return ["done"]
        }
        #expect(count == ["done"])
    }
}
