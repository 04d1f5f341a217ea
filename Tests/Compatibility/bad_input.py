#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Bad input of every kind, given to Narthex and to the real Prometheus: what comes of it must agree.

    bad_input.py [--only targets,heavy,queries,folders,configuration,http] [--differences]

Where the two differ on purpose, the case says so here and checks what Narthex promises instead.
"""
import argparse
import json
import os
import re
import sys
import time

import bad_targets
import servers as S
from bad_checks import Checks, pair, resident, wait_until, write
from bad_access import check_access
from bad_folders import check_folders
from bad_requests import check_queries
from bad_serving import check_configuration, check_http

SETTINGS = {
    "html-fallback": "fallback_scrape_protocol: PrometheusText0.0.4",
    "no-type-fallback": "fallback_scrape_protocol: PrometheusText0.0.4",
    "redirect-refused": "follow_redirects: false",
    "limited-samples": "sample_limit: 1",
    "limited-labels": "label_value_length_limit: 3",
    "limited-body": "body_size_limit: 1KB",
    "gzip-body-limit": "body_size_limit: 1KB",
    "gzip-bomb-limit": "body_size_limit: 1MB",
    "endless-limit": "body_size_limit: 1MB",
}


def scrape_configuration(names, port, interval="4s", timeout="3s"):
    text = f"global: {{scrape_interval: {interval}, scrape_timeout: {timeout}}}\nscrape_configs:\n"
    for name in names:
        text += f"  - job_name: {name}\n    metrics_path: /{name}\n"
        text += f"    static_configs: [{{targets: ['127.0.0.1:{port}']}}]\n"
        if name in SETTINGS:
            text += f"    {SETTINGS[name]}\n"
    return text


def plain(error):
    """An error without what differs from run to run."""
    error = re.sub(r"127\.0\.0\.1:\d+->", "", error)
    # Narthex takes heads of up to 1 MiB, Prometheus of up to 10.
    error = re.sub(r"exceeded \d+ bytes", "exceeded N bytes", error)
    return re.sub(r"before offset \d+", "before offset N", error)


REPORTS = ("up", "scrape_samples_scraped", "scrape_samples_post_metric_relabeling",
           "scrape_series_added")


def state(server, names):
    """Per job: health, error, the report's first values, and what is stored."""
    found = {name: {} for name in names}
    for target in server.api("targets")["activeTargets"]:
        found[target["scrapePool"]].update(
            health=target["health"], error=plain(target["lastError"]))
    for report in REPORTS:
        for series in server.query(f"max_over_time({report}[1h])", time.time()):
            found[series["metric"]["job"]][report] = series["value"][1]
    for series in server.query(
            'count by (job) (last_over_time({job=~".+",__name__!~"up|scrape_.*"}[3y]))', time.time() + 700):
        found[series["metric"]["job"]]["stored"] = series["value"][1]
    return found


def check_targets(checks):
    sound, broken = bad_targets.cases()
    answers = {**sound, **broken}
    targets = bad_targets.Targets(answers)
    with S.Folder() as folder:
        ours, theirs = pair(folder, scrape_configuration(answers, targets.port))
        try:
            theirs.start(), ours.start()
            time.sleep(13)
            expected, got = state(theirs, answers), state(ours, answers)
            for name in answers:
                if name in ("duplicate-timestamp", "out-of-order"):
                    # A series whose only samples are too old counts as added: they are checked when
                    # they are stored, and the report is stored with them.
                    got[name].pop("scrape_series_added", None)
                    expected[name].pop("scrape_series_added", None)
                checks.equal(f"targets/{name}", got[name], expected[name])
            checks.true("targets/memory", resident(ours) < 400 << 20, resident(ours))
        finally:
            ours.stop(), theirs.stop()


def check_heavy(checks):
    """What takes memory where nobody watches it; one server at a time, and a sound target beside."""
    answers = {**bad_targets.heavy(), "good": bad_targets.cases()[0]["good"]}
    targets = bad_targets.Targets(answers)
    with S.Folder() as folder:
        config = scrape_configuration(answers, targets.port, "15s", "14s")
        ours, theirs = pair(folder, config)
        try:
            ours.start()
            time.sleep(40)
            got, memory = state(ours, answers), resident(ours)
            good = ours.query('avg_over_time(up{job="good"}[1h])', time.time())
            checks.true("heavy/others", good and good[0]["value"][1] == "1", good)
            checks.true("heavy/memory", memory < 3 << 30, memory)
        finally:
            ours.stop()
        checks.true("heavy/endless", got["endless"].get("up") == "0", got["endless"])
        checks.true("heavy/bomb", got["bomb"].get("up") == "0", got["bomb"])
        # The real Prometheus reads what has no limit into memory until the time is over.
        bounded = [name for name in answers if name not in ("endless", "bomb")]
        theirs.config = write(
            folder, "bounded.yml", scrape_configuration(bounded, targets.port, "15s", "14s"))
        try:
            theirs.start()
            time.sleep(30)
            wait_until(lambda: all(
                "up" in found for found in state(theirs, bounded).values()), 60)
            expected = state(theirs, bounded)
        finally:
            theirs.stop()
        for name in bounded:
            checks.equal(f"heavy/{name}", got[name], expected[name])
        print(f"heavy: {memory >> 20} MiB", flush=True)


SECTIONS = {"targets": check_targets, "heavy": check_heavy, "queries": check_queries,
            "folders": check_folders, "access": check_access,
            "http": check_http, "configuration": check_configuration}


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--only", default=",".join(SECTIONS))
    wanted = parser.parse_args().only.split(",")
    checks = Checks()
    for name in wanted:
        SECTIONS[name](checks)
    sys.exit(checks.close())


if __name__ == "__main__":
    main()
