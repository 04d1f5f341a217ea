#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does the cost of a scraped sample stay flat, over the number of series and over what the folder holds?

    BENCH_DIR=… NARTHEX_BIN=… PROMETHEUS_BIN=… VICTORIA_BIN=… curves.py [--series 10000,50000,200000,1000000]
        [--days 0,1,3,14] [--step 60] [--peers none] [--json FILE]

Targets of a thousand series each, 200,000 samples a second where there are enough of them, else one scrape
a second. Two curves:

  series   a new folder, more and more series
  days     20,000 series, each second, into folders that hold days of samples of the same series already

A row is the CPU of a million samples, the resident memory, of it the process' own a series, and the bytes
written to the device a sample, over a window after the warm-up. The peers' curves take `--peers` names.
"""
import argparse
import json
import os
import sys
import time
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import peers  # noqa: E402
from peers import B  # noqa: E402

SAMPLES_A_SECOND = 200_000


def scrape(server, targets, options):
    """Scrapes `targets` thousand series into the server's folder and measures a window of it."""
    generator = B.LoadGen(targets, 1000)
    interval = max(1, targets * 1000 // SAMPLES_A_SECOND)
    try:
        server.start(scrape=generator.scrape_config(f"{interval}s"), wait=300)
        time.sleep(max(options.warmup, 3 * interval))
        sampler = B.Sampler(server.pid)
        sampler.start()
        cpu, samples, written = B.cpu_seconds(server.pid), generator.stats()["samples"], B.proc_io(server.pid)
        begun = time.time()
        time.sleep(max(options.window, 3 * interval))
        count = generator.stats()["samples"] - samples
        memory = sampler.finish(since=0)
        return dict(
            rate=count / (time.time() - begun), cpu=(B.cpu_seconds(server.pid) - cpu) / count * 1e6,
            resident=memory["rss_median"] / 2**20, own=memory["anon_median"] / targets / 1000,
            written=(B.proc_io(server.pid)["write_bytes"] - written["write_bytes"]) / count)
    finally:
        generator.stop()


def over_series(options):
    for size in (int(size) for size in options.series.split(",")):
        for server in peers.servers(options.peers):
            try:
                yield size, server.name, scrape(server, max(1, size // 1000), options)
            finally:
                server.destroy()


def over_days(options):
    end = int(time.time()) // 7200 * 7200
    for days in (float(days) for days in options.days.split(",")):
        work = B.tmpdir()
        data = days and B.bulk_bodies(types.SimpleNamespace(end=end), work, 20, 1000, days * 24, options.step)
        for server in peers.servers(options.peers):
            try:
                if days:
                    B.load(server, data)
                    server.settle(options.settle)
                    server.stop()
                yield days, server.name, scrape(server, 20, options)
            finally:
                server.destroy()
        B.drop_dir(work)


def show(title, rows):
    print(f"\n| {title} | server | samples/s | CPU s/M | RSS MiB | own B/series | written B/sample |", flush=True)
    print("|---|---|---|---|---|---|---|")
    kept = []
    for size, name, row in rows:
        kept.append((size, name, row))
        print(f"| {size:g} | {name} | {row['rate']:.0f} | {row['cpu']:.3f} | {row['resident']:.0f} | "
              f"{row['own']:.0f} | {row['written']:.1f} |", flush=True)
    return kept


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", default="10000,50000,200000,1000000", help="sizes of the first curve; none without")
    parser.add_argument("--days", default="0,1,3,14", help="sizes of the second curve; none without")
    parser.add_argument("--step", type=int, default=60, help="seconds between the samples that a folder holds")
    parser.add_argument("--warmup", type=float, default=30)
    parser.add_argument("--window", type=float, default=30)
    parser.add_argument("--settle", type=float, default=600, help="how long a loaded server may compact, in seconds")
    parser.add_argument("--peers", default="none", help="names of peers, with a comma between")
    parser.add_argument("--json")
    options = parser.parse_args()
    results = {}
    if options.series:
        results["series"] = show("series", over_series(options))
    if options.days:
        results["days"] = show("days in the folder", over_days(options))
    if options.json:
        with open(options.json, "w") as file:
            json.dump(results, file)


if __name__ == "__main__":
    main()
