# SPDX-License-Identifier: Apache-2.0
"""Starting servers and asking them, for the scripts beside this file. Standard library only."""
import http.client
import json
import os
import shutil
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
NARTHEX = os.environ.get("NARTHEX_BIN", os.path.join(ROOT, ".build/release/narthex"))
PEERS = os.path.expanduser(os.environ.get("PEERS_DIR", "~/.cache/peers") + "/bin")


def peer(name):
    path = os.path.join(PEERS, name)
    if not os.path.exists(path):
        sys.exit(f"{path} is missing: run `make peers` first")
    return path


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """One server process with a data folder and a port of its own."""

    def __init__(self, binary, data, config=None, port=None, flags=(), log=None):
        self.binary, self.data, self.flags = binary, data, list(flags)
        self.port = port or free_port()
        self.config = config
        self.log = log
        self.process = None

    def start(self, wait=60):
        command = [
            self.binary,
            f"--storage.tsdb.path={self.data}",
            f"--web.listen-address=127.0.0.1:{self.port}",
            "--storage.tsdb.retention.time=100y",
            "--web.enable-admin-api",
            "--web.enable-remote-write-receiver",
            "--web.enable-lifecycle",
        ] + self.flags
        if self.config:
            command.append(f"--config.file={self.config}")
        out = open(self.log, "ab") if self.log else subprocess.DEVNULL
        self.process = subprocess.Popen(command, stdout=out, stderr=out)
        if wait:
            self.wait_ready(wait)
        return self

    def wait_ready(self, seconds=60):
        end = time.time() + seconds
        while time.time() < end:
            if self.process.poll() is not None:
                raise RuntimeError(f"{self.binary} ended with {self.process.returncode}")
            try:
                if self.request("GET", "/-/ready")[0] == 200:
                    return
            except OSError:
                pass
            time.sleep(0.02)
        raise RuntimeError(f"{self.binary} was not ready within {seconds} s")

    def request(self, method, path, body=None, headers=None):
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=60)
        try:
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def api(self, path, params=()):
        status, body = self.request("GET", f"/api/v1/{path}?" + urllib.parse.urlencode(params, True))
        answer = json.loads(body)
        if answer["status"] != "success":
            raise RuntimeError(f"{path} {params}: {status} {answer}")
        return answer["data"]

    def query(self, expression, at):
        return self.api("query", {"query": expression, "time": at})["result"]

    def stop(self, sign=signal.SIGTERM):
        if self.process and self.process.poll() is None:
            self.process.send_signal(sign)
            self.process.wait(60)


class Folder:
    """A temporary folder that goes away at the end, unless KEEP is set."""

    def __enter__(self):
        self.path = tempfile.mkdtemp(prefix="narthex-")
        return self.path

    def __exit__(self, *_):
        if os.environ.get("KEEP"):
            print("kept", self.path)
        else:
            shutil.rmtree(self.path, ignore_errors=True)


# Remote write 1.0: protobuf WriteRequest in a snappy block that holds literals only.

def _varint(n):
    out = bytearray()
    while n >= 0x80:
        out.append(n & 0x7F | 0x80)
        n >>= 7
    out.append(n)
    return bytes(out)


def _field(number, payload):
    return _varint(number << 3 | 2) + _varint(len(payload)) + payload


def sample_message(timestamp, value):
    return b"\x09" + struct.pack("<d", value) + b"\x10" + _varint(timestamp & (1 << 64) - 1)


def _signed(n):
    return _varint((n << 1 ^ n >> 63) & (1 << 64) - 1)


def _doubles(number, values):
    return _field(number, struct.pack(f"<{len(values)}d", *values)) if values else b""


def histogram_message(timestamp, histogram):
    """A native histogram of float counts from a dict: schema, count, sum, zero (threshold, count),
    positive and negative (spans as (offset, length), counts), bounds, hint (0 to 3)."""
    out = b"\x11" + struct.pack("<d", histogram["count"])
    out += b"\x19" + struct.pack("<d", histogram["sum"])
    out += b"\x20" + _signed(histogram["schema"])
    threshold, zeros = histogram.get("zero", (0.0, 0.0))
    out += b"\x29" + struct.pack("<d", threshold) + b"\x39" + struct.pack("<d", zeros)
    for side, spans_field, counts_field in (("negative", 8, 10), ("positive", 11, 13)):
        spans, counts = histogram.get(side, ((), ()))
        for offset, length in spans:
            out += _field(spans_field, b"\x08" + _signed(offset) + b"\x10" + _varint(length))
        out += _doubles(counts_field, counts)
    out += b"\x70" + _varint(histogram.get("hint", 0))
    out += b"\x78" + _varint(timestamp & (1 << 64) - 1)
    return out + (_field(16, struct.pack(f"<{len(histogram['bounds'])}d", *histogram["bounds"]))
                  if histogram.get("bounds") else b"")


def series_message(labels, samples):
    """One series of a request: labels as a dict, samples as (timestamp in ms, value) pairs; a value
    is a float or the dict of a histogram."""
    body = b"".join(
        _field(1, _field(1, k.encode()) + _field(2, v.encode())) for k, v in sorted(labels.items()))
    for timestamp, value in samples:
        body += (_field(4, histogram_message(timestamp, value)) if isinstance(value, dict)
                 else _field(2, sample_message(timestamp, value)))
    return _field(1, body)


def write_request(series):
    return snappy(b"".join(series_message(labels, samples) for labels, samples in series))


def snappy(data):
    out = bytearray(_varint(len(data)))
    for at in range(0, len(data), 65536):
        piece = data[at:at + 65536]
        out += b"\xf4" + struct.pack("<H", len(piece) - 1) + piece
    return bytes(out)


WRITE_HEADERS = {
    "Content-Type": "application/x-protobuf",
    "Content-Encoding": "snappy",
    "X-Prometheus-Remote-Write-Version": "0.1.0",
}


def half_past():
    """The last time, in seconds, that was half an hour behind the beginning of a block."""
    return (int(time.time()) - 1800) // 7200 * 7200 + 1800


def push(server, series):
    status, body = server.request("POST", "/api/v1/write", write_request(series), WRITE_HEADERS)
    if status != 204:
        raise RuntimeError(f"write: {status} {body[:200]!r}")
