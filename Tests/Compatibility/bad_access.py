# SPDX-License-Identifier: Apache-2.0
"""Folders that are locked, closed, read-only or full. For bad_input.py. The last three need root."""
import os
import shutil
import subprocess
import time

import servers as S
from bad_checks import wait_until, write
from bad_folders import START, count, fill, start

NOBODY = ["setpriv", "--reuid=65534", "--regid=65534", "--clear-groups"]


def try_start(folder, kind, binary, data, prefix=()):
    """The exit code, or None where it runs after a while, and what it said last."""
    log = f"{folder}/{kind}.log"
    config = write(folder, "empty.yml", "global: {}\n")
    command = [*prefix, binary, f"--storage.tsdb.path={data}", f"--config.file={config}",
               f"--web.listen-address=127.0.0.1:{S.free_port()}"]
    with open(log, "wb") as out:
        process = subprocess.Popen(command, stdout=out, stderr=out, cwd="/")
        try:
            code = process.wait(8)
        except subprocess.TimeoutExpired:
            code = None
            process.kill()
            process.wait()
    with open(log, errors="replace") as text:
        lines = [line for line in text if "err=" in line or "ERROR" in line.upper()]
    return code, (lines or [""])[-1].strip()


def close_segment(path):
    subprocess.run(["chown", "-R", "65534:65534", path], check=True)
    newest = max(name for name in os.listdir(f"{path}/wal") if name.isdigit())
    segment = f"{path}/wal/{newest}"
    os.chmod(segment, 0)
    os.chown(segment, 0, 0)


def check_access(checks):
    with S.Folder() as folder:
        os.chmod(folder, 0o755)
        data = f"{folder}/model"
        server = start(S.NARTHEX, data, f"{folder}/model.log")
        fill(server)
        second = try_start(folder, "second", S.NARTHEX, data)
        checks.equal("access/second/code", second[0], 1)
        checks.contains("access/second/text", second[1], data, "resource temporarily unavailable")
        checks.true("access/second/first lives", isinstance(count(server), int), count(server))
        server.stop()
        if os.getuid() != 0:
            print("access: the rest needs root", flush=True)
            return
        binary = f"{folder}/narthex-copy"
        shutil.copy(S.NARTHEX, binary)
        peer = f"{folder}/prometheus-copy"
        shutil.copy(os.path.realpath(S.peer("prometheus")), peer)
        for name, change in {
            "closed folder": lambda path: os.chmod(path, 0o700),
            "read-only folder": lambda path: subprocess.run(
                ["chmod", "-R", "a-w,a+rX", path], check=True),
            "closed log": lambda path: close_segment(path),
            "closed log folder": lambda path: (
                subprocess.run(["chown", "-R", "65534:65534", path], check=True),
                os.chmod(f"{path}/wal", 0), os.chown(f"{path}/wal", 0, 0)),
            "folder is a file": lambda path: (shutil.rmtree(path), open(path, "w").close()),
        }.items():
            found = []
            for kind, program in (("narthex", binary), ("prometheus", peer)):
                copy = f"{folder}/data-{kind}"
                subprocess.run(["rm", "-rf", copy], check=True)
                subprocess.run(["cp", "-a", data, copy], check=True)
                change(copy)
                found.append(try_start(folder, kind, program, copy, NOBODY))
            (code, said), (expected, theirs) = found
            # Where Prometheus meets its query log first it panics, with another code.
            checks.equal(f"access/{name}", bool(code), bool(expected))
            if os.environ.get("SHOW"):
                print(f"{name}: {code} {said}\n     {expected} {theirs}", flush=True)
            if code:
                checks.contains(f"access/{name}/text", said, f"{folder}/data-narthex")
        for kind, program in (("prometheus", S.peer("prometheus")), ("narthex", S.NARTHEX)):
            check_space(checks, folder, program, kind)


def check_space(checks, folder, program, kind):
    """A disk that runs full under writes, and is freed again."""
    disk = f"{folder}/disk-{kind}"
    os.mkdir(disk)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=3m", "tmpfs", disk], check=True)
    try:
        server = start(program, f"{disk}/data", f"{folder}/space-{kind}.log")
        acknowledged, refused, round = [], [], 0

        def push():
            nonlocal round
            at = int(time.time() * 1000)
            body = S.write_request([
                ({"__name__": "space", "round": str(round), "i": os.urandom(20).hex()},
                 [(at, float(round))]) for i in range(500)])
            status, _ = server.request("POST", "/api/v1/write", body, S.WRITE_HEADERS)
            (acknowledged if status == 204 else refused).append((round, status))
            round += 1

        while len(refused) < 5 and round < 400:
            push()
        if kind == "prometheus":
            print("space: prometheus", len(acknowledged), refused, flush=True)
            server.stop()
            return
        checks.equal("space/refused", sorted({status for _, status in refused}), [500])
        checks.equal("space/answers", server.request("GET", "/-/healthy")[0], 200)
        before = stored(server)
        checks.true("space/readable", {r for r, _ in acknowledged} <= before,
                    ({r for r, _ in acknowledged} - before))
        subprocess.run(["mount", "-o", "remount,size=200m", disk], check=True)
        failures = len(refused)
        push()
        if len(refused) > failures:
            wait_until(lambda: push() or len(acknowledged) and acknowledged[-1][0] == round - 1, 20)
        checks.equal("space/goes on", acknowledged[-1][0], round - 1)
        for _ in range(3):
            push()
        server.stop(9)
        server = start(program, f"{disk}/data", f"{folder}/space-{kind}-2.log")
        after = stored(server)
        checks.true("space/kept", {r for r, _ in acknowledged} <= after,
                    ({r for r, _ in acknowledged} - after))
        with open(f"{folder}/space-{kind}.log", errors="replace") as log:
            text = log.read()
        checks.contains("space/said", text, "no space left on device")
        if os.environ.get("SHOW"):
            print("\n".join(l[:300] for l in text.splitlines() if "INFO" not in l)[:4000], flush=True)
        server.stop()
    finally:
        subprocess.run(["umount", "-l", disk], check=False)


def stored(server):
    found = server.query("count by (round) (last_over_time(space[1h]))", time.time() + 5)
    return {int(series["metric"]["round"]) for series in found if series["value"][1] == "500"}
