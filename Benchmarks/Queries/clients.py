#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Many clients at once: throughput and the slowest answers, beside the peers.

    BENCH_DIR=… NARTHEX_BIN=… PROMETHEUS_BIN=… VICTORIA_BIN=… clients.py [--clients 16] [--seconds 20]
        [--targets 20] [--hours 2] [--peers prometheus,victoria-metrics]

The same data is loaded into each server. Then, one server after the other and in turn, each client asks the
queries of a dashboard over one connection, each time the next one, as fast as it gets answers. Clients are
processes of their own. Shown: answers a second, the median, the 99th percentile and the slowest, the server's
CPU for an answer, and its largest resident memory meanwhile.
"""
import argparse
import http.client
import multiprocessing
import statistics
import time
import urllib.parse

import growth as G

QUERIES = [
    'sum by (mode) (rate(node_cpu_seconds_total{instance="host-000003:9100"}[5m]))',
    'node_load1',
    'rate(node_network_receive_bytes_total{instance=~"host-00000[0-4].*"}[5m])',
    '1 - node_filesystem_avail_bytes{fstype!="tmpfs"} / node_filesystem_size_bytes',
    'histogram_quantile(0.9, sum by (le) (rate(http_request_duration_seconds_bucket[5m])))',
    'topk(5, sum by (instance) (rate(node_network_receive_bytes_total[5m])))',
    'max by (instance) (node_memory_MemAvailable_bytes)',
]


def paths(server, end):
    for query in QUERIES:
        parameters = dict(query=query, start=end - 3600, end=end, step=60, **server.extra_query_args())
        yield "/api/v1/query_range?" + urllib.parse.urlencode(parameters)


def client(port, requests, first, gate, seconds, results):
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
    connection.connect()
    gate.wait()
    latencies, failures, number = [], 0, first
    end = time.perf_counter() + seconds
    while (begun := time.perf_counter()) < end:
        connection.request("GET", requests[number % len(requests)], headers={"Accept-Encoding": "identity"})
        answer = connection.getresponse()
        answer.read()
        latencies.append(time.perf_counter() - begun)
        failures += answer.status != 200
        number += 1
    results.put((latencies, failures))


def run(server, end, options):
    requests = list(paths(server, end))
    gate = multiprocessing.Barrier(options.clients + 1)
    results = multiprocessing.Queue()
    processes = [multiprocessing.Process(
        target=client, args=(server.port, requests, number, gate, options.seconds, results)) for number in range(options.clients)]
    for process in processes:
        process.start()
    with open(f"/proc/{server.pid}/clear_refs", "w") as file:
        file.write("5")  # The largest resident memory is counted anew.
    gate.wait()
    before, begun = G.B.cpu_seconds(server.pid), time.perf_counter()
    found = [results.get() for _ in processes]
    seconds, cpu = time.perf_counter() - begun, G.B.cpu_seconds(server.pid) - before
    for process in processes:
        process.join()
    latencies = sorted(latency for one, _ in found for latency in one)
    return dict(
        rate=len(latencies) / seconds, median=statistics.median(latencies) * 1e3, p99=latencies[int(len(latencies) * 0.99)] * 1e3,
        slowest=latencies[-1] * 1e3, cpu=cpu * 1e3 / len(latencies), failures=sum(failures for _, failures in found),
        memory=G.B.mem_status(server.pid).get("VmHWM", 0) / (1 << 20))


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--clients", type=int, default=16)
    parser.add_argument("--seconds", type=float, default=20)
    parser.add_argument("--rounds", type=int, default=2)
    parser.add_argument("--targets", type=int, default=20)
    parser.add_argument("--hours", type=float, default=2)
    parser.add_argument("--settle", type=float, default=100, help="how long servers may compact, in seconds")
    parser.add_argument("--peers", default="", help="names of peers; all that are there by default")
    options = parser.parse_args()
    found, data = G.load(options, options.targets)
    end = data["end_ms"] // 1000 - 60
    rounds = {server.name: [] for server in found}
    for _ in range(options.rounds):
        for server in found:
            rounds[server.name].append(run(server, end, options))
    print(f"\n{options.clients} clients, {data['series']} series, medians of {options.rounds} rounds of {options.seconds:g} s\n")
    print("| | answers/s | median ms | p99 ms | slowest ms | CPU ms an answer | peak RSS MiB | failures |")
    print("|---|---|---|---|---|---|---|---|")
    for server in found:
        figures = {key: statistics.median(one[key] for one in rounds[server.name]) for key in rounds[server.name][0]}
        print("| {name} | {rate:.0f} | {median:.2f} | {p99:.1f} | {slowest:.1f} | {cpu:.2f} | {memory:.0f} | {failures:.0f} |".format(
            name=server.name, **figures))
        server.destroy()


if __name__ == "__main__":
    main()
