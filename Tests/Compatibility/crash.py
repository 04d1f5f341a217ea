#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Kills a server under load, again and again, and reads back all that it had promised.

    crash.py [--kills 50] [--seed N] [--seconds 600]

Load: remote write from several connections, each with series of its own whose value is the number of
the round, and scraped targets whose every sample is the number of the scrape. A write counts as
promised once it was answered with 204, a scrape once its `up` could be queried.
"""
import argparse
import http.client
import http.server
import random
import signal
import socketserver
import sys
import threading
import time

import servers as S

SERIES = 2000
STEP = 50


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


class Pushes(threading.Thread):
    """One connection that pushes round after round, and knows the last one that was acknowledged."""

    def __init__(self, worker, start):
        super().__init__(daemon=True)
        self.worker, self.start_time = worker, start
        self.acknowledged = self.sent = 0
        self.port = None
        self.paused = threading.Event()
        self.refused = []
        # One request is built; each round writes its value and time into copies of it.
        self.body, self.places = bytearray(), []
        for i in range(SERIES):
            series = S.series_message(
                {"__name__": "crash_value", "worker": str(worker), "i": str(i)}, [(start, 0.0)])
            self.body += series
            self.places.append(len(self.body) - 15)

    def request(self, number):
        sample = S.sample_message(self.start_time + number * STEP, float(number))
        value, at = sample[1:9], sample[10:]
        for place in self.places:
            self.body[place:place + 8] = value
            self.body[place + 9:place + 15] = at
        return S.snappy(bytes(self.body))

    def run(self):
        connection = None
        while True:
            if self.paused.is_set() or self.port is None:
                connection = None
                time.sleep(0.005)
                continue
            # After a crash the round in flight may be stored or not; it is sent again, which is the
            # same sample and so is accepted either way.
            number = self.acknowledged + 1
            self.sent = number
            body = self.request(number)
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.request("POST", "/api/v1/write", body, S.WRITE_HEADERS)
                response = connection.getresponse()
                text = response.read()
                if response.status == 204:
                    self.acknowledged = number
                elif response.status < 500:
                    self.refused.append((number, response.status, text[:200]))
                    return
            except (OSError, http.client.HTTPException):
                connection = None
                time.sleep(0.005)


def check_pushes(server, workers):
    faults = []
    for w in workers:
        if w.refused:
            faults.append(f"worker {w.worker}: refused {w.refused[:2]}")
        acknowledged = w.acknowledged
        if acknowledged == 0:
            continue
        at = (w.start_time + (w.sent + 1) * STEP) / 1000
        window = f"{(w.sent + 2) * STEP}ms"
        selector = f'crash_value{{worker="{w.worker}"}}[{window}]'
        counts = {r["value"][1] for r in server.query(f"count_values('n', count_over_time({selector}))", at)}
        rows = server.query(f"count_over_time({selector})", at)
        sums = {r["metric"]["i"]: float(r["value"][1])
                for r in server.query(f"sum_over_time({selector})", at)}
        if len(rows) != SERIES:
            faults.append(f"worker {w.worker}: {len(rows)} of {SERIES} series after {acknowledged} rounds")
        for row in rows:
            n = int(row["value"][1])
            if not acknowledged <= n <= w.sent or sums[row["metric"]["i"]] != n * (n + 1) / 2:
                faults.append(
                    f"worker {w.worker} series {row['metric']['i']}: {n} samples, sum "
                    f"{sums[row['metric']['i']]}, acknowledged {acknowledged}")
                break
        if not counts:
            faults.append(f"worker {w.worker}: no counts")
    return faults


def scrapes_seen(server, since):
    """Instance -> timestamps of `up` that a query could see."""
    seen = {}
    for row in server.query(f"up[{int(time.time() - since) + 60}s]", time.time()):
        seen[row["metric"]["instance"]] = [t for t, v in row["values"] if v == "1"]
    return seen


def check_scrapes(server, promised, since):
    faults = []
    now = scrapes_seen(server, since)
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
            file.write("global: {scrape_interval: 1s, scrape_timeout: 1s}\nscrape_configs:\n")
            for i in range(options.targets):
                file.write(
                    f"- {{job_name: t{i}, metrics_path: /{i}, static_configs: [{{targets: "
                    f"['127.0.0.1:{port}'], labels: {{instance: i{i}}}}}]}}\n")
        server = S.Server(options.binary, f"{folder}/data", config, log=f"{folder}/log")
        start = int(begun - 1800) * 1000
        workers = [Pushes(w, start) for w in range(options.workers)]
        for w in workers:
            w.start()
        faults, kills, downtime, promised = [], 0, [], {}
        rounds_before, up_time = 0, 0.0
        while kills < options.kills and time.time() - begun < options.seconds and not faults:
            restarted = time.time()
            server.start()
            downtime.append(time.time() - restarted)
            faults += check_pushes(server, workers) + check_scrapes(server, promised, begun)
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
        samples = sum(w.acknowledged for w in workers) * SERIES
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
