// SPDX-License-Identifier: Apache-2.0
//
// Simulate --seeds A..B [--seconds N] [--whole] [--verbose]
//
// Lives the histories of a range of seeds and prints those that go wrong, cut down to the steps
// that it takes. Ends with 1 where there is one.

import Foundation
import Simulation

var range: ClosedRange<UInt64> = 1...1000
var seconds = Double.infinity
var isShortened = true
var isVerbose = false
var arguments = CommandLine.arguments.dropFirst()
while let argument = arguments.popFirst() {
    switch argument {
    case "--seeds":
        let ends = (arguments.popFirst() ?? "").components(separatedBy: "..").compactMap {
            UInt64($0)
        }
        guard let first = ends.first, let last = ends.last, first <= last else {
            print("--seeds takes a range: 1..1000")
            exit(2)
        }
        range = first...last
    case "--seconds": seconds = arguments.popFirst().flatMap { Double($0) } ?? seconds
    case "--whole": isShortened = false
    case "--verbose": isVerbose = true
    default:
        print("usage: Simulate [--seeds A..B] [--seconds N] [--whole] [--verbose]")
        exit(2)
    }
}

/// Prints at once, also into a file.
func say(_ text: String) {
    print(text)
    fflush(nil)
}

let clock = ContinuousClock()
let deadline = seconds.isFinite ? clock.now.advanced(by: .seconds(seconds)) : nil
var tally = Tally()
var failures: [UInt64] = []
var last = range.lowerBound
for seed in range {
    if let deadline, clock.now > deadline { break }
    if isVerbose { say("seed \(seed)") }
    last = seed
    if let failure = Failure(seed: seed, tally: &tally, isShortened: isShortened) {
        failures.append(seed)
        say("\(failure)")
        if failures.count >= 40 { break }
    }
}
print("seeds \(range.lowerBound)..\(last): \(tally)")
print("\(failures.count) failed\(failures.isEmpty ? "" : ": \(failures)")")
exit(failures.isEmpty ? 0 : 1)
