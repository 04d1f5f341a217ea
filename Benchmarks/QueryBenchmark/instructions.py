#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Counts the instructions of each query of QueryBenchmark and compares them with the recorded ones.

    instructions.py PROGRAM [--record] [--tolerance 3]

Counts are the same on a busy machine, so that a regression shows where times would not. PROGRAM is the release
build of QueryBenchmark; valgrind must be installed. Exits with 1 where a query takes more than the tolerance (in
percent) above what instructions.tsv says. --record writes that file anew: with a change that is meant.
"""
import argparse
import os
import subprocess
import sys
import tempfile

# `runCounted` as Swift's symbols have it.
COUNTED = "$s14QueryBenchmark10runCountedyyF"
TABLE = os.path.join(os.path.dirname(os.path.abspath(__file__)), "instructions.tsv")


def count(program):
    """Instructions by query, in the program's order."""
    with tempfile.TemporaryDirectory() as folder:
        # Valgrind gives up on debug information that is newer than it.
        bare = f"{folder}/program"
        subprocess.run(["strip", "--strip-debug", "-o", bare, program], check=True)
        run = subprocess.run(
            ["valgrind", "--tool=callgrind", "--collect-atstart=no", f"--toggle-collect={COUNTED}",
             f"--dump-after={COUNTED}", f"--callgrind-out-file={folder}/out", bare, "--count"],
            stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        if run.returncode:
            sys.exit(f"{program} failed: {run.stderr[-2000:]}")
        counts = {}
        for number, query in enumerate(run.stdout.splitlines(), 1):
            with open(f"{folder}/out.{number}") as dump:
                totals = [line.split()[1] for line in dump if line.startswith(("summary:", "totals:"))]
            counts[query] = int(totals[-1])
        return counts


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("program")
    parser.add_argument("--record", action="store_true")
    parser.add_argument("--tolerance", type=float, default=3)
    options = parser.parse_args()
    counts = count(options.program)
    if options.record:
        with open(TABLE, "w") as table:
            for query, instructions in counts.items():
                table.write(f"{instructions}\t{query}\n")
    if not os.path.exists(TABLE):
        sys.exit("nothing is recorded to compare with: --record does that")
    with open(TABLE) as table:
        recorded = {query: int(number) for number, query in (line.rstrip("\n").split("\t", 1) for line in table)}
    worse = 0
    for query, instructions in counts.items():
        known = recorded.get(query)
        change = (instructions / known - 1) * 100 if known else float("nan")
        is_worse = known is None or change > options.tolerance
        worse += is_worse
        print(f"{instructions / 1e6:10.2f} M {change:+6.1f} % {'WORSE ' if is_worse else '      '}{query}")
    for query in recorded.keys() - counts.keys():
        worse += 1
        print(f"    no more: {query}")
    sys.exit(1 if worse else 0)


if __name__ == "__main__":
    main()
