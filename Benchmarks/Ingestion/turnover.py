#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does memory level off while a tenth of the scraped series is replaced every minute, in real time?

    BENCH_DIR=… NARTHEX_BIN=… turnover.py [--series 20000] [--interval 5] [--minutes 60] [--threshold 0.3]

Prints for every minute the memory that is the process' own, and the series of the head. The series that
ended leave the head once they are `--threshold` of it (`storage.tsdb.stale_series_compaction_threshold`);
without, as in Prometheus, they stay until the head is cut. Fails where the second half of the time took
over a tenth more memory than the quarter before it. `../churn.py` sends seven hours in minutes instead.
"""
import argparse
import json
import os
import sys
import time

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import peers  # noqa: E402
from peers import B  # noqa: E402


def look(server, begun):
    """Minutes since `begun`, MiB of own memory, series of the head."""
    memory = B.mem_status(server.pid)
    status = json.loads(B.http(f"http://127.0.0.1:{server.port}/api/v1/status/tsdb")[1])
    return (time.time() - begun) / 60, memory["RssAnon"] / 2**20, status["data"]["headStats"]["numSeries"]


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", type=int, default=20_000)
    parser.add_argument("--interval", type=int, default=5)
    parser.add_argument("--minutes", type=int, default=60)
    parser.add_argument("--threshold", type=float, default=0.3)
    options = parser.parse_args()
    server = peers.servers("none")[0]
    generator = B.LoadGen(options.series // 1000, 1000, churn=0.1, churn_every=60)
    rows = []
    try:
        configuration = generator.scrape_config(f"{options.interval}s")
        configuration["storage"] = {
            "tsdb": {"stale_series_compaction_threshold": options.threshold}}
        server.start(scrape=configuration, wait=60)
        begun = time.time()
        while len(rows) < options.minutes:
            time.sleep(60)
            rows.append(look(server, begun))
            print("{:6.1f} min {:8.1f} MiB {:8d} series".format(*rows[-1]), flush=True)
    finally:
        generator.stop()
        server.destroy()
    memory = [row[1] for row in rows]
    quarter, half = len(memory) // 4, len(memory) // 2
    before, after = max(memory[quarter:half]), max(memory[half:])
    print(f"highest: {before:.1f} MiB in the second quarter, {after:.1f} MiB in the second half")
    return 0 if after <= 1.1 * before else 1


if __name__ == "__main__":
    sys.exit(main())
