#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Fills the disk of a server under load and frees it again. Needs root, for a small tmpfs.

    disk_full.py [--rounds 3] [--seed N] [--megabytes 96]

While the disk is full the server must live, refuse writes with an error that says why, count and log
that, and answer queries. Once there is room it must take writes again without help, and after a kill
with a full disk, too. Whatever it acknowledged must be there at the end.
"""
import argparse
import os
import random
import signal
import subprocess
import sys
import time

import servers as S
from pushes import Pushes, check_pushes


class SmallDisk:
    """A tmpfs that goes away at the end, and a file that takes what is left of its room."""

    def __init__(self, path, megabytes):
        self.path = path
        self.ballast = f"{path}/ballast"
        os.mkdir(path)
        subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m", "tmpfs", path], check=True)

    def fill(self, leave):
        room = os.statvfs(self.path)
        count = max(0, room.f_bavail * room.f_bsize - leave)
        with open(self.ballast, "ab") as file:
            try:
                while count > 0:
                    count -= file.write(bytes(min(count, 1 << 20)))
                    file.flush()
            except OSError:
                pass

    def free(self):
        os.remove(self.ballast)

    def close(self):
        subprocess.run(["umount", "-l", self.path], check=True)


def metric(server, name):
    status, body = server.request("GET", "/metrics")
    assert status == 200, status
    for line in body.decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    return None


def wait(condition, seconds=60):
    end = time.time() + seconds
    while time.time() < end:
        if condition():
            return True
        time.sleep(0.05)
    return False


def check_full(server, workers, log):
    """What a server with a full disk owes."""
    faults = []
    before = sum(w.errors for w in workers)
    if not wait(lambda: all(w.errors for w in workers) and sum(w.errors for w in workers) > before + 3):
        faults.append("writes go on although the disk is full")
    if server.process.poll() is not None:
        return faults + [f"the server ended with {server.process.returncode}"]
    told = [w.last_error for w in workers if w.last_error]
    if not any(b"no space left on device" in text for text in told):
        faults.append(f"the answers do not say why: {told[:2]}")
    if server.request("GET", "/-/healthy")[0] != 200:
        faults.append("the server is not healthy")
    if not metric(server, "prometheus_tsdb_wal_writes_failed_total"):
        faults.append("no failed write was counted")
    if "no space left on device" not in open(log, errors="replace").read():
        faults.append("the log does not say that the disk is full")
    return faults


def check_recovery(server, workers):
    before = [w.acknowledged for w in workers]
    for w in workers:
        w.errors = 0
    if not wait(lambda: all(w.acknowledged > n + 3 for w, n in zip(workers, before))):
        return [f"writes do not go on: {[w.last_error for w in workers]}"]
    return []


def pause(workers):
    """Until nothing is in flight, so that what is there can be compared."""
    for w in workers:
        w.paused.set()
    time.sleep(1)


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--seed", type=int, default=int(time.time()))
    parser.add_argument("--megabytes", type=int, default=96)
    parser.add_argument("--floats", action="store_true", help="no native histograms")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--binary", default=S.NARTHEX)
    options = parser.parse_args()
    print(f"seed {options.seed}")
    dice = random.Random(options.seed)
    faults, rounds = [], 0
    with S.Folder() as folder:
        disk = SmallDisk(f"{folder}/disk", options.megabytes)
        log = f"{folder}/log"
        try:
            server = S.Server(options.binary, f"{disk.path}/data", f"{folder}/prometheus.yml", log=log)
            with open(server.config, "w") as file:
                file.write("{}\n")
            start = int(time.time() - 1800) * 1000
            workers = [Pushes(w, start, histograms=not options.floats) for w in range(options.workers)]
            server.start()
            for w in workers:
                w.port = server.port
                w.start()
            while rounds < options.rounds and not faults:
                rounds += 1
                time.sleep(dice.uniform(0.5, 2))
                disk.fill(leave=dice.choice([0, 5000, 300_000]))
                faults += check_full(server, workers, log)
                pause(workers)
                faults += check_pushes(server, workers)
                if dice.random() < 0.5:
                    # A start on a full disk may fail, and must cost nothing.
                    server.stop(signal.SIGKILL)
                    disk.free()
                    server.start()
                    faults += check_pushes(server, workers)
                else:
                    disk.free()
                for w in workers:
                    w.port = server.port
                    w.paused.clear()
                faults += check_recovery(server, workers)
            pause(workers)
            server.stop()
            server.start()
            faults += check_pushes(server, workers)
            server.stop()
        finally:
            server.stop(signal.SIGKILL)
            disk.close()
        total = sum(w.acknowledged for w in workers)
        print(f"{rounds} times full, {total} rounds acknowledged")
        if faults:
            print("\n".join(faults[:20]))
            print(open(log, errors="replace").read()[-3000:])
    print(f"{rounds if not faults else rounds - 1} passed, {1 if faults else 0} failed")
    sys.exit(1 if faults else 0)


main()
