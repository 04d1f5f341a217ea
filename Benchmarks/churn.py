#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does memory level off while series come and go?

Pushes hours of samples, 15 s apart, in minutes: `--series` at a time, of which `--churn` are replaced
every minute. Shows the series of the head and the memory that is the process' own (pages of files
aside), and fails where memory still grows: the head is cut every two hours, and the highest figure of
the last two hours may be a tenth above that of the two before. Refs of series that were written are
remembered for ten to twenty minutes of real time, in which hours pass here: they may add 72 bytes a
series.

    Benchmarks/churn.py                            ours, seven hours in two or three minutes
    Benchmarks/churn.py --markers --threshold 0.3  with staleness markers, and what ended leaves early
    Benchmarks/churn.py --peer prometheus          the real one
    Benchmarks/churn.py --budget 90MiB --series 100000   no more than this, and known series go on
"""
import argparse
import http.client
import os
import struct
import sys
import time

sys.path.insert(0, os.path.join(
    os.path.dirname(os.path.abspath(__file__)), "..", "Tests", "Compatibility"))
import servers as S  # noqa: E402

STEP = 15_000
PER_REQUEST = 5000
STALE = struct.pack("<Q", 0x7FF0000000000002)


def series(number):
    """A series up to its sample, which is of a fixed length."""
    labels = {
        "__name__": f"churn_metric_{number % 50}", "job": "churn",
        "instance": f"10.0.{number % 40}.7:9100", "pod": f"worker-{number:08x}"}
    body = b"".join(
        S._field(1, S._field(1, k.encode()) + S._field(2, v.encode()))
        for k, v in sorted(labels.items()))
    length = len(body) + 18
    return b"\x0a" + S._varint(length) + body + b"\x12\x10"


def sample(value, timestamp):
    message = b"\x09" + value + b"\x10" + S._varint(timestamp)
    assert len(message) == 16
    return message


class Load:
    def __init__(self, server):
        self.connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=60)
        self.statuses = {}

    def push(self, members, value, timestamp):
        tail = sample(value, timestamp)
        for at in range(0, len(members), PER_REQUEST):
            body = tail.join(members[at:at + PER_REQUEST]) + tail
            self.connection.request("POST", "/api/v1/write", S.snappy(body), S.WRITE_HEADERS)
            response = self.connection.getresponse()
            response.read()
            self.statuses[response.status] = self.statuses.get(response.status, 0) + 1


def own_memory(process):
    for line in open(f"/proc/{process.pid}/status"):
        if line.startswith("RssAnon:"):
            return int(line.split()[1]) / 1024
    return 0.0


def metric(server, name):
    for line in server.request("GET", "/metrics")[1].decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    return 0.0


def run(options, folder):
    binary = S.peer(options.peer) if options.peer else S.NARTHEX
    config = os.path.join(folder, "config.yml")
    with open(config, "w") as file:
        file.write("storage:\n  tsdb:\n")
        file.write(f"    stale_series_compaction_threshold: {options.threshold}\n"
                   if options.threshold else "    out_of_order_time_window: 0s\n")
    flags = [f"--storage.memory-budget={options.budget}"] if options.budget else []
    server = S.Server(binary, os.path.join(folder, "data"), config, flags=flags)
    server.start()
    load = Load(server)
    began = time.time()
    minutes = int(options.hours * 60)
    start = int(began * 1000) // 60_000 * 60_000 - minutes * 60_000
    members = [series(n) for n in range(options.series)]
    made = options.series
    share = max(1, int(options.series * options.churn))
    memory = []
    print("minute  head series  own memory MiB")
    try:
        for minute in range(minutes):
            if minute > 0:
                at = (minute - 1) * share % options.series
                gone = members[at:at + share]
                if options.markers:
                    load.push(gone, STALE, start + minute * 60_000)
                members[at:at + share] = [series(made + n) for n in range(len(gone))]
                made += len(gone)
            for step in range(60_000 // STEP):
                time_ms = start + minute * 60_000 + step * STEP + 1
                load.push(members, struct.pack("<d", float(minute * 4 + step)), time_ms)
            memory.append(own_memory(server.process))
            if minute % 10 == 9:
                count = metric(server, "prometheus_tsdb_head_series")
                print(f"{minute + 1:6}  {count:11.0f}  {memory[-1]:14.1f}", flush=True)
            if time.time() - began > options.limit:
                sys.exit(f"the time of {options.limit} s is over after {minute + 1} minutes")
        report(options, server, load, memory, made, began)
    finally:
        load.connection.close()
        server.stop()


def report(options, server, load, memory, made, began):
    cycle = min(120, len(memory) // 2)
    before, last = max(memory[-2 * cycle:-cycle]), max(memory[-cycle:])
    print(f"{made} series, {int(options.hours * 240) * options.series} samples, "
          f"{time.time() - began:.0f} s; answers {load.statuses}")
    print(f"own memory: highest {max(memory):.1f} MiB, in the last two hours {last:.1f}, in the two "
          f"before {before:.1f}")
    for name in ("narthex_head_series_refused_total", "narthex_memory_budget_reliefs_total",
                 "narthex_memory_budget_used_bytes",
                 "prometheus_tsdb_stale_series_compactions_triggered_total"):
        print(f"{name} {metric(server, name):.0f}")
    remembered = made / len(memory) * cycle * 72 / 2**20
    if last > before * 1.1 + remembered:
        sys.exit("memory still grows")


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--series", type=int, default=10_000)
    parser.add_argument("--churn", type=float, default=0.1, help="share replaced each minute")
    parser.add_argument("--hours", type=float, default=7)
    parser.add_argument("--limit", type=float, default=300, help="seconds until it gives up")
    parser.add_argument("--markers", action="store_true", help="series end with a marker")
    parser.add_argument("--threshold", type=float, default=0)
    parser.add_argument("--budget", help="of memory, as the flag takes it")
    parser.add_argument("--peer", help="prometheus, to run that")
    with S.Folder() as folder:
        run(parser.parse_args(), folder)


if __name__ == "__main__":
    main()
