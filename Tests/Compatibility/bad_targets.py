# SPDX-License-Identifier: Apache-2.0
"""A server whose every path answers a scrape in a bad way of its own. For bad_input.py."""
import gzip
import socket
import struct
import threading
import time
import zlib

TEXT = "text/plain; version=0.0.4"
GOOD = b"good_value 1\nother_value{a=\"b\"} 2\n"
MEBIBYTE = 1 << 20


def head(status="200 OK", content_type=TEXT, length=None, *more):
    lines = [f"HTTP/1.1 {status}"]
    if content_type is not None:
        lines.append(f"Content-Type: {content_type}")
    if length is not None:
        lines.append(f"Content-Length: {length}")
    lines.append("Connection: close")
    return "\r\n".join([*lines, *more, "", ""]).encode()


def whole(body, content_type=TEXT, status="200 OK", *more):
    """An answer that is fine as HTTP."""
    return lambda _: head(status, content_type, len(body), *more) + body


def raw(answer, reset=False):
    """Bytes as they are, after which the connection ends, with a reset where asked for."""
    def give(connection):
        connection.sendall(answer)
        if reset:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    return give


def endless(connection):
    """Up to 10 GiB, for as long as somebody reads."""
    block = b"".join(b'endless{line="%06d"} 1\n' % i for i in range(40000))
    connection.sendall(head(length=10 * 1024 * MEBIBYTE))
    sent = 0
    while sent < 10 * 1024 * MEBIBYTE:
        connection.sendall(block)
        sent += len(block)


def silent(connection):
    time.sleep(30)


def stalled(connection):
    connection.sendall(head(length=1000) + b"good_value 1\n")
    time.sleep(30)


def now_plus(seconds):
    return lambda _: whole(
        b"future 1 %d\nnow 2\n" % (int(time.time() + seconds) * 1000))(None)


def chunked(body):
    return head("200 OK", TEXT, None, "Transfer-Encoding: chunked") + body


def bomb(size):
    packer = zlib.compressobj(9, zlib.DEFLATED, 31)
    out = b"".join(packer.compress(b"a" * MEBIBYTE) for _ in range(size)) + packer.flush()
    return whole(out, TEXT, "200 OK", "Content-Encoding: gzip")


def many_labels(count):
    body = b"wide{" + b",".join(b'l%06d="v"' % i for i in range(count)) + b"} 1\n"
    return whole(body)


def many_series(count):
    return whole(b"".join(b'many{i="%d"} 1\n' % i for i in range(count)))


def packed(body):
    return whole(body, TEXT, "200 OK", "Content-Encoding: gzip")


