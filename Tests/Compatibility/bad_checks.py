# SPDX-License-Identifier: Apache-2.0
"""Counting checks, and looking at servers from outside. For bad_input.py."""
import os
import time

import servers as S


class Checks:
    def __init__(self):
        self.passed = self.failed = 0

    def true(self, name, condition, detail=""):
        if condition:
            self.passed += 1
        else:
            self.failed += 1
            print(f"FAILED {name}: {str(detail)[:2000]}", flush=True)

    def equal(self, name, got, expected):
        self.true(name, got == expected, f"\n    got      {got}\n    expected {expected}")

    def contains(self, name, text, *parts):
        missing = [part for part in parts if part not in text]
        self.true(name, not missing, f"{missing} not in {text!r}")

    def close(self):
        print(f"{self.passed} passed, {self.failed} failed")
        return 1 if self.failed else 0


def write(folder, name, text):
    path = os.path.join(folder, name)
    with open(path, "wb") as out:
        out.write(text if isinstance(text, bytes) else text.encode())
    return path


def resident(server):
    """The most memory that the process has had in RAM, in bytes."""
    with open(f"/proc/{server.process.pid}/status") as lines:
        for line in lines:
            if line.startswith("VmHWM"):
                return int(line.split()[1]) * 1024
    return 0


def pair(folder, config, flags=()):
    """Narthex and Prometheus with the same configuration, each with a folder of its own."""
    path = write(folder, "prometheus.yml", config)
    return (
        S.Server(S.NARTHEX, f"{folder}/narthex", path, flags=flags, log=f"{folder}/narthex.log"),
        S.Server(S.peer("prometheus"), f"{folder}/prometheus", path, flags=flags,
                 log=f"{folder}/prometheus.log"))


def wait_until(condition, seconds=20):
    """The condition's first value that counts as true, or its last one."""
    end = time.time() + seconds
    while True:
        value = condition()
        if value or time.time() > end:
            return value
        time.sleep(0.1)
