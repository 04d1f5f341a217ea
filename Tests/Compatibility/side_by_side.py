#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Narthex and the real Prometheus scrape the same real exporters side by side.

    side_by_side.py [--seconds 600] [--interval 5]

Targets: node_exporter, the push gateway's and the black box exporter's own metrics, and a target that
serves fixed values of every kind. Compared at the end: the series (labels to the last byte), `up`,
how many samples each stored, and the values of the fixed target. Also `promtool query` against both.
"""
import argparse
import http.server
import json
import os
import subprocess
import sys
import threading
import time

import servers as S

FIXED = r'''# HELP fixed_total A counter with an escaped \\ and a \n in its help.
# TYPE fixed_total counter
fixed_total{path="/a b",quote="\"",slash="\\",line="\n",empty=""} 1027
fixed_total{path="é✓",} 3 
fixed_gauge 1.7976931348623157e+308
fixed_gauge{v="nan"} NaN
fixed_gauge{v="inf"} +Inf
fixed_gauge{v="minus"} -Inf
fixed_gauge{v="small"} 4.9e-324
fixed_gauge{v="third"} 0.3333333333333333
{"fixed.utf8",  "a label"="x"} -0
# TYPE fixed_seconds histogram
fixed_seconds_bucket{le="0.1"} 1
fixed_seconds_bucket{le="1"} 2
fixed_seconds_bucket{le="+Inf"} 3
fixed_seconds_sum 4.25
fixed_seconds_count 3
# TYPE fixed_summary summary
fixed_summary{quantile="0.5"} 7
fixed_summary{quantile="1"} 8
fixed_summary_sum 15
fixed_summary_count 2
fixed_exported{job="own",instance="mine",exported_job="taken"} 5
'''


class Fixed(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        body = FIXED.encode()
        self.send_response(200)
        self.send_header("Content-Type", "text/plain; version=1.0.0; charset=utf-8; escaping=allow-utf-8")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_):
        pass


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=int, default=600)
    parser.add_argument("--interval", type=int, default=5)
    options = parser.parse_args()
    passed = failed = 0

    def check(what, good, detail=""):
        nonlocal passed, failed
        passed, failed = passed + bool(good), failed + (not good)
        if not good:
            print(f"DIFFERENT {what}: {detail}")

    fixed = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Fixed)
    fixed.daemon_threads = True
    threading.Thread(target=fixed.serve_forever, daemon=True).start()
    with S.Folder() as folder:
        ports = {name: S.free_port() for name in ("node", "push", "probe")}
        # The first seconds do not count: discovery in the reference waits up to five.
        # Collectors that count requests or time themselves still have the same series on both sides.
        exporters = [
            subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) for command in (
                [S.peer("prometheus-node-exporter"), f"--web.listen-address=127.0.0.1:{ports['node']}"],
                [S.peer("prometheus-pushgateway"), f"--web.listen-address=127.0.0.1:{ports['push']}"])]
        config = f"{folder}/prometheus.yml"
        with open(config, "w") as file:
            json.dump({
                "global": {"scrape_interval": f"{options.interval}s", "external_labels": {"site": "here"}},
                "scrape_configs": [
                    {"job_name": "node", "static_configs": [{"targets": [f"127.0.0.1:{ports['node']}"], "labels": {"rack": "r1"}}],
                     "metric_relabel_configs": [
                         {"source_labels": ["__name__"], "regex": "go_.*", "action": "drop"},
                         {"source_labels": ["device"], "regex": "(.)(.*)", "target_label": "initial", "replacement": "$1"}]},
                    {"job_name": "push", "static_configs": [{"targets": [f"127.0.0.1:{ports['push']}"]}]},
                    {"job_name": "down", "static_configs": [{"targets": ["127.0.0.1:1"]}]},
                    {"job_name": "fixed", "static_configs": [{"targets": [f"127.0.0.1:{fixed.server_address[1]}"]}]},
                    {"job_name": "fixed honoured", "honor_labels": True,
                     "static_configs": [{"targets": [f"127.0.0.1:{fixed.server_address[1]}"]}],
                     "relabel_configs": [{"action": "labelmap", "regex": "__address__", "replacement": "address"}]},
                ]}, file)
        both = [S.Server(b, f"{folder}/{i}", config, log=f"{folder}/log{i}").start()
                for i, b in enumerate((S.NARTHEX, S.peer("prometheus")))]
        begun = time.time()
        time.sleep(options.seconds)
        now = time.time()
        ours, theirs = both
        series = [sorted(json.dumps(s, sort_keys=True) for s in b.api("series", {"match[]": "{job!=''}", "start": begun, "end": now})) for b in both]
        check("series", series[0] == series[1],
              [x for x in set(series[0]) ^ set(series[1])][:10])
        print(f"{len(series[0])} series here, {len(series[1])} there")
        at = now - options.interval
        for expression, window in (("up", False), ("count by (job) ({job!=''})", False),
                                   ("{__name__=~'fixed.*'}", False), ("scrape_samples_scraped", False),
                                   ("scrape_samples_post_metric_relabeling", False)):
            rows = [sorted(json.dumps([r["metric"], r["value"][1]], sort_keys=True) for r in b.query(expression, at)) for b in both]
            check(expression, rows[0] == rows[1] and rows[0], set(rows[0]) ^ set(rows[1]))
        counts = [{json.dumps(r["metric"], sort_keys=True): len(r["values"]) for r in b.query(
            f"{{job=~'node|push|fixed.*'}}[{options.seconds - 12}s]", now)} for b in both]
        off = {k: (counts[0].get(k), v) for k, v in counts[1].items() if abs(counts[0].get(k, 0) - v) > 1}
        check("samples per series", not off, list(off.items())[:5])
        for path in ("metadata", "labels", "label/job/values"):
            data = [b.api(path) for b in both]
            check(path, data[0] == data[1], "")
        targets = [[{k: v for k, v in t.items() if not k.startswith("last") or k == "lastError"} for t in sorted(
            b.api("targets")["activeTargets"], key=lambda t: (t["scrapePool"], t["scrapeUrl"]))] for b in both]
        # Labels of features that are younger than the reference program are left out.
        for target in targets[0]:
            for label in set(target["discoveredLabels"]) - set(targets[1][0]["discoveredLabels"]):
                if label.startswith("__") and "histograms" in label:
                    del target["discoveredLabels"][label]
        check("targets", targets[0] == targets[1], [
            (k, a[k], b.get(k)) for a, b in zip(*targets) for k in a if a[k] != b.get(k)][:4])
        for command in (["instant", "URL", "sum(up)"], ["range", "URL", "up", f"--start={int(begun)}", f"--end={int(now)}", "--step=60s"],
                        ["series", "URL", "--match=up"], ["labels", "URL", "job"]):
            texts = []
            for b in both:
                run = subprocess.run([S.peer("promtool"), "query", *[f"http://127.0.0.1:{b.port}" if c == "URL" else c for c in command]],
                                     capture_output=True, text=True)
                texts.append((run.returncode, len(run.stdout.splitlines())))
            check(f"promtool query {command[0]}", texts[0] == texts[1] and texts[0][0] == 0, texts)
        for process in exporters:
            process.terminate()
        for b in both:
            b.stop()
        if failed:
            print(open(f"{folder}/log0", errors="replace").read()[-2000:])
    print(f"{passed} passed, {failed} failed")
    sys.exit(1 if failed else 0)


main()
