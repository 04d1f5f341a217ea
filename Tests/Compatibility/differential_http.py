# SPDX-License-Identifier: Apache-2.0
"""The HTTP API of two servers with the same data, compared: statuses, chosen headers and JSON."""
import gzip
import http.client
import itertools
import json
import re
import time
from urllib.parse import quote, urlencode

# Requests that are answered otherwise on purpose, or by chance, by a part of their text.
KNOWN = {
    "/api/v1/parse_query": "3.6 to 3.14: more members of the tree",
    "stats=x": "3.14: deprecated values of stats are warned of",
    "stats=false": "3.14: deprecated values of stats are warned of",
    "timeout=": "where a query stops that is over its time is left to chance, and so is its error",
    "/api/v1/status/config": "3.6 to 3.14: more settings, which have defaults",
    "/api/v1/label/zone/values?start=1700000000&end=1700003600&limit=": "upstream's limit keeps any",
    "lookback_delta=0.0001": "upstream loses the first step for deltas below a millisecond",
    "lookback_delta=1e-9": "upstream loses the first step for deltas below a millisecond",
    "9223372036854775&": "compared before the product with 1000 wraps, here behind it",
    "'Accept-Encoding'": "gzip is read as the standard says; deflate is not offered",
}

# Texts of errors that are taken out of both answers: chance, or other words since 3.5.
TEXTS = [
    # Which duplicates are named, and in which order, is left to chance.
    (r"found duplicate series for the match group .*", "found duplicate series"),
    # 3.13: more may stand for a duration.
    (r"expected number, duration, step\(\), or range\(\)", "expected number or duration"),
    # 3.6: NaN is told apart from numbers that are too large.
    (r"Parameter value is NaN", "Scalar value NaN overflows int64"),
]

FORM = {"Content-Type": "application/x-www-form-urlencoded"}
TIMES = ["", "0", "1700001000", "1700001000.123", "1.7e9", "1700001000.0005", "1700001000.9999",
         "-1", "-0.5", "NaN", "nan", "Inf", "-Inf", "+Inf", "1e300", "9223372036854775",
         "9223372036854775807", "9223372036854775808", "0x10", "1_000", " 1700001000", "now",
         "2023-11-14T22:30:00Z", "2023-11-14T22:30:00.5Z", "2023-11-14T22:30:00,5Z",
         "2023-11-14T23:30:00+01:00", "2023-11-14T22:30:00", "2023-11-14", "2023-11-14T22:30:60Z",
         "2023-02-29T00:00:00Z", "2023-11-14t22:30:00z", "2023-11-14T24:00:00Z",
         "2023-11-14T2:30:00Z", "0000-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
         "-292273086-05-16T16:47:06Z", "292277025-08-18T07:12:54.999999999Z",
         "2023-11-14T22:30:00+25:00", "2023-11-14T22:30:00-00:00", "1700001000s"]
DURATIONS = ["", "0", "1", "15", "0.5", "0.0001", "1e-9", "-1", "NaN", "Inf", "1m", "1m30s", "30s1m",
             "1h0m", "1.5m", "90", "1d", "1y", "300y", "1ms", "1M", "m", "5", "0s", "-1m", "1e10",
             "1e300", "9223372036", "9223372037", "0x10", "1 m", "1m ", "+1m", "1w2d"]
NUMBERS = ["", "0", "1", "2", "100", "-1", "1.5", "abc", "+1", "01", "9223372036854775807",
           "9223372036854775808", "1e2", " 1", "0x1", "1_0"]
QUERIES = ["up", "", " ", "up{", "sum(", "1", '"text"', "up[5m]", "rate(up)", "up offset",
           "rate(requests_total[5m])", "1 +", "foo bar", "up{job=~\"[\"}", "{}", "{job=\"\"}",
           "up{job=\"a\" job=\"b\"}", "sum by (job) (up)", "unknown(up)", "up == bool", "1 == 1",
           "1 == bool 1", "up and 1", "up[0s]", "up[5m:0s]", "up @ foo", "time()", "vector(time())",
           "absent(nothing)", "up{__name__=\"x\"}", "topk(1)", "topk(-1, up)", "topk(NaN, up)",
           "quantile(2, up)", "label_replace(up, \"x y\", \"1\", \"job\", \".*\")",
           "label_replace(up, \"a\", \"$1\", \"job\", \"(\")", "label_join(up, \"\", \"-\", \"job\")",
           "count_values(\"\", up)", "up * on(job) up", "up * on(job) group_left() up",
           "odd_values", "up{instance='a'}", "up{`job`='api'}", "\u00e9", "{\"m\u00e9trique.points\"}",
           "histogram_quantile(0.9, plain_seconds_bucket)", "up /* c */", "# only a comment",
           "up # comment", "-up", "+up", "--1", "1e", "0b1", "1h", "5m", "1_000", "Inf", "nan",
           "up offset 5", "up[5]", "up[5m] offset -1m", "up @ 1700001000", "up @ end()",
           "sort(up)", "sort_by_label(up, \"instance\")", "info(up)", "limitk(1, up)",
           "mad_over_time(up[5m])", "scalar(up)", "pi()", "rate(up[5m", "{__name__=~\".*\"}",
           "up{job!~\".*\"}", "sum without () (up)", "avg(up) by (job) (up)", "a" * 200]
