#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""How the cost of queries grows with series and steps, beside the peers.

    BENCH_DIR=… NARTHEX_BIN=… PROMETHEUS_BIN=… VICTORIA_BIN=… growth.py [--series 1000,10000,100000]
        [--steps 60,600,3600,11000] [--hours 2] [--rounds 5] [--json FILE]

One data set after the other is loaded into all servers by remote write, targets of a thousand series each
with a sample each 15 seconds. Two curves:

  series   an aggregation over all series at 60 steps, and an instant one
  steps    an aggregation over one target's 128 CPU counters at more and more steps of the same hours

A figure is the median of the rounds, servers in turn. Behind it stands the exponent against the row above:
1.00 is linear, below it is cheaper than that. CPU time holds on a busy machine; latency does not.
"""
import argparse
import json
import math
import os
import statistics
import sys
import time
import types

sys.path.insert(0, os.path.join(os.path.dirname(os.path.abspath(__file__)), ".."))
import peers  # noqa: E402
from peers import B  # noqa: E402


class Client:
    """One connection to a server, which counts what an answer costs."""

    def __init__(self, server):
        import http.client
        self.server = server
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=300)

    def ask(self, path, **parameters):
        """Latency and the server's CPU in milliseconds, and the answer's bytes."""
        import urllib.parse
        parameters.update(self.server.extra_query_args())
        before = B.cpu_seconds(self.server.pid)
        begun = time.perf_counter()
        self.connection.request("GET", f"/api/v1/{path}?{urllib.parse.urlencode(parameters)}", headers={"Accept-Encoding": "identity"})
        answer = self.connection.getresponse()
        body = answer.read()
        latency = time.perf_counter() - begun
        if answer.status != 200:
            raise SystemExit(f"{self.server.name}: {answer.status} {body[:300]!r}")
        time.sleep(0.05)
        return latency * 1e3, (B.cpu_seconds(self.server.pid) - before) * 1e3, body


def load(options, targets):
    """A data set of `targets` thousand series, in all servers."""
    work = B.tmpdir()
    settings = types.SimpleNamespace(end=int(time.time()) // 7200 * 7200)
    data = B.bulk_bodies(settings, work, targets, 1000, options.hours, 15)
    found = peers.servers(options.peers)
    for server in found:
        B.load(server, data)
    B.drop_dir(work)
    for server in found:
        server.settle(options.settle)
    return found, data


def measure(options, found, cases):
    """Medians by case and server: {case: {server: (latency, cpu)}}."""
    clients = [Client(server) for server in found]
    results = {case: {} for case, _, _ in cases}
    for case, path, parameters in cases:
        samples = {server.name: [] for server in found}
        for round_number in range(options.rounds + 1):
            for client in clients[round_number % len(clients):] + clients[:round_number % len(clients)]:
                latency, cpu, _ = client.ask(path, **parameters)
                if round_number:
                    samples[client.server.name].append((latency, cpu))
        for name, pairs in samples.items():
            results[case][name] = tuple(statistics.median(column) for column in zip(*pairs))
    return results


def show(title, rows, names):
    """Rows of (size, {server: (latency, cpu)}), with exponents against the row above."""
    print(f"\n| {title} | " + " | ".join(f"{name} ms | CPU ms | exponent" for name in names) + " |")
    print("|---" * (1 + 3 * len(names)) + "|")
    before = None
    for size, figures in rows:
        cells = []
        for name in names:
            latency, cpu = figures[name]
            exponent = ""
            if before and before[1][name][1] > 0 and cpu > 0:
                exponent = f"{math.log(cpu / before[1][name][1]) / math.log(size / before[0]):.2f}"
            cells.append(f"{latency:.2f} | {cpu:.2f} | {exponent}")
        print(f"| {size} | " + " | ".join(cells) + " |")
        before = (size, figures)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--series", default="1000,10000,100000")
    parser.add_argument("--steps", default="60,600,3600,11000")
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--settle", type=float, default=100, help="how long servers may compact, in seconds")
    parser.add_argument("--peers", default="", help="names of peers; all that are there by default")
    parser.add_argument("--json")
    options = parser.parse_args()
    by_series, by_steps = {}, []
    sizes = [int(size) for size in options.series.split(",")]
    for size in sizes:
        found, data = load(options, max(1, size // 1000))
        names = [server.name for server in found]
        end = data["end_ms"] // 1000 - 60
        window = int(options.hours * 3600) - 900
        cases = [
            ("sum by (instance) (last_over_time(all[5m])), 60 steps", "query_range", dict(
                query='sum by (instance) (last_over_time({job="bench"}[5m]))', start=end - window, end=end, step=window / 60)),
            ("count by (__name__) of all, instant", "query", dict(query='count by (__name__) ({job="bench"})', time=end)),
        ]
        for case, figures in measure(options, found, cases).items():
            by_series.setdefault(case, []).append((size, figures))
        if size == sizes[0]:
            steps = [(int(count), "query_range", dict(
                query="sum by (mode) (rate(node_cpu_seconds_total[5m]))", start=end - window, end=end,
                step=window / (int(count) - 1))) for count in options.steps.split(",")]
            by_steps = sorted(measure(options, found, steps).items())
        for server in found:
            server.destroy()
    for case, rows in by_series.items():
        show(f"series: `{case}`", rows, names)
    show("steps: `sum by (mode) (rate(cpu[5m]))`, 128 series", by_steps, names)
    if options.json:
        with open(options.json, "w") as file:
            json.dump(dict(series=by_series, steps=by_steps), file)


if __name__ == "__main__":
    main()
