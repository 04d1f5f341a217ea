# SPDX-License-Identifier: Apache-2.0
"""Bad HTTP and bad configurations. For bad_input.py."""
import json
import os
import signal
import socket
import time

import bad_targets
import servers as S
from bad_checks import pair, resident, wait_until, write


def exchange(server, request, seconds=5):
    """What comes back for raw bytes: the status code, `closed` or `waits`."""
    with socket.create_connection(("127.0.0.1", server.port), timeout=seconds) as client:
        try:
            for at in range(0, len(request), 1 << 16):
                client.sendall(request[at:at + (1 << 16)])
        except OSError:
            pass  # It has heard enough; an answer may be there all the same.
        try:
            found = client.recv(65536)
        except TimeoutError:
            return "waits"
        except OSError:
            return "closed"
        return found.split(b" ")[1].decode() if found.startswith(b"HTTP/") else "closed"


def raw(line, *headers, body=b""):
    return "\r\n".join([line, "Host: x", *headers, "", ""]).encode() + body


REQUESTS = {
    "plain": raw("GET /-/healthy HTTP/1.1"),
    "garbage": b"\x00\x01\x02\r\n\r\n",
    "bad method": raw("NONSENSE /-/healthy HTTP/1.1"),
    "delete": raw("DELETE /api/v1/query HTTP/1.1"),
    "lower method": raw("get /-/healthy HTTP/1.1"),
    "no version": raw("GET /-/healthy"),
    "HTTP/9": raw("GET /-/healthy HTTP/9.9"),
    "no path": raw("GET  HTTP/1.1"),
    "bad escape": raw("GET /%zz HTTP/1.1"),
    "unknown": raw("GET /nothing HTTP/1.1"),
    "no colon": raw("GET /-/healthy HTTP/1.1", "no colon"),
    "huge header": raw("GET /-/healthy HTTP/1.1", "X: " + "x" * (3 << 20)),
    "many headers": raw("GET /-/healthy HTTP/1.1", *[f"X{i}: {'y' * 50}" for i in range(50_000)]),
    "huge path": raw("GET /" + "x" * (3 << 20) + " HTTP/1.1"),
    "bad length": raw("POST /api/v1/query HTTP/1.1", "Content-Length: x"),
    "negative length": raw("POST /api/v1/query HTTP/1.1", "Content-Length: -1"),
    "two lengths": raw("POST /api/v1/query HTTP/1.1", "Content-Length: 1", "Content-Length: 2"),
    "bad chunks": raw("POST /api/v1/query HTTP/1.1", "Transfer-Encoding: chunked", body=b"zz\r\n"),
    "huge chunk": raw("POST /api/v1/query HTTP/1.1", "Transfer-Encoding: chunked",
                      body=b"fffffffffffffffffff\r\n"),
    "write garbage": raw("POST /api/v1/write HTTP/1.1", "Content-Length: 5", body=b"hello"),
    "write bad type": raw("POST /api/v1/write HTTP/1.1", "Content-Type: text/plain",
                          "Content-Length: 5", body=b"hello"),
}


def check_http(checks):
    with S.Folder() as folder:
        ours, theirs = pair(folder, "global: {}\n", ["--web.read-timeout=4s"])
        theirs.flags = []
        try:
            ours.start(), theirs.start()
            for name, request in REQUESTS.items():
                got, expected = exchange(ours, request), exchange(theirs, request)
                # Refusing is what matters; Go and NIO differ in whether they say why.
                refused = ("400", "404", "405", "413", "414", "431", "501", "505", "closed")
                checks.true(f"http/{name}", got == expected or (
                    got in refused and expected in refused), (got, expected))
            huge = raw("POST /api/v1/write HTTP/1.1", "Content-Encoding: snappy",
                       "Content-Type: application/x-protobuf", f"Content-Length: {1 << 31}",
                       body=b"\0" * (1 << 20))
            checks.true("http/huge body", exchange(ours, huge) in ("400", "413"))
            check_slow(checks, ours)
            check_crowd(checks, ours)
            checks.true("http/memory", resident(ours) < 600 << 20, resident(ours))
        finally:
            ours.stop(), theirs.stop()


