// SPDX-License-Identifier: Apache-2.0

import Foundation

/// How often a test tries at random: `full` times where the environment has NARTHEX_LONG, else
/// `usual` times, which find what is plainly broken within a second or so.
func rounds(_ full: Int, usual: Int) -> Int {
    ProcessInfo.processInfo.environment["NARTHEX_LONG"] == nil ? usual : full
}
