// SPDX-License-Identifier: Apache-2.0

import Simulation
import Testing

@Suite struct SimulationTests {
    @Test("Random histories of the storage agree with a simple model", arguments: [1, 9])
    func histories(first: UInt64) {
        var tally = Tally()
        for seed in first..<(first + 4) {
            if let failure = Failure(seed: seed, tally: &tally) {
                Issue.record("\(failure)")
            }
        }
        #expect(tally.histories == 4)
    }
}