def check_slow(checks, ours):
    """Clients that never end a request, or never read an answer, are let go; others do not wait."""
    slow = [socket.create_connection(("127.0.0.1", ours.port)) for _ in range(100)]
    for client in slow:
        client.sendall(b"GET /-/healthy HTTP/1.1\r\nX")
    begin = time.time()
    checks.equal("http/slow/others", ours.request("GET", "/-/healthy")[0], 200)
    checks.true("http/slow/others at once", time.time() - begin < 1, time.time() - begin)
    gone = 0
    for client in slow:
        client.settimeout(max(0.01, begin + 12 - time.time()))
        try:
            gone += client.recv(100) == b"" or 1
        except TimeoutError:
            pass
        except OSError:
            gone += 1
        client.close()
    checks.equal("http/slow/let go", gone, 100)


def check_crowd(checks, ours):
    """More connections than may be open: the others wait, and get their turn."""
    idle = [socket.create_connection(("127.0.0.1", ours.port)) for _ in range(1000)]
    begin = time.time()
    answered = wait_until(
        lambda: exchange(ours, raw("GET /-/healthy HTTP/1.1"), 15) == "200", 30)
    checks.true("http/crowd", answered)
    print(f"http: the turn came after {time.time() - begin:.1f} s", flush=True)
    for client in idle:
        client.close()
    time.sleep(1)
    checks.equal("http/after the crowd", ours.request("GET", "/-/healthy")[0], 200)


SECRET = "hush-hush-42"
GOOD = """global: {scrape_interval: 1s, scrape_timeout: 1s}
scrape_configs:
  - job_name: one
    basic_auth: {username: u, password: %s}
    static_configs: [{targets: ['127.0.0.1:%d']}]
    metrics_path: /good
  - job_name: files
    authorization: {credentials: %s}
    metrics_path: /good
    file_sd_configs: [{files: ['%s/targets.json'], refresh_interval: 1s}]
"""
BROKEN = {
    "unknown field": "global: {nonsense: 1}\n",
    "unknown section": "nonsense: {}\n",
    "duplicate key": "global: {}\nglobal: {}\n",
    "wrong type": "global: {scrape_interval: [1]}\n",
    "wrong number": "scrape_configs: [{job_name: a, sample_limit: x}]\n",
    "no list": "scrape_configs: {a: b}\n",
    "bad duration": "global: {scrape_interval: 5parsecs}\n",
    "negative": "scrape_configs: [{job_name: a, scrape_interval: -5s}]\n",
    "bad regex": "scrape_configs: [{job_name: a, relabel_configs: [{regex: '('}]}]\n",
    "bad action": "scrape_configs: [{job_name: a, relabel_configs: [{action: dance}]}]\n",
    "two jobs": "scrape_configs: [{job_name: a}, {job_name: a}]\n",
    "no name": "scrape_configs: [{}]\n",
    "timeout": "scrape_configs: [{job_name: a, scrape_interval: 1s, scrape_timeout: 2s}]\n",
    "tabs": "global:\n\tscrape_interval: 1s\n",
    "not UTF-8": b"global: {external_labels: {a: \"\xff\xfe\"}}\n",
    "binary": bytes(range(256)),
    "unended": "global: {\n",
    "scalar": "hello\n",
    "list": "- a\n",
    "anchors": "a: &a [x,x,x,x,x,x,x,x,x,x]\n" + "".join(
        f"{chr(98 + i)}: &{chr(98 + i)} [{','.join(['*' + chr(97 + i)] * 10)}]\n" for i in range(9)),
    "deep": "[" * 20_000,
    "secret": f"scrape_configs: [{{job_name: a, basic_auth: {{password: {SECRET}, x: 1}}}}]\n",
    "two secrets": "scrape_configs: [{job_name: a, bearer_token: %s, "
                   "basic_auth: {username: u, password: %s}}]\n" % (SECRET, SECRET),
}


def reload(server):
    status, body = server.request("POST", "/-/reload")
    return status, body.decode(errors="replace")


def metric(server, name):
    _, body = server.request("GET", "/metrics")
    for line in body.decode().splitlines():
        if line.startswith(name + " "):
            return line.split()[1]
    return None


