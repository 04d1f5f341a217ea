# SPDX-License-Identifier: Apache-2.0
"""Bad queries. For bad_input.py."""
import concurrent.futures
import json
import socket
import time
import urllib.parse

import servers as S
from bad_checks import pair, resident

FORM = {"Content-Type": "application/x-www-form-urlencoded"}

MALFORMED = [
    "", " ", "(", ")", "1 +", "up{", "up}", 'up{a=}', 'up{a="b}', "up[5m", "up[5m:", "up[0s]", "up @ nowhere", "sum(", "sum()", "sum by", "nonsense(up)", "rate(up)", "rate(up[5m], 1)",
    'up{a=~"("}', 'up{a=~"*"}', 'up{a=~"\\\\"}', '{}', '{a=""}', '{a=~".*"}', "up == bool", "1 == 2",
    "up and 1", "up and on(a) group_left b", "up[5m] + 1", "up[5m]", "-up[5m]", '"text" + 1',
    "up\u00e9", "\x00", "up # comment\n +", "1e", "0x", "5mm", "99999999999999999999d", "topk(up)",
    "topk(1)", "quantile(up, 1)", "label_replace(up, \"a\")", "count_values(1, up)", "up @ start",
    "sum by (1) (up)", "up unless ignoring", "a:b{", "`", "'", '"', "$", "up; down", "{__name__=\"a\"",
    'a{__name__="b"}', 'label_replace(up, "0", "", "a", "(")', 'count_values("0-", up)', "1 offset 5m",
    "up[5m:0s]", "up[5m] offset 5m offset 5m", "avg_over_time(up)", "scalar(1)", "vector(up)",
]

PARAMETERS = [
    ("query", {}), ("query", {"query": "1", "time": "never"}),
    ("query", {"query": "1", "timeout": "x"}), ("query", {"query": "1", "timeout": "-5s"}),
    ("query", {"query": "1", "limit": "-1"}), ("query", {"query": "1", "limit": "x"}),
    ("query", {"query": "1", "time": "1e400"}), ("query", {"query": "1", "time": "NaN"}),
    ("query", {"query": "1", "lookback_delta": "x"}),
    ("query_range", {"query": "1"}), ("query_range", {"query": "1", "start": "1"}),
    ("query_range", {"query": "1", "start": "1", "end": "2"}),
    ("query_range", {"query": "1", "start": "2", "end": "1", "step": "1"}),
    ("query_range", {"query": "1", "start": "1", "end": "2", "step": "0"}),
    ("query_range", {"query": "1", "start": "1", "end": "2", "step": "-1"}),
    ("query_range", {"query": "1", "start": "1", "end": "2", "step": "x"}),
    ("query_range", {"query": "1", "start": "0", "end": "11001", "step": "1"}),
    ("query_range", {"query": "1", "start": "0", "end": "1e18", "step": "1"}),
    ("query_range", {"query": "up[5m]", "start": "0", "end": "10", "step": "1"}),
    ("query_range", {"query": '"a"', "start": "0", "end": "10", "step": "1"}),
    ("series", {}), ("series", {"match[]": "("}), ("series", {"match[]": "{}"}),
    ("series", {"match[]": "up", "start": "x"}), ("series", {"match[]": 'rate(up[5m])'}),
    ("labels", {"match[]": "{"}), ("labels", {"start": "x"}), ("labels", {"limit": "x"}),
    ("label/%00/values", {}), ("label/a-b/values", {}), ("metadata", {"limit": "x"}), ("metadata", {"limit_per_metric": "x"}),
    ("targets", {"state": "nonsense"}), ("nonsense", {}), ("format_query", {"query": "("}),
    ("parse_query", {"query": "("}),
]


def answer(server, path, parameters, method="POST"):
    text = urllib.parse.urlencode(parameters)
    if method == "GET":
        status, body = server.request("GET", f"/api/v1/{path}?{text}")
    else:
        status, body = server.request("POST", f"/api/v1/{path}", text, FORM)
    try:
        value = json.loads(body)
    except ValueError:
        return status, body[:200]
    value.pop("data", None)
    return status, value


def query(server, text, **more):
    return answer(server, "query", {"query": text, **more})


def load(server, at, count=2000):
    S.push(server, [({"__name__": "bad", "i": str(i), "g": str(i % 7)},
                     [(at - 15000 * k, float(i * k)) for k in range(20, -1, -1)])
                    for i in range(count)])