def cases():
    """Path to what answers it: bytes to send, or None where the connection was served already."""
    good = gzip.compress(GOOD * 200)
    sound = {
        "good": whole(GOOD),
        "empty": whole(b""),
        "no-newline": whole(b"good_value 1\nlast_value 2"),
        "crlf": whole(b"good_value 1\r\nlast_value 2\r\n"),
        "html": whole(b"<html><body>It works!</body></html>", "text/html"),
        "html-text": whole(GOOD, "text/html"),
        "no-type": whole(GOOD, None),
        "bad-type": whole(GOOD, "a/b/c; ="),
        "html-fallback": whole(GOOD, "text/html"),
        "no-type-fallback": whole(GOOD, None),
        "binary": whole(bytes(range(256)) * 40),
        "json": whole(b'{"a": 1}\n', "application/json"),
        "invalid-utf8": whole(b'good_value 1\nbad{a="\xff\xfe"} 1\nlast 1\n'),
        "invalid-utf8-name": whole(b'good_value 1\nb\xffad 1\n'),
        "half-line": whole(b'good_value 1\nbad{a="b\n'),
        "no-value": whole(b"good_value 1\nbad\n"),
        "bad-value": whole(b"good_value 1\nbad 1x\n"),
        "bad-timestamp": whole(b"good_value 1\nbad 1 12x\n"),
        "huge-timestamp": whole(b"good_value 1\nbad 1 99999999999999999999\n"),
        "bad-type-line": whole(b"# TYPE good_value nonsense\ngood_value 1\n"),
        "label-twice": whole(b'good_value 1\nbad{a="1",a="2"} 1\n'),
        "duplicate": whole(b"good_value 1\ngood_value 1\ngood_value 2\n"),
        "duplicate-timestamp": whole(b"good_value 1 1700000000000\ngood_value 2 1700000000000\n"),
        "out-of-order": whole(b"good_value 1 1700000060000\ngood_value 2 1700000000000\n"),
        "future": now_plus(660),
        "near-future": now_plus(540),
        "huge-value": whole(b'good_value 1\nbig{a="' + b"x" * MEBIBYTE * 2 + b'"} 1\n'),
        "om-no-eof": whole(b"good_value 1\n", "application/openmetrics-text; version=1.0.0"),
        "om-after-eof": whole(
            b"good_value 1\n# EOF\nmore 1\n", "application/openmetrics-text; version=1.0.0"),
        "not-found": whole(b"no such page", TEXT, "404 Not Found"),
        "error": whole(b"oops", TEXT, "500 Internal Server Error"),
        "unavailable": whole(b"", TEXT, "503 Service Unavailable"),
        "no-content": lambda _: head("204 No Content"),
        "redirect": lambda _: head("302 Found", TEXT, 0, "Location: /good"),
        "redirect-loop": lambda _: head("302 Found", TEXT, 0, "Location: /redirect-loop"),
        "redirect-nowhere": lambda _: head("302 Found", TEXT, 0),
        "redirect-bad": lambda _: head("302 Found", TEXT, 0, "Location: http://[::bad/"),
        "redirect-scheme": lambda _: head("302 Found", TEXT, 0, "Location: ftp://127.0.0.1/good"),
        "redirect-refused": lambda _: head("302 Found", TEXT, 0, "Location: /good"),
        "limited-samples": whole(GOOD),
        "limited-labels": whole(GOOD),
        "limited-body": whole(GOOD * 100),
        "gzip-body-limit": packed(gzip.compress(GOOD * 1000)),
        "gzip-corrupt": packed(good[:40] + bytes([good[40] ^ 255]) + good[41:]),
        "gzip-short": packed(good[:-12]),
        "gzip-checksum": packed(good[:-8] + b"\0\0\0\0" + good[-4:]),
        "gzip-not": packed(GOOD),
        "gzip-empty": packed(b""),
        "gzip-bomb-limit": bomb(64),
        "unknown-coding": whole(GOOD, TEXT, "200 OK", "Content-Encoding: br"),
    }
    broken = {
        "garbage": raw(bytes(range(256)) * 16),
        "garbage-line": raw(b"hello there\r\n\r\n"),
        "nothing": raw(b""),
        "reset": raw(b"", reset=True),
        "head-cut": raw(b"HTTP/1.1 200 OK\r\nContent-Ty"),
        "head-reset": raw(b"HTTP/1.1 200 OK\r\nContent-Ty", reset=True),
        "bad-status": raw(b"HTTP/1.1 abc OK\r\n\r\n"),
        "bad-version": raw(b"HTTP/x 200 OK\r\n\r\n"),
        "bad-header": raw(b"HTTP/1.1 200 OK\r\nno colon here\r\n\r\n"),
        "bad-length": raw(b"HTTP/1.1 200 OK\r\nContent-Length: -5\r\n\r\n"),
        "two-lengths": raw(b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Length: 6\r\n\r\n"),
        "huge-head": raw(b"HTTP/1.1 200 OK\r\nX: " + b"y" * 12 * MEBIBYTE + b"\r\n\r\n"),
        "half-body": raw(head(length=1000) + GOOD),
        "half-body-reset": raw(head(length=1000) + GOOD, reset=True),
        "chunk-garbage": raw(chunked(b"zz\r\nhello\r\n0\r\n\r\n")),
        "chunk-cut": raw(chunked(b"100\r\ngood_value 1\n")),
        "chunk-huge": raw(chunked(b"fffffffffffffffff\r\n")),
        "chunk-no-end": raw(chunked(b"d\r\ngood_value 1\nX0\r\n\r\n")),
        "silent": silent,
        "stalled": stalled,
    }
    return sound, broken


def heavy():
    return {
        "endless": endless,
        "endless-limit": endless,
        "bomb": bomb(2048),
        "million-labels": many_labels(1_000_000),
        "million-series": many_series(1_000_000),
    }


class Targets:
    """Listens on a port of its own and answers each connection on a thread."""

    def __init__(self, answers):
        self.answers = answers
        self.socket = socket.create_server(("127.0.0.1", 0), backlog=256)
        self.port = self.socket.getsockname()[1]
        self.counts = {}
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.socket.accept()
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        try:
            request = b""
            while b"\r\n\r\n" not in request:
                piece = connection.recv(65536)
                if not piece:
                    return
                request += piece
            path = request.split(b" ")[1].decode().lstrip("/")
            self.counts[path] = self.counts.get(path, 0) + 1
            answer = self.answers[path](connection)
            if answer is not None:
                connection.sendall(answer)
        except OSError:
            pass  # The server would have no more of it.
        finally:
            connection.close()
