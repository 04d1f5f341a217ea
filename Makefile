# Everything that a person does with this project, one verb each.
#
#   make run            sets up, builds the release program and runs it
#   make test           all tests
#   make check          formatting, the rules of the house, and the examples
#   make examples       builds and runs the programs in Examples, which use the library products
#   make conformance    the corpus in CONFORMANCE_DIR, held against the ratchet
#   make compatibility  side by side with the real Prometheus (make peers fetches it)
#   make simulation     random histories of the storage with faults and crashes, SEEDS=A..B
#   make fuzz           each fuzz target for FUZZ_SECONDS, then random queries beside Prometheus
#   make differential   QUERIES random queries, of floats and of histograms, beside Prometheus
#   make bench          the benchmarks in BENCH_DIR beside the peers
#   make instructions   counts the instructions of queries, held against the recorded table
#   make growth         how the cost of queries grows, beside the peers
#   make clients        sixteen clients at once, beside the peers
#   make curves         how the cost of scraped samples grows
#   make golden         raises the conformance ratchet to what passes now

PACKAGES := libre2-dev libyaml-dev libdeflate-dev libzstd-dev zlib1g-dev libjemalloc-dev
CONFORMANCE_DIR ?= ../shared/conformance
BENCH_DIR ?= ../shared/bench
FUZZ_SECONDS ?= 60
QUERIES ?= 13000
SEEDS ?= 1..10000
PEERS_DIR ?= $(HOME)/.cache/peers
RATCHET := Tests/Conformance/ratchet.txt
PROGRAM := .build/release/narthex
export CONFORMANCE_DIR := $(abspath $(CONFORMANCE_DIR))
export PEERS_DIR

.PHONY: setup build run test check examples conformance compatibility simulation fuzz bench
.PHONY: instructions growth clients curves differential peers golden

# The native libraries, by their Debian names. Nothing happens where they are installed.
setup:
	@missing=$$(for package in $(PACKAGES); do \
	    dpkg-query -W -f '$${Status}' $$package 2>/dev/null | grep -q 'ok installed' || echo $$package; done); \
	if [ -n "$$missing" ]; then \
	    sudo=$$([ "$$(id -u)" = 0 ] || echo sudo); \
	    $$sudo apt-get update -qq && \
	    $$sudo env DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends $$missing; \
	fi
	@command -v swift >/dev/null || { echo "Swift 6.3 is needed: https://www.swift.org/install/linux"; exit 1; }

build: setup
	swift build -c release --product narthex

run: build
	$(PROGRAM) server --storage.tsdb.path=data

test: setup
	swift test

check: examples
	swift format lint --strict --recursive --parallel Sources Tests Package.swift
	NARTHEX_ONLY=Repository swift test

examples: setup
	NARTHEX_ONLY=NarthexPromQL swift run --package-path Examples/EmbeddedEngine \
	    --scratch-path .build/examples | diff Examples/EmbeddedEngine/expected.txt -

conformance: build
	swift build --product Conformance
	NARTHEX_BIN=$(PROGRAM) .build/debug/Conformance --ratchet $(RATCHET)

golden: build
	swift build --product Conformance
	NARTHEX_BIN=$(PROGRAM) .build/debug/Conformance --write-ratchet $(RATCHET)

# Unpacks the programs that Narthex is compared with into PEERS_DIR; installs nothing.
peers:
	Tests/Compatibility/fetch-peers.sh

compatibility: build peers
	NARTHEX_BIN=$(PROGRAM) Tests/Compatibility/side_by_side.py
	NARTHEX_BIN=$(PROGRAM) Tests/Compatibility/folder.py
	NARTHEX_BIN=$(PROGRAM) Tests/Compatibility/folder.py --late --hours 6 --series 21
	NARTHEX_BIN=$(PROGRAM) Tests/Compatibility/going_back.py
	NARTHEX_BIN=$(PROGRAM) Tests/Compatibility/crash.py
	[ "$$(id -u)" != 0 ] || NARTHEX_BIN=$(PROGRAM) Tests/Compatibility/disk_full.py
	NARTHEX_BIN=$(PROGRAM) Tests/Compatibility/bad_input.py

simulation: setup
	NARTHEX_ONLY=Simulation swift build -c release --product Simulate --scratch-path .build-simulation
	.build-simulation/release/Simulate --seeds $(SEEDS)

fuzz: setup
	@for target in $$(sed -n 's/^    "\([a-z-]*\)": fuzz.*/\1/p' Fuzz/Targets/Targets.swift); do \
	    echo "== $$target"; Fuzz/run $$target $(FUZZ_SECONDS) || exit 1; done
	@[ ! -x $(PEERS_DIR)/bin/prometheus ] || $(MAKE) differential QUERIES=$$(($(FUZZ_SECONDS) * 20))

# Each query is asked at one time and over a range. --seed chooses others.
differential: build peers
	swift build --product Differential
	NARTHEX_BIN=$(PROGRAM) Tests/Compatibility/differential.py queries \
	    --experimental --count $(QUERIES)
	NARTHEX_BIN=$(PROGRAM) Tests/Compatibility/differential.py queries \
	    --experimental --count $(QUERIES) --prefer 'native.*|custom.*|mixed.*'

bench: build peers
	$(MAKE) -C $(BENCH_DIR)
	cd $(BENCH_DIR) && for name in ingest query; do \
	    PROMETHEUS_BIN=$(PEERS_DIR)/bin/prometheus VICTORIA_BIN=$(PEERS_DIR)/bin/victoria-metrics \
	    ./bench_$$name.py --server 'narthex=$(abspath $(PROGRAM)) server --config.file={config} --storage.tsdb.path={data} --web.listen-address=127.0.0.1:{port} --web.enable-remote-write-receiver --web.enable-admin-api'; done

instructions: setup
	NARTHEX_ONLY=QueryBenchmark swift build -c release --product QueryBenchmark
	Benchmarks/QueryBenchmark/instructions.py .build/release/QueryBenchmark

growth clients: FOLDER = Queries
curves: FOLDER = Ingestion
growth clients curves: build peers
	$(MAKE) -C $(BENCH_DIR)
	BENCH_DIR=$(abspath $(BENCH_DIR)) NARTHEX_BIN=$(abspath $(PROGRAM)) \
	    PROMETHEUS_BIN=$(PEERS_DIR)/bin/prometheus VICTORIA_BIN=$(PEERS_DIR)/bin/victoria-metrics \
	    Benchmarks/$(FOLDER)/$@.py
