# SPDX-License-Identifier: Apache-2.0
"""The servers of a benchmark: ours, and the peers that are there. For the scripts in the folders beside.

The environment says where they are: BENCH_DIR (benchlib), NARTHEX_BIN, PROMETHEUS_BIN, VICTORIA_BIN.
"""
import os
import shlex
import sys
import types

sys.path.insert(0, os.environ.get("BENCH_DIR", "../shared/bench"))
import benchlib as B  # noqa: E402

NARTHEX = ("{bin} --config.file={{config}} --storage.tsdb.path={{data}} --web.listen-address=127.0.0.1:{{port}} "
           "--web.enable-remote-write-receiver --storage.tsdb.retention.time=10y --log.level=warn")


class Narthex(B.Server):
    """Says by Prometheus' metrics when it has come to rest."""
    settle = B.Prometheus.settle


def servers(only=""):
    """Narthex first, then the peers that are there, or of them those whose names `only` lists."""
    found = [Narthex(NARTHEX.format(bin=shlex.quote(os.environ["NARTHEX_BIN"])), name="narthex")]
    settings = types.SimpleNamespace(
        prometheus=os.environ.get("PROMETHEUS_BIN", "prometheus"), victoria=os.environ.get("VICTORIA_BIN", "victoria-metrics"),
        prom_flags="", vm_flags="", server=[], only=only)
    try:
        return found + B.servers(settings)
    except SystemExit:
        return found
