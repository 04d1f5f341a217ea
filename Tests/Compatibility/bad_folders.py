# SPDX-License-Identifier: Apache-2.0
"""Damaged data folders, no space, no permission. For bad_input.py."""
import glob
import json
import os
import random
import resource
import shutil
import subprocess
import time

import servers as S
from bad_checks import resident, wait_until, write

HOUR = 3600_000
START = 1_700_000_000_000 // (2 * HOUR) * (2 * HOUR)


def start(binary, data, log, wait=True, flags=(), **more):
    server = S.Server(binary, data, write(os.path.dirname(log), "empty.yml", "global: {}\n"),
                      flags=flags, log=log)
    try:
        return server.start(60 if wait else 0)
    except RuntimeError:
        return server


def fill(server, hours=16):
    """Forty series, a sample each half minute: blocks, head chunks, and a log."""
    for step in range(hours * 4):
        begin = START + step * HOUR // 4
        S.push(server, [
            ({"__name__": "kept", "i": str(i)},
             [(begin + k * 30_000, float(step * 30 + k)) for k in range(30)]) for i in range(40)])


def count(server, hours=16):
    """How many samples can be read, or the error."""
    try:
        found = server.query("sum(count_over_time(kept[1d]))", (START + hours * HOUR) / 1000)
        return int(float(found[0]["value"][1])) if found else 0
    except (RuntimeError, OSError) as error:
        return str(error)


def flip(path, rng, low=0.3, high=0.9):
    size = os.path.getsize(path)
    at = int(size * low) + rng.randrange(max(1, int(size * (high - low))))
    with open(path, "r+b") as file:
        file.seek(at)
        byte = file.read(1)[0]
        file.seek(at)
        file.write(bytes([byte ^ 1 << rng.randrange(8)]))
    return at


def cut(path, rng):
    with open(path, "r+b") as file:
        file.truncate(rng.randrange(os.path.getsize(path)))


def newest(data, pattern):
    found = sorted(glob.glob(f"{data}/{pattern}"))
    sized = [path for path in found if os.path.getsize(path) > 0]
    return sized[-1]


def zero(path, _):
    open(path, "w").close()


def remove(path, _):
    shutil.rmtree(path) if os.path.isdir(path) else os.remove(path)


DAMAGE = [
    ("log cut", "wal/0*", cut), ("log cut", "wal/0*", cut), ("log cut", "wal/0*", cut),
    ("log flipped", "wal/0*", flip), ("log flipped", "wal/0*", flip),
    ("log gone", "wal", remove), ("segment gone", "wal/0*", remove),
    ("head chunk flipped", "chunks_head/0*", flip), ("head chunks cut", "chunks_head/0*", cut),
    ("head chunks gone", "chunks_head", remove), ("head chunks empty", "chunks_head/0*", zero),
    ("checkpoint flipped", "wal/checkpoint.*/0*", flip),
    ("checkpoint cut", "wal/checkpoint.*/0*", cut), ("checkpoint gone", "wal/checkpoint.*", remove),
    ("index flipped", "01*/index", flip), ("index gone", "01*/index", remove),
    ("index cut", "01*/index", cut), ("chunk flipped", "01*/chunks/0*", flip),
    ("chunks cut", "01*/chunks/0*", cut), ("chunks gone", "01*/chunks/0*", remove),
    ("meta flipped", "01*/meta.json", flip), ("meta gone", "01*/meta.json", remove),
    ("meta empty", "01*/meta.json", zero), ("tombstones gone", "01*/tombstones", remove),
    ("tombstones cut", "01*/tombstones", cut),
]


def outcome(binary, data, log):
    """Whether it became ready, what it could read, and what it said."""
    server = start(binary, data, log)
    alive = server.process.poll() is None
    read = count(server) if alive else None
    peak = resident(server) if alive else 0
    server.stop()
    with open(log, errors="replace") as text:
        said = [line for line in text if "level=INFO" not in line and "level=info" not in line]
    return {"alive": alive, "read": read, "code": server.process.returncode, "peak": peak}, said


def check_damage(checks, folder, show):
    model = f"{folder}/model"
    server = start(S.NARTHEX, model, f"{folder}/model.log")
    fill(server)
    wait_until(lambda: len(glob.glob(f"{model}/01*")) >= 2, 30)
    whole = count(server)
    checks.equal("folders/whole", whole, 16 * 4 * 30 * 40)
    server.stop()
    for number, (name, pattern, damage) in enumerate(DAMAGE):
        results = []
        for binary, kind in ((S.NARTHEX, "narthex"), (S.peer("prometheus"), "prometheus")):
            data, log = f"{folder}/{kind}-{number}", f"{folder}/{kind}-{number}.log"
            shutil.copytree(model, data)
            try:
                path = newest(data, pattern)
            except IndexError:
                checks.true(f"folders/{name}", False, f"no {pattern} in the folder")
                break
            damage(path, random.Random(number))
            results.append(outcome(binary, data, log))
            shutil.rmtree(data, ignore_errors=True)
        if len(results) < 2:
            continue
        (got, said), (expected, theirs) = results
        if show:
            print(f"{name}:\n  {got}\n   {'   '.join(said[:4])}  {expected}\n   {'   '.join(theirs[:4])}")
        checks.true(f"folders/{number} {name}/alive", got["alive"] or not expected["alive"],
                    (got, expected, said[-3:]))
        if isinstance(expected["read"], int):
            # Nothing is lost that Prometheus reads.
            checks.true(
                f"folders/{number} {name}/read",
                isinstance(got["read"], int) and got["read"] >= expected["read"],
                (got, expected, said[-3:], theirs[-3:]))
        if got["read"] != whole:
            checks.true(f"folders/{number} {name}/said", len(said) > 0, got)


def check_folders(checks):
    with S.Folder() as folder:
        check_damage(checks, folder, os.environ.get("SHOW"))
