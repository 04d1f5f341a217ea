#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Gives the same samples to the real Prometheus and to Narthex and asks both the same things.

    differential.py serve            start both, print their addresses and wait
    differential.py http             compare the HTTP API: odd parameters, methods, encodings
    differential.py queries [ARGS]   run Tests/Differential against both (ARGS go to it)

DIFFERENTIAL_BIN names the program of Tests/Differential (.build/debug/Differential).
"""
import json
import math
import os
import random
import shutil
import signal
import struct
import subprocess
import sys
import time

import differential_http
import native_histograms
from servers import NARTHEX, ROOT, Folder, Server, peer, push

START = 1_700_000_000
# Less than the hour for which a head takes old samples.
MINUTES = 58
STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
NAN = struct.unpack("<d", struct.pack("<Q", 0x7FF8000000000001))[0]
FLAGS = ["--enable-feature=promql-experimental-functions,native-histograms"]


def counters(dice):
    """Counters with resets, gaps and different beginnings and ends."""
    for job, instance, code in [(j, i, c) for j in ("api", "web") for i in "ab"
                                for c in ("200", "404", "500")]:
        value, samples = dice.choice([0.0, 5.0, 1e6]), []
        first = dice.choice([0, 0, 0, 1200]) * 1000
        last = dice.choice([MINUTES * 60, MINUTES * 60, 2400]) * 1000
        for at in range(first, last, 15000):
            value += dice.choice([0, 1, 1, 2.5, 7, 130])
            if dice.random() < 0.02:
                value = dice.choice([0, 3.0])
            if dice.random() > 0.05 and not 1800000 < at < 1800000 + 60000 * int(code) // 50:
                samples.append((at + dice.randrange(-40, 40), value))
        if last < MINUTES * 60000:
            samples.append((last, STALE))
        labels = {"__name__": "requests_total", "job": job, "instance": instance, "code": code}
        yield labels, samples
    yield ({"__name__": "lone_total", "job": "api"},
           [(at, float(at // 1000)) for at in range(600000, 1200000, 60000)])


def gauges(dice):
    """Gauges with all sorts of numbers, markers and labels."""
    odd = [NAN, math.inf, -math.inf, -0.0, 0.0, 5e-324, 1.7976931348623157e308, 1e-7, 1e21, 1e20,
           -3.25, 0.1, 123456789.123, 2.0**53 + 1]
    names = [("odd_values", odd), ("temperature", None), ("same_value", [42.0]),
             ("large", [1e16, 1e16 + 2, 1.0, -1e16])]
    for name, values in names:
        for zone in ("north", "south", "", "z\u00fcrich"):
            samples = []
            for at in range(dice.choice([0, 0, 900000]), MINUTES * 60000, 30000):
                value = dice.choice(values) if values else round(20 + dice.gauss(0, 8), 2)
                if dice.random() < 0.03:
                    value = STALE
                if dice.random() > 0.08:
                    samples.append((at, value))
            labels = {"__name__": name, "job": dice.choice(["api", "web"])}
            if zone:
                labels["zone"] = zone
            yield labels, samples
    for name in ("up", "m\u00e9trique.points"):
        for instance in "abc":
            labels = {"__name__": name, "job": "api", "instance": instance}
            if name != "up":
                labels["\u00e9tat.label"] = instance + "\"\\"
            yield labels, [(at, float(dice.random() > 0.2))
                           for at in range(0, MINUTES * 60000, 15000)]
    for build, version in enumerate(["1.0", "1.1", "2.0"]):
        labels = {"__name__": "build_info", "job": "api", "instance": "abc"[build],
                  "version": version}
        yield labels, [(at, 1.0) for at in range(0, MINUTES * 60000, 60000)]


def histograms(dice):
    """Classic histograms: complete, without +Inf, not monotonic, and of odd borders."""
    kinds = {"plain": ["0.1", "0.5", "1", "5", "+Inf"], "open": ["0.1", "1"],
             "odd": ["-1", "0", "1e-05", "2", "x", "+Inf"], "single": ["+Inf"]}
    for kind, borders in kinds.items():
        for instance in "ab":
            totals = [0.0] * len(borders)
            series = [[] for _ in borders]
            for at in range(0, MINUTES * 60000, 15000):
                for index in range(len(borders)):
                    totals[index] += dice.randrange(0, 4) + (totals[index - 1] - totals[index]
                                                             if index and dice.random() > 0.1
                                                             else 0)
                    series[index].append((at, totals[index]))
            for border, samples in zip(borders, series):
                yield ({"__name__": f"{kind}_seconds_bucket", "job": "api", "instance": instance,
                        "le": border}, samples)
            yield ({"__name__": f"{kind}_seconds_count", "job": "api", "instance": instance},
                   series[-1])
            yield ({"__name__": f"{kind}_seconds_sum", "job": "api", "instance": instance},
                   [(at, value * 0.37) for at, value in series[-1]])


def load(server):
    """Writes series by series in the order of their labels, which decides between equal values in
    topk and the like."""
    dice = random.Random(7)
    series = sorted([*counters(dice), *gauges(dice), *histograms(dice),
                     *native_histograms.all_series(dice, MINUTES * 60000)],
                    key=lambda one: sorted((k.encode(), v.encode()) for k, v in one[0].items()))
    for first in range(0, len(series), 20):
        push(server, [(labels, [(START * 1000 + at, value) for at, value in samples])
                      for labels, samples in series[first:first + 20]])


def serve(folder):
    """Starts both on copies of one block that the real Prometheus wrote."""
    config = os.path.join(folder, "empty.yml")
    with open(config, "w") as file:
        file.write("global: {}\n")

    def server(name, binary, data):
        return Server(binary, os.path.join(folder, data), config, flags=FLAGS,
                      log=os.path.join(folder, name + ".log"))

    writer = server("writer", peer("prometheus"), "written").start()
    load(writer)
    status, body = writer.request("POST", "/api/v1/admin/tsdb/snapshot")
    if status != 200:
        sys.exit(f"snapshot: {status} {body[:300]!r}")
    snapshot = os.path.join(folder, "written", "snapshots", json.loads(body)["data"]["name"])
    writer.stop()
    servers = []
    for name, binary in (("prometheus", peer("prometheus")), ("narthex", NARTHEX)):
        shutil.copytree(snapshot, os.path.join(folder, name))
        servers.append(server(name, binary, name).start())
    return servers


def main():
    command = sys.argv[1] if len(sys.argv) > 1 else "queries"
    with Folder() as folder:
        servers = serve(folder)
        addresses = [f"http://127.0.0.1:{server.port}" for server in servers]
        try:
            if command == "serve":
                # So that both servers end with this script.
                signal.signal(signal.SIGTERM, lambda *_: sys.exit())
                print(*addresses, START, START + MINUTES * 60, flush=True)
                while True:
                    time.sleep(60)
            if command == "http":
                return differential_http.run(*servers, START)
            tool = os.environ.get("DIFFERENTIAL_BIN",
                                  os.path.join(ROOT, ".build/debug/Differential"))
            return subprocess.call([tool, "--left", addresses[0], "--right", addresses[1],
                                    "--start", str(START), "--end", str(START + MINUTES * 60),
                                    *sys.argv[2:]])
        finally:
            for server in servers:
                server.stop()


if __name__ == "__main__":
    sys.exit(main())
