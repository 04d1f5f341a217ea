# SPDX-License-Identifier: Apache-2.0
"""Connections that push rounds of samples and know what was acknowledged. Standard library only.

Each round has a sample of each of SERIES series whose value is the number of the round, and a native
histogram of each of HISTOGRAMS series whose count is that number. So the sum of what is stored of a
series tells whether anything is missing.
"""
import http.client
import struct
import threading
import time

import servers as S

SERIES = 1800
HISTOGRAMS = 200
STEP = 50


def _zigzag(n):
    return S._varint(n << 1 if n >= 0 else (-n << 1) - 1)


def histogram_message(count, timestamp):
    """Two buckets apart, all observations in them; the layout changes every seven rounds."""
    gap = count // 7 % 3
    half = count // 2
    spans = [(0, 1), (gap, 1)]
    deltas = [half, count - half - half]
    body = b"\x08" + S._varint(count)
    body += b"\x19" + struct.pack("<d", float(count))
    body += b"\x20" + _zigzag(1)
    body += b"\x29" + struct.pack("<d", 0.001)
    body += b"\x30" + S._varint(0)
    for offset, length in spans:
        body += S._field(11, b"\x08" + _zigzag(offset) + b"\x10" + S._varint(length))
    body += S._field(12, b"".join(_zigzag(d) for d in deltas))
    return body + b"\x78" + S._varint(timestamp)


def histogram_series(labels, count, timestamp):
    body = b"".join(
        S._field(1, S._field(1, k.encode()) + S._field(2, v.encode())) for k, v in sorted(labels.items()))
    return S._field(1, body + S._field(4, histogram_message(count, timestamp)))


class Pushes(threading.Thread):
    """One connection that pushes round after round, and knows the last one that was acknowledged.

    With `late`, every fourth pair of rounds comes in the wrong order, which takes a server with an
    out-of-order window."""

    def __init__(self, worker, start, late=False, histograms=True):
        super().__init__(daemon=True)
        self.worker, self.start_time = worker, start
        self.late, self.histograms = late, histograms
        self.errors = 0
        self.last_error = b""
        self.acknowledged = self.sent = self.checked = 0
        self.port = None
        self.paused = threading.Event()
        self.refused = []
        # One request is built; each round writes its value and time into copies of it.
        self.body, self.places = bytearray(), []
        for i in range(SERIES):
            series = S.series_message(
                {"__name__": "crash_value", "worker": str(worker), "i": str(i)}, [(start, 0.0)])
            self.body += series
            self.places.append(len(self.body) - 15)

    def request(self, number):
        sample = S.sample_message(self.start_time + number * STEP, float(number))
        value, at = sample[1:9], sample[10:]
        for place in self.places:
            self.body[place:place + 8] = value
            self.body[place + 9:place + 15] = at
        body = bytes(self.body)
        if self.histograms:
            at = self.start_time + number * STEP
            body += b"".join(
                histogram_series(
                    {"__name__": "crash_histogram", "worker": str(self.worker), "i": str(i)}, number, at)
                for i in range(HISTOGRAMS))
        return S.snappy(body)

    def order(self, position):
        """The round that is sent at a position: 1 2 3 4 5 6 8 7 9 …"""
        if not self.late or position % 8 not in (7, 0) or position == 0:
            return position
        return position + 1 if position % 8 == 7 else position - 1

    def run(self):
        connection = None
        while True:
            if self.paused.is_set() or self.port is None:
                connection = None
                time.sleep(0.005)
                continue
            # After a crash the round in flight may be stored or not; it is sent again, which is the
            # same sample and so is accepted either way.
            number = self.acknowledged + 1
            self.sent = number
            body = self.request(self.order(number))
            try:
                connection = connection or http.client.HTTPConnection("127.0.0.1", self.port, timeout=30)
                connection.request("POST", "/api/v1/write", body, S.WRITE_HEADERS)
                response = connection.getresponse()
                text = response.read()
                if response.status == 204:
                    self.acknowledged = number
                elif response.status < 500:
                    self.refused.append((number, response.status, text[:200]))
                    return
                else:
                    self.errors += 1
                    self.last_error = text[:200]
                    time.sleep(0.05)
            except (OSError, http.client.HTTPException):
                connection = None
                time.sleep(0.005)


def check_series(server, worker, first, name, total, expected_series, faults):
    """What is stored of one metric of a worker after the round `first`: all that was acknowledged,
    and nothing twice."""
    at = (worker.start_time + (worker.sent + 2) * STEP) / 1000
    selector = f'{name}{{worker="{worker.worker}"}}[{(worker.sent + 2 - first) * STEP}ms]'
    rows = server.query(f"count_over_time({selector})", at)
    sums = {r["metric"]["i"]: float(r["value"][1])
            for r in server.query(total.format(f"sum_over_time({selector})"), at)}
    if len(rows) != expected_series:
        faults.append(f"worker {worker.worker}: {len(rows)} of {expected_series} series of {name} "
                      f"after {worker.acknowledged} rounds")
    for row in rows:
        n, i = first + int(row["value"][1]), row["metric"]["i"]
        expected = sum(worker.order(position) for position in range(first + 1, n + 1))
        if not worker.acknowledged <= n <= worker.sent or sums.get(i) != expected:
            faults.append(f"worker {worker.worker} series {name} {i}: {n - first} samples after the "
                          f"first {first}, sum {sums.get(i)}, acknowledged {worker.acknowledged}, "
                          f"sent {worker.sent}")
            return


def check_pushes(server, workers, whole=True):
    """Looks at all that the workers ever pushed, or at what came since the last look."""
    faults = []
    for w in workers:
        if w.refused:
            faults.append(f"worker {w.worker}: refused {w.refused[:2]}")
        if w.acknowledged == 0:
            continue
        first = 0 if whole else w.checked
        check_series(server, w, first, "crash_value", "{}", SERIES, faults)
        if w.histograms:
            check_series(server, w, first, "crash_histogram", "histogram_count({})", HISTOGRAMS, faults)
        # Rounds change places within eight, so what is before a multiple of eight is as sent.
        w.checked = max(0, w.acknowledged // 8 * 8 - 8)
    return faults