MATCHES = ["up", "{job=\"api\"}", "", "{}", "up{", "{job=~\".*\"}", "{job=~\"a.*\"}", "1", "up[5m]",
           "rate(up[5m])", "{\"m\u00e9trique.points\"}", "nothing", "{__name__=~\"odd.*\"}",
           "{job=\"\"}", "{zone=\"\",__name__=\"temperature\"}", "up offset 5m", "{zone!=\"north\"}",
           "{job!=\"\"}", "sum(up)", "up{instance=~\"a|b\"}"]


def requests(start):
    """All requests: method, path, body, headers."""
    base = {"query": "up", "time": start + 1000}
    ranges = {"query": "up", "start": start + 60, "end": start + 600, "step": 60}

    def both(path, parameters):
        text = urlencode(parameters, True)
        yield "GET", f"{path}?{text}", None, {}
        yield "POST", path, text, FORM

    def vary(path, fixed, name, values):
        for value in values:
            yield from both(path, {**fixed, name: value})

    yield from vary("/api/v1/query", base, "query", QUERIES)
    yield from vary("/api/v1/query_range", ranges, "query", QUERIES)
    yield from vary("/api/v1/query", base, "time", TIMES)
    for name in ("start", "end"):
        yield from vary("/api/v1/query_range", ranges, name, TIMES)
    yield from vary("/api/v1/query_range", ranges, "step", DURATIONS)
    for path, fixed in (("/api/v1/query", base), ("/api/v1/query_range", ranges)):
        yield from vary(path, fixed, "timeout", DURATIONS)
        yield from vary(path, fixed, "lookback_delta", DURATIONS)
        yield from vary(path, fixed, "limit", NUMBERS)
        yield from vary(path, fixed, "unknown", ["1"])
        for missing in fixed:
            yield from both(path, {k: v for k, v in fixed.items() if k != missing})
        yield from both(path, {})
        for name, value in fixed.items():
            yield from both(path, [*fixed.items(), (name, value), (name, "odd")])
            yield from both(path, [(name, "odd"), *fixed.items()])
    for end, step in itertools.product([start - 1, start + 60, start + 11000, start + 11060,
                                        start + 10**9], [1, 60, 0.001]):
        yield from both("/api/v1/query_range", {**ranges, "end": end, "step": step})
    for query in QUERIES:
        yield from both("/api/v1/format_query", {"query": query})
        yield from both("/api/v1/parse_query", {"query": query})
    span = {"start": start, "end": start + 3600}
    for path in ("/api/v1/series", "/api/v1/labels", "/api/v1/label/job/values",
                 "/api/v1/label/__name__/values", "/api/v1/label/\u00e9tat.label/values",
                 "/api/v1/label/U___e9_tat_2e_label/values", "/api/v1/label/zone/values",
                 "/api/v1/label/a-b/values", "/api/v1/label//values", "/api/v1/label/9/values",
                 "/api/v1/label/%ff/values", "/api/v1/label/U__x/values"):
        path = quote(path, safe="/%")
        methods = both if path.count("/") < 4 else lambda p, q: list(both(p, q))[:1]
        for match in MATCHES:
            yield from methods(path, {**span, "match[]": match})
        for first, second in zip(MATCHES, MATCHES[1:]):
            yield from methods(path, {**span, "match[]": [first, second]})
        for name in ("start", "end"):
            for value in TIMES:
                yield from methods(path, {**span, name: value, "match[]": "up"})
        for value in NUMBERS:
            yield from methods(path, {**span, "limit": value, "match[]": "{job=\"api\"}"})
        yield from methods(path, {})
        yield from methods(path, {"match[]": "up"})
        yield from methods(path, {"start": start + 3600, "end": start, "match[]": "up"})
    yield from odd_requests(start)