def check_queries(checks):
    with S.Folder() as folder:
        at = int(time.time() * 1000)
        ours, theirs = pair(folder, "global: {}\n", ["--query.max-samples=1000"])
        try:
            for server in (theirs, ours):
                server.start()
                load(server, at)
            for text in MALFORMED:
                checks.equal(f"queries/{text!r}", query(ours, text), query(theirs, text))
            for path, parameters in PARAMETERS:
                checks.equal(f"queries/{path}{parameters}", answer(ours, path, parameters, "GET"),
                             answer(theirs, path, parameters, "GET"))
            for text in ("bad", "sum(bad)", "rate(bad[5m])", 'bad{i="1"}[5m:1s]', "bad + bad"):
                checks.equal(f"queries/samples/{text}", query(ours, text, time=at / 1000),
                             query(theirs, text, time=at / 1000))
            check_monsters(checks, ours, theirs)
        finally:
            ours.stop(), theirs.stop()
        check_timeouts(checks, folder, at)


def check_monsters(checks, ours, theirs):
    """Long and deep ones. Where a depth is beyond Narthex, it says so; it never ends."""
    for name, text in {
        "garbage": "\x01" * (1 << 20), "name": "a" * (1 << 20), "unended": '"' + "a" * (1 << 20),
        "regex": 'bad{i=~"' + "(a|b)" * 50_000 + '"}',
        "matchers": "bad{" + ",".join(f'a{i}="b"' for i in range(50_000)) + "}",
    }.items():
        got, expected = query(ours, text), query(theirs, text)
        same = got[0] == expected[0] and got[1].get("errorType") == expected[1].get("errorType")
        checks.true(f"queries/long/{name}", same, (str(got)[:300], str(expected)[:300]))
    for name, text in {
        # Prometheus takes minutes over this one.
        "chain": "1" + "+1" * 100_000,
        "parens": "(" * 100_000 + "1" + ")" * 100_000, "open": "(" * 1_000_000,
        "minus": "-" * 1_000_000 + "1", "calls": "abs(" * 50_000 + "bad" + ")" * 50_000,
        "subqueries": "bad" + "[5m:1m]" * 10_000, "power": "1" + "^1" * 200_000,
        "regex": 'bad{i=~"' + "(" * 100_000 + ")" * 100_000 + '"}',
        "repeats": 'bad{i=~"((((a{100}){100}){100}){100})"}',
    }.items():
        status, value = query(ours, text)
        checks.true(f"queries/deep/{name}", status in (200, 400, 422), (status, str(value)[:300]))
    checks.true("queries/alive", query(ours, "1")[0] == 200)
    checks.true("queries/memory", resident(ours) < 1 << 30, resident(ours))


def check_timeouts(checks, folder, at):
    ours, theirs = pair(folder, "global: {}\n", ["--query.timeout=1ms"])
    slow = {"query": 'sum_over_time((count by (g) (bad * on(i) bad))[1d:1s])', "time": at / 1000}
    try:
        ours.start(), theirs.start()
        # Prometheus says it in one of two ways, by where the time is over.
        got, expected = answer(ours, "query", slow), answer(theirs, "query", slow)
        checks.true("queries/timeout", expected[0] in (503, 422), expected)
        checks.true("queries/timeout", got[0] == 503 and "timed out" in got[1]["error"], got)
    finally:
        ours.stop(), theirs.stop()
    ours, _ = pair(folder, "global: {}\n", ["--query.max-concurrency=4"])
    ours.start()
    try:
        begin = time.time()
        with concurrent.futures.ThreadPoolExecutor(200) as pool:
            answers = list(pool.map(
                lambda _: query(ours, "sum(rate(bad[5m]))", time=at / 1000)[0], range(200)))
        checks.equal("queries/200 at once", sorted(set(answers)), [200])
        print(f"queries: 200 at once took {time.time() - begin:.1f} s", flush=True)
        check_departures(checks, ours, slow)
    finally:
        ours.stop()


def check_departures(checks, ours, slow):
    """Clients that go away: their queries end, and the places are free again."""
    for _ in range(20):
        with socket.create_connection(("127.0.0.1", ours.port)) as client:
            path = "/api/v1/query?" + urllib.parse.urlencode(slow)
            client.sendall(f"GET {path} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
    begin = time.time()
    status = query(ours, "1")[0]
    checks.true("queries/clients that go", status == 200 and time.time() - begin < 10,
                (status, time.time() - begin))
