#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Narthex and the real Prometheus open each other's data folders and must answer alike.

    folder.py [--hours 6] [--series 200] [--seed N] [--late]

One program is loaded by remote write with so many hours of data that its folder holds blocks, head
chunks and a log; series are deleted in part and whole, in blocks and head; it is stopped by kill, and
both open a copy. Compared: queries whose windows cross
the borders of block, head chunk and log, and a sorted dump of all samples (`promtool tsdb dump`).
Blocks are also read by `promtool tsdb list` and `analyze`. Then the reader cleans its blocks of what is
deleted, is killed and started again, and must answer the same. Among the series are native histograms
of every form, with resets and changing layouts (histograms.py). With --late
nothing is deleted, but many samples come out of order, and the reader is given more data, so that it
writes them to blocks and merges those, after which all must still be the same.
"""
import argparse
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import urllib.parse

import histograms as H
import servers as S

STEP = 15


def late_request(rng, series, start, now):
    """Samples of the past of some series, in any order; what comes twice has the same value."""
    request = []
    for labels, _, _ in series:
        if rng.random() < 0.3:
            continue
        samples = []
        for _ in range(rng.randrange(1, 40)):
            t = rng.randrange(max(start, now - 5 * 3600), now) // STEP * STEP * 1000
            t += (int(labels["i"]) * 37) % 1000 + rng.choice([500, 1500, 7003])
            samples.append((t, float((t // 500 + int(labels["i"]) * 7) % 1000)))
        request.append((labels, samples))
    return request


def load(server, hours, count, seed, late=False):
    """Counters with resets and gaps, gauges with ordinary and special values; returns the end."""
    rng = random.Random(seed)
    end = S.half_past() - (6 * 3600 if late else 0)
    start = end - hours * 3600
    series = []
    for i in range(count):
        labels = {"__name__": ["folder_total", "folder_gauge", "folder.utf8 é"][i % 3],
                  "instance": f"host-{i % 7}", "i": str(i), "zone": ["", "a", "b"][i % 3] or "none"}
        series.append([labels, rng.random() * 100, rng])
    sources = [H.Source(i, rng) for i in range(max(len(H.KINDS), count // 5))]
    for chunk in range(start, end, 600):
        request = []
        for labels, value, _ in series:
            samples = []
            for t in range(chunk, chunk + 600, STEP):
                if rng.random() < 0.02:
                    continue
                if labels["__name__"].endswith("_total"):
                    value = 0.0 if rng.random() < 0.003 else value + int(rng.random() * 50)
                elif rng.random() < 0.01:
                    value = rng.choice([float("nan"), float("inf"), -0.0, 1e-310, 5e300])
                else:
                    value = round(rng.gauss(100, 20), 3)
                samples.append((t * 1000 + (int(labels["i"]) * 37) % 1000, value))
            if samples:
                request.append((labels, samples))
        for s, (labels, samples) in zip(series, request):
            s[1] = samples[-1][1] if labels["__name__"].endswith("_total") else s[1]
        S.push(server, request)
        if late and chunk > start:
            S.push(server, late_request(rng, series, start, chunk))
        H.push(server, sources, range(chunk * 1000 + 11, (chunk + 600) * 1000, STEP * 1000))
    return start, end


def delete(server, start, end):
    """Deletes through the borders of blocks and head."""
    for selector, first, last in (
            ("folder_total{instance='host-1'}", start + 1800, start + 9000),
            ("folder_gauge{zone='b'}", end - 7200, end - 1000), ("{i='7'}", None, None),
            ("{__name__=~'folder.+', i=~'.*3'}", end - 600, None), ("folder_gauge{i=~'1.'}", None, start + 8000)):
        parameters = [("match[]", selector)]
        parameters += [("start", first)] if first else []
        parameters += [("end", last)] if last else []
        path = "/api/v1/admin/tsdb/delete_series?" + urllib.parse.urlencode(parameters)
        status, body = server.request("POST", path)
        if status != 204:
            sys.exit(f"delete_series {selector}: {status} {body}")


def queries(start, end):
    middle = (start // 7200 + 1) * 7200
    yield from (("query", {"query": q, "time": t}) for t in (middle + 60, end - 3600, end - 5, end + 200) for q in (
        "folder_total", "{__name__=~'folder.+'}", "folder_gauge{zone!='a'}", "folder_gauge{zone=~'|b'}",
        "folder_gauge{nolabel=''}", "folder_total{instance=~'host-(1|2|3)'}[10m]",
        "rate(folder_total[30m])", "sum by (instance) (increase(folder_total[2h]))",
        "count_over_time(folder_gauge[6h])", "{\"folder.utf8 é\", i=~'.*[05]'}", "changes(folder_gauge[3h])"))
    for q in ("sum(rate(folder_total[5m]))", "folder_gauge", "max_over_time(folder_gauge[1h])",
              "count({__name__=~'folder.*', zone!~'a|b'})"):
        yield "query_range", {"query": q, "start": start - 100, "end": end + 400, "step": 137}
    yield from H.queries(start, end)
    yield "labels", {}
    yield "label/__name__/values", {}
    yield "label/i/values", {"match[]": "folder_gauge"}
    yield "series", {"match[]": "{instance=~'host-1|host-2'}", "start": start, "end": end}


def canonical(data):
    if isinstance(data, dict) and "result" in data:
        data = dict(data, result=sorted(data["result"], key=lambda r: json.dumps(r.get("metric"), sort_keys=True)))
    return json.dumps(data, sort_keys=True)


def ask(server, query):
    """The answer; None where Prometheus trips over a window that ends inside a deletion (a fault of its own)."""
    try:
        return canonical(server.api(*query))
    except RuntimeError as error:
        if server.binary != S.NARTHEX and "index out of range" in str(error):
            return None
        raise


def dump(folder):
    out = subprocess.run([S.peer("promtool"), "tsdb", "dump", folder], capture_output=True, text=True)
    if out.returncode:
        sys.exit(f"promtool tsdb dump: {out.stderr[-1000:]}")
    return sorted(out.stdout.splitlines())


def dump_by_queries(server, start, end):
    """The samples as `promtool tsdb dump` prints them is not needed: raw selectors give them all."""
    rows = server.query("{__name__=~'.+'}[%ds]" % (end - start + 1200), end + 600)
    return sorted(json.dumps([r["metric"], r.get("values"), r.get("histograms")], sort_keys=True) for r in rows)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--hours", type=int, default=7)
    parser.add_argument("--series", type=int, default=210)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--late", action="store_true")
    options = parser.parse_args()
    failed = passed = skipped = 0
    for writer, reader in ((S.NARTHEX, S.peer("prometheus")), (S.peer("prometheus"), S.NARTHEX)):
        name = os.path.basename(writer)
        with S.Folder() as folder:
            config = f"{folder}/prometheus.yml"
            window = "storage: {tsdb: {out_of_order_time_window: 6h}}\n"
            open(config, "w").write(window if options.late else "global: {}\n")
            first = S.Server(writer, f"{folder}/data", config, log=f"{folder}/log.writer",
                             flags=["--enable-feature=native-histograms"]).start()
            start, end = load(first, options.hours, options.series, options.seed, options.late)
            time.sleep(75)  # a round of maintenance: blocks are cut each minute
            if not options.late:
                delete(first, start, end)
            expected = {json.dumps(q): ask(first, q) for q in queries(start, end)}
            samples = dump_by_queries(first, start, end)
            first.stop(signal.SIGKILL)
            parts = sorted(os.listdir(f"{folder}/data"))
            blocks = [p for p in parts if len(p) == 26]
            heads = os.listdir(f"{folder}/data/chunks_head")
            print(f"written by {name}: {len(blocks)} blocks, {len(heads)} head chunk files, "
                  f"{len(samples)} series", flush=True)
            shutil.copytree(f"{folder}/data", f"{folder}/copy")
            shutil.copytree(f"{folder}/data", f"{folder}/copy2")
            second = S.Server(reader, f"{folder}/copy", config, log=f"{folder}/log.reader",
                              flags=["--enable-feature=native-histograms"]).start()
            for q, answer in expected.items():
                found = ask(second, json.loads(q))
                if found is None or answer is None:
                    skipped += 1
                elif found == answer:
                    passed += 1
                else:
                    failed += 1
                    print(f"DIFFERENT {q}\n  writer {answer[:400]}\n  reader {found[:400]}")
            if dump_by_queries(second, start, end) == samples and samples:
                passed += 1
            else:
                failed += 1
                print("DIFFERENT dump of all samples by queries")
            status, body = second.request("POST", "/api/v1/admin/tsdb/clean_tombstones")
            if status != 204:
                sys.exit(f"clean_tombstones: {status} {body}")
            second.stop(signal.SIGKILL)
            second.start()
            if dump_by_queries(second, start, end) == samples:
                passed += 1
            else:
                failed += 1
                print("DIFFERENT dump of all samples after cleaning and a restart")
            if options.late:
                more = [({"__name__": "more"}, [(t * 1000, 1.0) for t in range(end, end + 4 * 3600, 60)])]
                S.push(second, more)
                time.sleep(75)
                hints = [json.load(open(f"{folder}/copy/{b}/meta.json"))["compaction"].get("hints")
                         for b in os.listdir(f"{folder}/copy") if len(b) == 26]
                rows = [r for r in dump_by_queries(second, start, end) if '"more"' not in r]
                good = rows == samples
                passed, failed = passed + good, failed + (not good)
                print(f"compacted by {os.path.basename(reader)}: {len(hints)} blocks, "
                      f"{'the same' if good else 'DIFFERENT'}")
            second.stop()
            if writer == S.NARTHEX:
                for lock in ("lock",):
                    if os.path.exists(f"{folder}/copy2/{lock}"):
                        os.remove(f"{folder}/copy2/{lock}")
                for command in (["tsdb", "list"], ["tsdb", "analyze"]):
                    run = subprocess.run([S.peer("promtool"), *command, f"{folder}/copy2"], capture_output=True, text=True)
                    good = run.returncode == 0 and (not blocks or blocks[0] in run.stdout or command[1] == "analyze")
                    passed, failed = passed + good, failed + (not good)
                    if not good:
                        print(f"promtool {command}: {run.stdout[-500:]} {run.stderr[-500:]}")
                print(f"promtool tsdb dump: {len(dump(f'{folder}/copy2'))} samples")
    print(f"{passed} passed, {failed} failed, {skipped} not comparable")
    sys.exit(1 if failed else 0)


main()
