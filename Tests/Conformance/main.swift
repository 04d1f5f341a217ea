// SPDX-License-Identifier: Apache-2.0
//
// Runs the conformance corpus in the folder CONFORMANCE_DIR and prints a line
// `area/file passed/total` for every file it covers. With `--failures` each failing case follows
// with its reason; `--only AREA` runs one area; `--ratchet FILE` fails where a file passes less
// than FILE says, and `--write-ratchet FILE` raises it.

import Foundation

let areas: [any Area] = allAreas()
exit(run(areas, CommandLine.arguments))
