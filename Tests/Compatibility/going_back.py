#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A folder with XOR2 chunks and start timestamps goes back to a Prometheus from before both.

    going_back.py [--hours 6] [--series 20] [--seed N]

Narthex is loaded with floats and native histograms, late samples among them, so that its folder holds
blocks, head chunks, a log and a log of late samples; once with `chunk_encoding.floats: xor2` alone, once
with start timestamps in log and chunks, and once turned back to `xor` before the end, so that chunks of
both encodings stand in the head. It is ended, `narthex tool tsdb convert --to xor` turns the folder, and
the real Prometheus (3.5, which knows none of it) must answer as Narthex did, as must Narthex itself.
That Prometheus needs the conversion is shown first: on the folder as it was, it fails or answers otherwise.
"""
import argparse
import json
import os
import random
import shutil
import subprocess
import sys
import time

import histograms as H
import servers as S

XOR2 = "storage: {tsdb: {chunk_encoding: {floats: xor2}, out_of_order_time_window: 6h}}\n"
XOR = "storage: {tsdb: {chunk_encoding: {floats: xor}, out_of_order_time_window: 6h}}\n"
PLAIN = "storage: {tsdb: {out_of_order_time_window: 6h}}\n"
NATIVE = "--enable-feature=native-histograms"
STARTS = "--enable-feature=native-histograms,st-storage,histograms-st-encoding"


def load(server, start, end, count, rng, sources):
    """Samples of floats each 15 s, some of them late, and of histograms."""
    for chunk in range(start, end, 600):
        S.push(server, [
            ({"__name__": "back", "i": str(i)},
             [(t * 1000 + i, rng.choice([float(t % 977 * i), float("nan"), round(rng.gauss(5, 1), 2)]))
              for t in range(chunk, chunk + 600, 15)])
            for i in range(count)])
        times = [rng.randrange(max(start, chunk - 4 * 3600), chunk + 1) // 15 * 15000 for _ in range(count // 3)]
        S.push(server, [({"__name__": "back", "i": str(i * 3)}, [(t + 7001, float(t // 15000 % 991))])
                        for i, t in enumerate(times)])
        H.push(server, sources, range(chunk * 1000 + 11, (chunk + 600) * 1000, 15000))


def contents(server, start, end):
    """Every sample, piece by piece, or the error that asking ends in."""
    rows = []
    for at in range(start, end + 3600, 1800):
        try:
            rows.append(sorted(
                json.dumps([r["metric"], r.get("values"), r.get("histograms")], sort_keys=True)
                for r in server.query("{__name__=~'.+'}[1800s]", at + 1800)))
        except RuntimeError as error:
            rows.append(str(error)[-120:])
    return rows


def answers(binary, data, config, start, end):
    server = S.Server(binary, data, config, flags=[NATIVE]).start()
    rows = contents(server, start, end)
    server.stop()
    return rows


def round_trip(name, flags, is_turned_back, options):
    end = S.half_past()
    start = end - options.hours * 3600
    middle = end - 2 * 3600
    rng = random.Random(options.seed)
    sources = [H.Source(i, rng) for i in range(len(H.KINDS))]
    with S.Folder() as folder:
        config, plain = f"{folder}/narthex.yml", f"{folder}/prometheus.yml"
        open(config, "w").write(XOR2)
        open(plain, "w").write(PLAIN)
        server = S.Server(S.NARTHEX, f"{folder}/data", config, flags=[flags]).start()
        load(server, start, middle, options.series, rng, sources)
        if is_turned_back:
            open(config, "w").write(XOR)
            assert server.request("POST", "/-/reload")[0] == 200
        time.sleep(75)  # a round of maintenance: blocks are cut each minute
        load(server, middle, end, options.series, rng, sources)
        expected = contents(server, start, end)
        server.stop()
        parts = os.listdir(f"{folder}/data")
        print(f"{name}: {sum(len(p) == 26 for p in parts)} blocks, {len(os.listdir(f'{folder}/data/chunks_head'))} "
              f"head chunk files, {sum(map(len, expected))} rows", flush=True)
        shutil.copytree(f"{folder}/data", f"{folder}/unchanged")
        before = answers(S.peer("prometheus"), f"{folder}/unchanged", plain, start, end)
        run = subprocess.run([S.NARTHEX, "tool", "tsdb", "convert", f"{folder}/data", "--to", "xor"],
                             capture_output=True, text=True)
        print("  " + (run.stdout + run.stderr).replace(folder, "").strip().replace("\n", "\n  "))
        shutil.copytree(f"{folder}/data", f"{folder}/again")
        found = answers(S.peer("prometheus"), f"{folder}/data", plain, start, end)
        ours = answers(S.NARTHEX, f"{folder}/again", plain, start, end)
        checks = {"the conversion ends well": run.returncode == 0,
                  "Prometheus needs it": before != expected,
                  "Prometheus answers the same after it": found == expected,
                  "Narthex answers the same after it": ours == expected}
        for text, good in checks.items():
            print(f"  {'ok' if good else 'FAILED'}: {text}")
        if found != expected:
            for at, (left, right) in enumerate(zip(expected, found)):
                if left != right:
                    print(f"  {at}: expected {str(left)[:300]}\n     found {str(right)[:300]}")
                    break
        return sum(not good for good in checks.values())


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=6)
    parser.add_argument("--series", type=int, default=20)
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    failed = round_trip("XOR2", NATIVE, False, options)
    failed += round_trip("XOR2, then XOR", NATIVE, True, options)
    failed += round_trip("start timestamps", STARTS, False, options)
    sys.exit(1 if failed else 0)


main()