def odd_requests(start):
    """Methods, paths, bodies and encodings that clients get wrong."""
    paths = ["/api/v1/query", "/api/v1/query_range", "/api/v1/series", "/api/v1/labels",
             "/api/v1/label/job/values", "/api/v1/targets", "/api/v1/targets/metadata",
             "/api/v1/metadata", "/api/v1/rules", "/api/v1/alerts", "/api/v1/alertmanagers",
             "/api/v1/scrape_pools", "/api/v1/query_exemplars", "/api/v1/format_query",
             "/api/v1/parse_query", "/api/v1/nothing", "/api/v1/", "/api/v1", "/api/v2/query",
             "/api", "/-/healthy", "/-/ready", "/-/reload", "/-/nothing", "/federate", "/nothing",
             "/api/v1/query/", "/api/v1//query", "//api/v1/query", "/api/v1/./query",
             "/api/v1/x/../query", "/API/v1/query", "/api/v1/labels/", "/api/v1/label/job",
             "/api/v1/status/config", "/api/v1/status/nothing", "/api/v1/admin/tsdb/snapshot/x",
             "/api/v1/write", "/api/v1/read", "/api/v1/otlp/v1/metrics"]
    for path in paths:
        for method in ("GET", "HEAD", "OPTIONS", "PUT", "DELETE", "PATCH", "POST"):
            if "reload" not in path or method in ("GET", "HEAD", "OPTIONS", "PATCH"):
                yield method, path, None, {}
    good = f"query=up&time={start + 1000}"
    for text in ("query=up&time=%ff", "query=%zz", "query=%", "query=up;time=1", "query=up%00",
                 "query=%ff", "query=%22%ff%22", "query=up{job%3D\"%ff\"}", "query", "=up", "&&",
                 "query=up&time=%31700001000", "query=up+", "query=1%2B1", "query=1+1",
                 good + "#fragment", good + "&%", good + "&a=%ff", good + "&stats=all",
                 good + "&stats=true", good + "&stats=", good + "&stats=x", good + "&stats=false",
                 "%71uery=up", "QUERY=up", "query[]=up", "query=up&query=down"):
        yield "GET", "/api/v1/query?" + text, None, {}
        yield "POST", "/api/v1/query", text, FORM
        yield "GET", "/api/v1/labels?match[]=" + text, None, {}
    for kind in ("", "text/plain", "application/json", "application/x-www-form-urlencoded; charset",
                 "multipart/form-data", "multipart/form-data; boundary=x",
                 "APPLICATION/X-WWW-FORM-URLENCODED", "application/x-www-form-urlencoded; a=b",
                 "bad/", "/", "a b"):
        yield "POST", "/api/v1/query", good, {"Content-Type": kind} if kind else {}
        yield "POST", "/api/v1/query?" + good, good, {"Content-Type": kind} if kind else {}
        yield "POST", "/api/v1/query?query=vector(2)", good, {"Content-Type": kind} if kind else {}
    for encoding in ("gzip", "deflate", "br", "identity", "*", "gzip;q=0", "gzip, deflate", "zstd",
                     "GZIP", "gzip;q=0.5", ""):
        yield ("GET", f"/api/v1/query?{urlencode({'query': '{job!=``}', 'time': start + 1000})}",
               None, {"Accept-Encoding": encoding})
    yield "POST", "/api/v1/query", gzip.compress(good.encode()), {**FORM, "Content-Encoding": "gzip"}
    for origin in ("", "http://a.b", "null"):
        yield "GET", "/api/v1/query?" + good, None, {"Origin": origin}
        yield "OPTIONS", "/api/v1/query?" + good, None, {"Origin": origin}
    for text in ("", "match[]=up", "match[]=up&match[]=odd_values", "match[]=", "match[]={", "match[]=1",
                 "match[]=nothing"):
        yield "GET", "/federate?" + text, None, {}
    for text in ("", "query=up", "query=up&start=1&end=2", "query=up{&start=1&end=2",
                 "query=up&start=2&end=1", "query=up&start=x"):
        yield "GET", "/api/v1/query_exemplars?" + text, None, {}
    for text in ("limit=0", "limit=-1", "limit=1", "limit=x", "metric=up", "limit_per_metric=1",
                 "limit_per_metric=x", "limit_per_metric=-1", "metric=up&limit=0"):
        yield "GET", "/api/v1/metadata?" + text, None, {}
        yield "GET", "/api/v1/targets/metadata?" + text, None, {}
    for text in ("state=active", "state=dropped", "state=any", "state=x", "scrapePool=x",
                 "state=ACTIVE", "state="):
        yield "GET", "/api/v1/targets?" + text, None, {}
    for text in ("type=alert", "type=record", "type=x", "exclude_alerts=true", "exclude_alerts=x",
                 "match[]=up", "match[]={a=\"b\"}", "group_limit=1", "group_limit=x", "group_limit=-1",
                 "group_next_token=x", "group_limit=1&group_next_token=x", "rule_name[]=a",
                 "file[]=a", "rule_group[]=a"):
        yield "GET", "/api/v1/rules?" + text, None, {}