def check_window(checks, folder, servers, good):
    """A window for late samples whose log cannot be made: the reload says so and the server goes on."""
    ours, theirs = servers
    for server in servers:
        write(server.data, "wbl", "no folder")
    late = good + "storage: {tsdb: {out_of_order_time_window: 1h}}\n"
    write(folder, "prometheus.yml", late)
    got, expected = reload(ours), reload(theirs)
    checks.equal("configuration/no log/reload", got, expected)
    checks.equal("configuration/no log/metric",
                 metric(ours, "prometheus_config_last_reload_successful"), "0")
    for server in servers:
        os.remove(f"{server.data}/wbl")
    checks.equal("configuration/log again", reload(ours)[0], 200)
    write(folder, "prometheus.yml", good)
    checks.equal("configuration/no window again", reload(ours)[0], 200)


def check_configuration(checks):
    targets = bad_targets.Targets({"good": bad_targets.cases()[0]["good"]})
    said = ""
    with S.Folder() as folder:
        good = GOOD % (SECRET, targets.port, SECRET, folder)
        write(folder, "targets.json", json.dumps([{"targets": [f"127.0.0.1:{targets.port}"]}]))
        ours, theirs = pair(folder, good)
        try:
            ours.start(), theirs.start()
            before = ours.api("status/config")["yaml"]
            for name, text in BROKEN.items():
                write(folder, "prometheus.yml", text)
                got, expected = reload(ours), reload(theirs)
                said += got[1]
                if os.environ.get("SHOW"):
                    print(name, got, "\n   ", expected, flush=True)
                checks.equal(f"configuration/{name}/status", got[0], expected[0])
                if got[0] == 200:
                    continue
                checks.contains(f"configuration/{name}/text", got[1], f"{folder}/prometheus.yml")
                checks.equal(f"configuration/{name}/metric",
                             metric(ours, "prometheus_config_last_reload_successful"), "0")
                checks.true(f"configuration/{name}/unchanged",
                            ours.api("status/config")["yaml"] == before)
            os.remove(f"{folder}/prometheus.yml")
            got, expected = reload(ours), reload(theirs)
            checks.equal("configuration/missing/status", got[0], expected[0])
            checks.contains("configuration/missing/text", got[1], "no such file or directory")
            write(folder, "prometheus.yml", good)
            checks.equal("configuration/repaired", reload(ours)[0], 200)
            checks.equal("configuration/repaired/metric",
                         metric(ours, "prometheus_config_last_reload_successful"), "1")
            check_window(checks, folder, (ours, theirs), good)
            check_target_files(checks, folder, ours, targets.port)
            for path in ("status/config", "targets", "status/flags"):
                said += ours.request("GET", f"/api/v1/{path}")[1].decode()
        finally:
            ours.stop(), theirs.stop()
        with open(f"{folder}/narthex.log", errors="replace") as log:
            said += log.read()
        checks.true("configuration/secrets", SECRET not in said)
        check_start(checks, folder)


def check_target_files(checks, folder, ours, port):
    def files():
        return [t["scrapeUrl"] for t in ours.api("targets")["activeTargets"]
                if t["scrapePool"] == "files"]
    checks.true("configuration/target file/read", wait_until(lambda: len(files()) == 1))
    for name, text in {"broken": "[{", "wrong": '[{"targets": 5}]', "unknown": '[{"x": []}]',
                       "empty": "", "binary": b"\xff\xfe\x00"}.items():
        write(folder, "targets.json", text)
        time.sleep(2)
        # What was known goes on until the file can be read again.
        checks.equal(f"configuration/target file/{name}", len(files()), 1 if name != "empty" else 1)
    write(folder, "targets.json", json.dumps([{"targets": [f"127.0.0.1:{port}", "127.0.0.1:1"]}]))
    checks.true("configuration/target file/repaired", wait_until(lambda: len(files()) == 2))


def check_start(checks, folder):
    """Starting with a broken configuration: the exit code, before the data is touched."""
    for name, text in BROKEN.items():
        path = write(folder, "start.yml", text)
        codes = []
        for binary in (S.NARTHEX, S.peer("prometheus")):
            server = S.Server(binary, f"{folder}/start", path, log=f"{folder}/start.log").start(0)
            try:
                codes.append(server.process.wait(5))
            except Exception:
                server.stop(signal.SIGKILL)
                codes.append(None)
        checks.equal(f"configuration/start/{name}", *codes)
    with open(f"{folder}/start.log", errors="replace") as log:
        checks.true("configuration/start/secrets", all(
            SECRET not in line for line in log if "source=main.go" not in line))
