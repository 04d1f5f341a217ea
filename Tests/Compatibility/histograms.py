# SPDX-License-Identifier: Apache-2.0
"""Series of native histograms for the scripts beside this file: integer and float, exponential and
custom buckets, counters and gauges, with resets, layouts that change, markers, and series that are
of floats for a while."""
import struct

import servers as S

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]
KINDS = ["integer", "float", "custom", "custom_float", "gauge", "gauge_float", "mixed"]


def _varint_field(number, value):
    return S._varint(number << 3) + S._varint(value & (1 << 64) - 1)


def _double_field(number, value):
    return S._varint(number << 3 | 1) + struct.pack("<d", value)


def _zigzag(value):
    return (value << 1) ^ (value >> 63)


def _spans(indexes):
    """Pairs of offset and length that cover sorted bucket indexes."""
    spans, end = [], 0
    for index in indexes:
        if spans and index == end:
            spans[-1][1] += 1
        else:
            spans.append([index - end if spans else index, 1])
        end = index + 1
    return spans


def _side(span_field, delta_field, count_field, buckets, is_float):
    out = b""
    for offset, length in _spans(sorted(buckets)):
        out += S._field(span_field, _varint_field(1, _zigzag(offset)) + _varint_field(2, length))
    counts = [buckets[i] for i in sorted(buckets)]
    if is_float:
        return out + S._field(count_field, b"".join(struct.pack("<d", c) for c in counts))
    deltas = [c - p for c, p in zip(counts, [0] + counts)]
    return out + S._field(delta_field, b"".join(S._varint(_zigzag(d) & (1 << 64) - 1) for d in deltas))


def message(timestamp, schema, positive, negative=None, zero=0, total=0.0, bounds=(), is_float=False, hint=0):
    """The protobuf of a histogram; buckets as a dict from index to count."""
    negative = negative or {}
    count = sum(positive.values()) + sum(negative.values()) + zero
    out = _double_field(2, count) if is_float else _varint_field(1, count)
    out += _double_field(3, total) + _varint_field(4, _zigzag(schema))
    if not bounds:
        out += _double_field(5, 0.001)
        out += _double_field(7, zero) if is_float else _varint_field(6, zero)
        out += _side(8, 9, 10, negative, is_float)
    out += _side(11, 12, 13, positive, is_float)
    out += _varint_field(14, hint) + _varint_field(15, timestamp)
    return out + b"".join(_double_field(16, b) for b in bounds)


def marker(timestamp, schema, is_float):
    """A marker of the form of its series: 3.5.3 loses what stands before one of another form."""
    count = _double_field(2, 0) if is_float else _varint_field(1, 0)
    schema = _varint_field(4, _zigzag(schema))
    return count + _double_field(3, STALE) + schema + _varint_field(15, timestamp)


class Source:
    """One series, which remembers what its next sample grows from."""

    def __init__(self, number, rng):
        self.kind = KINDS[number % len(KINDS)]
        self.rng = rng
        self.labels = {"__name__": f"folder_histogram_{self.kind}", "i": str(number), "job": "histograms"}
        self.is_float = self.kind.endswith("float")
        self.reset()

    def reset(self):
        custom = self.kind.startswith("custom")
        self.bounds = [0.5, 1, 2.5, 10][: self.rng.choice([3, 4])] if custom else ()
        self.schema = -53 if custom else self.rng.choice([0, 1, 3])
        # So many that no rate is extrapolated to below zero, which is prevented since 3.6 only.
        self.positive = {i: 500 for i in (range(len(self.bounds) + 1) if custom else range(4))}
        self.negative = {} if custom else {0: 500}
        self.zero, self.total = 0 if custom else 500, 8192.0

    def grow(self):
        rng = self.rng
        if self.kind.startswith("gauge"):
            self.positive = {i: rng.randrange(50) for i in range(rng.choice([3, 5, 8]))}
            self.zero = rng.randrange(5)
            self.total = rng.randrange(100 * 1024) / 1024
            return
        if rng.random() < 0.005:
            self.reset()
        if not self.bounds and rng.random() < 0.03:
            self.positive.setdefault(rng.randrange(-5, 30), 0)
        if not self.bounds and rng.random() < 0.02:
            # Empty buckets may go without a reset.
            self.positive = {i: c for i, c in self.positive.items() if c} or {0: 0}
        for side in (self.positive, self.negative):
            for index in side:
                side[index] += rng.randrange(4) * (0.5 if self.is_float else 1)
        if not self.bounds:
            self.zero += rng.randrange(2)
        self.total += rng.randrange(10 * 1024) / 1024

    def samples(self, times):
        """Floats as (timestamp, value) pairs, histograms as messages."""
        floats, histograms = [], []
        for t in times:
            if self.rng.random() < 0.02:
                continue
            if self.kind == "mixed" and t // 3_600_000 % 3 == 0:
                floats.append((t, self.rng.random()))
                continue
            if self.rng.random() < 0.005:
                histograms.append(marker(t, self.schema, self.is_float))
                continue
            self.grow()
            hint = 3 if self.kind.startswith("gauge") else 0
            histograms.append(message(
                t, self.schema, self.positive, self.negative, self.zero, self.total, self.bounds,
                self.is_float, hint))
        return floats, histograms


def series_message(labels, floats, histograms):
    body = b"".join(
        S._field(1, S._field(1, k.encode()) + S._field(2, v.encode())) for k, v in sorted(labels.items()))
    body += b"".join(S._field(2, S.sample_message(t, v)) for t, v in floats)
    return S._field(1, body + b"".join(S._field(4, h) for h in histograms))


def push(server, sources, times):
    body = S.snappy(b"".join(series_message(s.labels, *s.samples(times)) for s in sources))
    status, answer = server.request("POST", "/api/v1/write", body, S.WRITE_HEADERS)
    if status != 204:
        raise RuntimeError(f"write: {status} {answer[:200]!r}")


def queries(start, end):
    """Custom buckets with different bounds, rates of gauges, and sums that need rounding mean
    something else since 3.5."""
    middle = (start // 7200 + 1) * 7200
    yield from (("query", {"query": q, "time": t}) for t in (middle + 60, end - 3600, end - 5) for q in (
        "{job='histograms'}", "{job='histograms'}[20m]", "rate({__name__=~'folder_histogram_(integer|float)'}[30m])",
        "increase({__name__=~'folder_histogram_(integer|float)'}[2h])",
        "sum by (__name__) ({__name__=~'folder_histogram_(integer|float|gauge|gauge_float)'})",
        "histogram_quantile(0.9, rate({__name__=~'folder_histogram_(integer|float)'}[1h]))",
        "resets({__name__=~'folder_histogram_(integer|float|custom)'}[3h])",
        "histogram_count(folder_histogram_gauge)", "changes({job='histograms'}[3h])",
        "count_over_time({job='histograms'}[6h])"))
    yield "query_range", {"query": "rate(folder_histogram_integer[5m])", "start": start, "end": end, "step": 137}
    yield "query_range", {"query": "folder_histogram_mixed", "start": start, "end": end, "step": 97}