def ask(server, method, path, body, headers):
    """Status, chosen headers and the body in comparable form."""
    connection = http.client.HTTPConnection("127.0.0.1", server.port, timeout=30)
    try:
        connection.putrequest(method, path.encode("latin-1", "replace").decode("latin-1"),
                              skip_accept_encoding=True)
        for name, value in headers.items():
            connection.putheader(name, value)
        body = body.encode() if isinstance(body, str) else body
        if body is not None:
            connection.putheader("Content-Length", str(len(body)))
        connection.endheaders(body)
        response = connection.getresponse()
        data = response.read()
    finally:
        connection.close()
    kept = {name.lower(): value for name, value in response.getheaders()
            if name.lower() in ("content-type", "content-encoding", "location", "allow", "vary")
            or name.lower().startswith("access-control")}
    if kept.get("content-encoding") == "gzip":
        data = gzip.decompress(data)
    try:
        data = json.loads(data)
    except ValueError:
        data = data.decode("utf-8", "replace")
    return response.status, kept, comparable(data)


def comparable(data):
    """Answers without what is bound to differ: orders left to chance, timings, and what newer
    versions say otherwise on purpose."""
    if not isinstance(data, dict):
        return data
    for name in ("infos", "warnings"):
        if name in data:
            texts = sorted(filter(None, map(annotation, data[name])))
            data[name] = texts
            if not texts:
                del data[name]
    if "error" in data:
        for pattern, text in TEXTS:
            data["error"] = re.sub(pattern, text, data["error"])
    if not isinstance(data.get("data"), dict):
        return data
    inner = data["data"]
    replace_now(inner.get("result"))
    if isinstance(inner.get("result"), list) and inner.get("resultType") in ("vector", "matrix"):
        inner["result"].sort(key=lambda one: json.dumps(one.get("metric"), sort_keys=True))
    if "stats" in inner:
        inner["stats"].pop("timings", None)
        inner["stats"].get("samples", {}).pop("samplesRead", None)
    return data


def replace_now(result):
    """Queries without a time are evaluated now, which is not the same for both servers."""
    points = result if isinstance(result, list) else []
    for point in [points, *(one["value"] for one in points
                            if isinstance(one, dict) and "value" in one)]:
        if point and isinstance(point[0], (int, float)) and abs(point[0] - time.time()) < 600:
            point[0] = "now"


def annotation(text):
    """As KnownDifferences of Tests/Differential."""
    if "is ineffective for range queries" in text:
        return None
    text = re.sub(r", from buckets .* over \d+ samples from \S+ to \S+", "", text)
    return re.sub(r' for metric name "[^"]*"', "", text)


def run(left, right, start, known=KNOWN):
    """The number of disagreements."""
    count = different = 0
    for request in requests(start):
        answers = []
        for server in (left, right):
            try:
                answers.append(ask(server, *request))
            except (OSError, http.client.HTTPException) as error:
                answers.append((0, {}, repr(error)))
        count += 1
        if answers[0] == answers[1]:
            continue
        name = f"{request[0]} {request[1]} {request[2] or ''} {request[3] or ''}"
        reason = next((why for part, why in known.items() if part in name), None)
        if reason:
            continue
        different += 1
        print(f"DIFFERENT {name}")
        for first, second in zip(*answers):
            if isinstance(first, dict) and isinstance(second, dict):
                keys = [key for key in first.keys() | second.keys()
                        if first.get(key) != second.get(key)]
                first = {key: first.get(key) for key in keys}
                second = {key: second.get(key) for key in keys}
            if first != second:
                print(f"    {str(first)[:300]}\n    {str(second)[:300]}")
    print(f"{count} requests, {different} answered differently")
    return different


class Running:
    """A server that runs already."""

    def __init__(self, address):
        self.port = int(address.rsplit(":", 1)[1])
