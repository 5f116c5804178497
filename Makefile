# Needs make and a Python (3.11 to 3.14) with venv; everything else is set up in .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready
# Errors are said, warnings (of folders that pip does not find) and news of its versions are not.
PIP_QUIETLY := -qq --disable-pip-version-check

.PHONY: replay test system-packages gallery reference conform bench bench-table bench-samplers bench-hunt clean

replay: $(READY)
	$(BIN)/dstamp replay --out out $(REPLAY)

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto --dist worksteal $(PYTEST)

# The programs that some tests need and are left out without (Debian): Chromium, Graphviz, SPIN, Docker, ...
system-packages:
	.ci/system-packages

gallery: $(READY)
	$(BIN)/python -m experiments.gallery

reference: $(READY)
	$(BIN)/python -m experiments.reference

# Against real git, flock(2) and Docker Swarm (Debian: docker.io, busybox-static; as root); writes docs/conformance.md.
conform: $(READY)
	CI=true $(BIN)/python -m pytest tests/conformance -n 4 --dist worksteal --slow --real-budget 2 --real-trials 200 --real-report docs/conformance.md $(PYTEST)

# About 20 minutes; BENCH="--limit 60" for the full limits (an hour and a half), BENCH="--tlc tla2tools.jar" for TLC.
# musil needs Python 3.12: PEER_PYTHON=/path/to/python3.12 where it is not on the path.
PEER_PYTHON ?= $(or $(shell for p in python3.14 python3.13 python3.12; do $$p -c "" 2>/dev/null && echo $$p && break; done),$(PYTHON))

bench: $(READY) .venv-bench
	$(BIN)/python -m benchmarks $(BENCH)
	$(BIN)/python -m benchmarks --write
	$(BIN)/python -m benchmarks.zones

bench-table: $(READY)
	$(BIN)/python -m benchmarks --write

# The samplers beside detangle and seedloop (which needs Python 3.12), on one core; about 2 minutes.
bench-samplers: $(READY) .venv-bench
	taskset -c 1 $(BIN)/python -m benchmarks.samplers --peers .venv-bench/bin/python

# What hunts of real programs cost (root or user namespaces, Linux 5.19); 10 to 30 minutes.
bench-hunt: $(READY)
	$(BIN)/python -m benchmarks.hunt $(BENCH)

.venv-bench:
	$(PEER_PYTHON) -m venv $@
	$@/bin/pip install $(PIP_QUIETLY) minicheck
	-$@/bin/pip install $(PIP_QUIETLY) musil
	-$@/bin/pip install $(PIP_QUIETLY) detangle
	-$@/bin/pip install $(PIP_QUIETLY) seedloop

$(READY): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install $(PIP_QUIETLY) -e '.[dev]'
	@touch $(READY)

clean:
	rm -rf .venv out
