# SPDX-License-Identifier: Apache-2.0
"""Series of native histograms of all kinds, for the comparison of two servers."""
import math
import struct

STALE = struct.unpack("<d", struct.pack("<Q", 0x7FF0000000000002))[0]


class Recorder:
    """Counts observations in exponential buckets, as an instrumented program does."""

    def __init__(self, dice, schema, threshold=0.001):
        self.dice, self.schema, self.threshold = dice, schema, threshold
        self.positive, self.negative, self.zeros, self.sum = {}, {}, 0, 0.0

    def halve(self):
        """A reset that leaves much, so that no rate is extrapolated to below zero."""
        for side in (self.positive, self.negative):
            for index in side:
                side[index] = max(1, side[index] // 2)
        self.zeros, self.sum = self.zeros // 2, self.sum / 2

    def observe(self, value):
        value = round(value * 1024) / 1024
        self.sum += value
        if abs(value) <= self.threshold:
            self.zeros += 1
            return
        side = self.positive if value > 0 else self.negative
        index = math.ceil(math.log2(abs(value)) * 2.0**self.schema)
        side[index] = side.get(index, 0) + 1

    def histogram(self, hint=0, scale=1.0):
        def side(counts):
            spans, values, before = [], [], None
            for index in sorted(counts):
                if before is not None and index == before + 1:
                    spans[-1][1] += 1
                else:
                    spans.append([index if before is None else index - before - 1, 1])
                values.append(counts[index] * scale)
                before = index
            return spans, values

        total = self.zeros + sum(self.positive.values()) + sum(self.negative.values())
        return {"schema": self.schema, "count": total * scale, "sum": self.sum * scale,
                "zero": (self.threshold, self.zeros * scale), "positive": side(self.positive),
                "negative": side(self.negative), "hint": hint}


def custom(counts, bounds, total):
    """A histogram with bounds of its own; empty buckets are left out."""
    spans, values, before = [], [], -1
    for index, count in enumerate(counts):
        if not count:
            continue
        if spans and index == before + 1:
            spans[-1][1] += 1
        else:
            spans.append([index - before - 1, 1])
        values.append(float(count))
        before = index
    return {"schema": -53, "count": float(sum(counts)), "sum": total, "positive": (spans, values),
            "bounds": bounds}


def counters(dice, end, step):
    """Counters with resets, gaps, observations below zero, and a change of schema and threshold."""
    for instance, schema, low in (("a", 0, -1), ("b", 2, 0), ("c", 3, -2)):
        recorder, samples = Recorder(dice, schema), []
        for at in range(0, end, step):
            if dice.random() < 0.02:
                recorder.halve()
            if instance == "c" and at == end // step // 2 * step:
                recorder = Recorder(dice, 1, 0.01)
            for _ in range(dice.randrange(0, 6) if recorder.sum else 5000):
                recorder.observe(dice.choice([0.0, dice.lognormvariate(0, 2),
                                              low * dice.random()]))
            if dice.random() > 0.06:
                samples.append((at, recorder.histogram()))
            elif dice.random() < 0.2:
                samples.append((at, STALE))
        yield {"__name__": "native_seconds", "job": "api", "instance": instance}, samples


def gauges(dice, end, step):
    """Gauges: counts go up and down."""
    for instance in "ab":
        samples = []
        for at in range(0, end, step):
            recorder = Recorder(dice, dice.choice([0, 1]))
            for _ in range(dice.randrange(0, 9)):
                recorder.observe(dice.gauss(0, 3))
            samples.append((at, recorder.histogram(3, dice.choice([1.0, 0.5]))))
        yield {"__name__": "native_sizes", "job": "web", "instance": instance}, samples


def customs(dice, end, step):
    """Bounds of one's own. All are equal: different ones are put together since 3.8 only."""
    bounds = [-1.0, 0.0, 0.1, 1.0, 10.0]
    for name, instance in (("custom_seconds", "a"), ("custom_seconds", "b"), ("custom_sizes", "a")):
        counts, total, samples = [900.0 + dice.randrange(9)] * (len(bounds) + 1), 512.0, []
        for at in range(0, end, step):
            if dice.random() < 0.02:
                counts, total = [count // 2 for count in counts], total / 2
            counts[dice.randrange(len(counts))] += dice.randrange(0, 5)
            total += dice.randrange(4096) / 1024
            samples.append((at, custom(counts, bounds, total)))
        yield {"__name__": name, "job": "api", "instance": instance}, samples


def mixed(dice, end, step):
    """Floats and histograms in one series, and a metric of which some series are histograms."""
    recorder, samples = Recorder(dice, 1), []
    for at in range(0, end, step):
        for _ in range(1 if recorder.sum else 5000):
            recorder.observe(dice.random() * 9)
        samples.append((at, recorder.histogram() if at // step // 7 % 2 else float(at // step)))
    yield {"__name__": "mixed_total", "job": "api", "instance": "a"}, samples
    yield ({"__name__": "mixed_total", "job": "api", "instance": "b"},
           [(at, float(at // step)) for at in range(0, end, step)])


def all_series(dice, end, step=15000):
    for kind in (counters, gauges, customs, mixed):
        yield from kind(dice, end, step)
