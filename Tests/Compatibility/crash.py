#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a server under load, again and again, and reads back all that it had promised.

    crash.py [--kills 50] [--seed N] [--seconds 1200] [--late] [--whole 20]

Load: remote write from several connections (pushes.py) of floats and native histograms, with --late
some of it out of order, and scraped targets whose every sample is the number of the scrape. A write
counts as promised once it was answered with 204, a scrape once its `up` could be queried. After each
kill what was promised since the kill before is read back, after each twentieth and at the end all.
"""
import argparse
import http.server
import random
import signal
import socketserver
import sys
import threading
import time

import servers as S
from pushes import HISTOGRAMS, SERIES, Pushes, check_pushes


class Target(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    scrapes = {}

    def do_GET(self):
        n = Target.scrapes[self.path] = Target.scrapes.get(self.path, 0) + 1
        body = "".join(f'target_value{{line="{i}"}} {n}\n' for i in range(1000)).encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=0.0.4")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        try:
            self.wfile.write(body)
        except OSError:
            pass  # The server was killed while it read.

    def log_message(self, *_):
        pass


def scrapes_seen(server, since):
    """Instance -> timestamps of `up` that a query could see."""
    seen = {}
    for row in server.query(f"up[{int(time.time() - since) + 60}s]", time.time()):
        seen[row["metric"]["instance"]] = [t for t, v in row["values"] if v == "1"]
    return seen


def check_scrapes(server, promised, since):
    faults = []
    now = scrapes_seen(server, since)
    promised = {i: [t for t in times if t >= since] for i, times in promised.items()}
    window = int(time.time() - since) + 60
    rows = server.query(f"target_value[{window}s]", time.time())
    stored = {}
    for row in rows:
        stale_free = {t for t, _ in row["values"]}
        stored.setdefault(row["metric"]["instance"], []).append(stale_free)
    for instance, times in promised.items():
        missing = set(times) - set(now.get(instance, []))
        if missing:
            faults.append(f"{instance}: {len(missing)} promised scrapes are gone")
        for series in stored.get(instance, []):
            if not set(times) <= series:
                faults.append(f"{instance}: a series lacks {len(set(times) - series)} promised samples")
                break
        if times and len(stored.get(instance, [])) != 1000:
            faults.append(f"{instance}: {len(stored.get(instance, []))} of 1000 series")
    return faults


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kills", type=int, default=50)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--seconds", type=float, default=1200, help="stop after this long")
    parser.add_argument("--workers", type=int, default=4)
    parser.add_argument("--targets", type=int, default=20)
    parser.add_argument("--floats", action="store_true", help="no native histograms")
    parser.add_argument("--late", action="store_true", help="some rounds come out of order")
    parser.add_argument("--flag", action="append", default=[], help="one more for the server")
    parser.add_argument("--whole", type=int, default=20, help="kills between two looks at all")
    parser.add_argument("--binary", default=S.NARTHEX)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    rng = random.Random(options.seed)

    class Threaded(socketserver.ThreadingMixIn, http.server.HTTPServer):
        daemon_threads = True
        request_queue_size = 256

        def handle_error(self, *_):
            pass  # A killed server takes its connections with it.

    targets = Threaded(("127.0.0.1", 0), Target)
    threading.Thread(target=targets.serve_forever, daemon=True).start()
    begun = time.time()
    with S.Folder() as folder:
        config = f"{folder}/prometheus.yml"
        port = targets.server_address[1]
        with open(config, "w") as file:
            if options.late:
                file.write("storage: {tsdb: {out_of_order_time_window: 2h}}\n")
            file.write("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n")
            for i in range(options.targets):
                file.write(
                    f"- {{job_name: t{i}, metrics_path: /{i}, static_configs: [{{targets: "
                    f"['127.0.0.1:{port}'], labels: {{instance: i{i}}}}}]}}\n")
        server = S.Server(options.binary, f"{folder}/data", config, flags=options.flag,
                          log=f"{folder}/log")
        start = int(begun - 1800) * 1000
        workers = [Pushes(w, start, options.late, not options.floats) for w in range(options.workers)]
        for w in workers:
            w.start()
        faults, kills, downtime, promised = [], 0, [], {}
        up_time, looked = 0.0, begun
        while kills < options.kills and time.time() - begun < options.seconds and not faults:
            restarted = time.time()
            server.start()
            downtime.append(time.time() - restarted)
            whole = kills % options.whole == 0
            checking = time.time()
            faults += check_pushes(server, workers, whole)
            faults += check_scrapes(server, promised, begun if whole else looked)
            if whole:
                print(f"{kills} kills after {time.time() - begun:.0f} s, all read back in "
                      f"{time.time() - checking:.1f} s", flush=True)
            looked = checking - 10
            for w in workers:
                w.port = server.port
                w.paused.clear()
            running = time.time()
            time.sleep(rng.uniform(0.3, 3))
            promised = scrapes_seen(server, begun)
            time.sleep(rng.uniform(0, 0.3))
            server.stop(signal.SIGKILL)
            up_time += time.time() - running
            for w in workers:
                w.paused.set()
            kills += 1
            time.sleep(0.05)
        server.start()
        faults += check_pushes(server, workers) + check_scrapes(server, promised, begun)
        server.stop()
        faults += [f"worker {w.worker}: nothing was acknowledged" for w in workers if not w.acknowledged]
        samples = sum(w.acknowledged for w in workers) * (SERIES + (0 if options.floats else HISTOGRAMS))
        scraped = sum(len(t) for t in promised.values()) * 1000
        print(f"{kills} kills, {samples} samples acknowledged and {scraped} scraped in {up_time:.0f} s "
              f"under load ({(samples + scraped) / max(up_time, 1):.0f} samples/s), "
              f"ready after {max(downtime):.2f} s at most")
        if faults:
            print("\n".join(faults[:20]))
            print(open(f"{folder}/log", errors="replace").read()[-3000:])
        print(f"{kills if not faults else kills - 1} passed, {1 if faults else 0} failed")
        sys.exit(1 if faults else 0)


main()
