# wireq: `make demo` shows it, `make test` checks it. Both install what is missing.

SHELL := /bin/bash
WIREQ := target/release/wireq
# Wrong operators can be switched on in test builds: see engine/src/planted.rs.
FEATURES := --features wireq-engine/planted

.PHONY: setup build demo test lint check-all bench bench-gate fuzz miri duckdb ja4plus

## Installs what is missing: packages of the system, cargo-nextest. Asks nothing.
setup:
	@./setup.sh

build:
	cargo build --release --locked

## Installs, builds, and runs a query on a capture that ships.
demo:
	@./setup.sh build
	cargo build --release --locked
	@echo
	@echo "$$ wireq 'print srcip count() sum(len) group by srcip' testdata/captures/office.pcap"
	@$(WIREQ) 'print srcip count() sum(len) group by srcip' testdata/captures/office.pcap

## Everything that has to pass on every change: under 30 minutes from an empty target folder.
test: setup lint duckdb ja4plus
	cargo build --release --locked -p wireq-cli
	cargo build --release --locked -p wireq-bench --examples
	bench/gate.sh
	cargo nextest run --workspace --locked --no-fail-fast $(FEATURES)

## The board: every workload against hand-written loops and peers, a page with plots. SIZE=100 RUNS=3 for a
## quick look; OUT=FOLDER says where it goes. Installs the peers that are missing (Debian packages, 1 GB
## from PyPI), unless PEERS=installed. See bench/README.md.
bench:
	bench/board.sh

lint:
	cargo fmt --all --check
	cargo clippy --workspace --all-targets --locked $(FEATURES) -- -D warnings
	RUSTDOCFLAGS="-D warnings" cargo doc --workspace --no-deps --locked --quiet

## The full sweeps: 5,000 random query sets, millions of keys under a limit of memory and of any make,
## all mutations, every shared capture, fuzzing and Miri where a nightly toolchain can be had. Prints figures.
check-all: export NEXTEST_PROFILE := sweep
check-all: test
	WIREQ_SETS=5000 cargo nextest run --release -p wireq-engine --test oracle --locked --no-capture
	WIREQ_SELECTS=5000 cargo nextest run --release -p wireq-cli --test duckdb --locked --no-capture
	WIREQ_KEYS=1000000,3000000 cargo nextest run --release -p wireq-cli --test main memory --locked --no-capture
	WIREQ_SWEEP=1 cargo nextest run --release -p wireq-cli --test main rules --locked --no-capture
	WIREQ_SWEEP=1 cargo nextest run --release -p wireq-cli --test golden --locked
	WIREQ_SEEDS=1000 cargo nextest run --release -p wireq-cli --test main threads --locked --no-capture
	bench/keys.sh
	WIREQ_LIVE=1 WIREQ_LIVE_BYTES=100000000 WIREQ_LIVE_SOAK=600 cargo nextest run --release -p wireq-cli --test live --locked --no-capture
	WIREQ_MUTATIONS=1000 WIREQ_CAPTURES=all WIREQ_LIVE_RECORDS=1000000 cargo nextest run --release -p wireq-modules --test hostile --test hostile_writers --test outside --test decode --test tshark --test applications --test community_id --test capinfos --test tables --test pcapwrite --test pcapng_write --test merge --test netflow --test prefilter --test flowwrite --test exporters --locked --no-capture
	WIREQ_MUTATIONS=1000 WIREQ_CAPTURES=all cargo nextest run --release -p wireq-modules --lib --locked --no-capture hostile
	$(MAKE) fuzz miri

## DuckDB, which SELECTs are compared with, in a Python environment of its own: see
## cli/tests/duckdb.rs. Says so where it cannot be had.
DUCKDB := $(or $(CARGO_TARGET_DIR),target)/duckdb
duckdb:
	@$(DUCKDB)/bin/python -c 'import duckdb' 2>/dev/null || \
	  { python3 -m venv $(DUCKDB) && $(DUCKDB)/bin/pip install --quiet duckdb==2.0.0; } || \
	  { rm -rf $(DUCKDB); echo "duckdb: SKIPPED, the Python package cannot be installed here: SELECTs are compared with nothing"; }

## ja4plus, which fingerprints of TLS are compared with: see modules/tests/applications.rs.
JA4PLUS := $(or $(CARGO_TARGET_DIR),target)/ja4plus
ja4plus:
	@$(JA4PLUS)/bin/python -c 'import ja4plus' 2>/dev/null || \
	  { python3 -m venv $(JA4PLUS) && $(JA4PLUS)/bin/pip install --quiet ja4plus==1.4.0; } || \
	  { rm -rf $(JA4PLUS); echo "ja4plus: SKIPPED, the Python package cannot be installed here: JA4 is compared with nothing"; }

## Fuzzing with coverage, FUZZ_SECONDS a target: needs a nightly toolchain; says so where there is none.
FUZZ_SECONDS := 300
fuzz:
	@if cargo +nightly --version >/dev/null 2>&1; then \
	  cargo fuzz --version >/dev/null 2>&1 || cargo install --locked cargo-fuzz; \
	  (cd modules && cargo +nightly fuzz run pcap -- -max_total_time=$(FUZZ_SECONDS)) && \
	  (cd modules && cargo +nightly fuzz run packet -- -max_total_time=$(FUZZ_SECONDS)) && \
	  (cd modules && cargo +nightly fuzz run netflow -- -max_total_time=$(FUZZ_SECONDS)) && \
	  (cd modules && cargo +nightly fuzz run formats -- -max_total_time=$(FUZZ_SECONDS)) && \
	  (cd modules && cargo +nightly fuzz run packed -- -len_control=0 -max_len=49 -max_total_time=$(FUZZ_SECONDS)) && \
	  (cd modules && cargo +nightly fuzz run table -- -max_total_time=$(FUZZ_SECONDS)) && \
	  (cd query-lang && cargo +nightly fuzz run query -- -max_total_time=$(FUZZ_SECONDS)); \
	else echo "fuzz: SKIPPED, no nightly toolchain here"; fi

## The data model under Miri.
miri:
	@if cargo +nightly miri --version >/dev/null 2>&1; then \
	  MIRIFLAGS=-Zmiri-disable-isolation cargo +nightly miri test -p wireq-typesys; \
	else echo "miri: SKIPPED, no nightly toolchain with Miri here"; fi
