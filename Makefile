# Needs make and a Python (3.11 to 3.14) with venv; everything else is set up in .venv.
PYTHON ?= python3
BIN := .venv/bin
READY := .venv/.ready

.PHONY: replay test gallery conform clean

replay: $(READY)
	$(BIN)/dstamp replay --out out

test: $(READY)
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/python -m pytest -n auto $(PYTEST)

gallery: $(READY)
	$(BIN)/python -m experiments.gallery

# Against real git, flock(2) and Docker Swarm (Debian: docker.io, busybox-static; as root); writes docs/conformance.md.
conform: $(READY)
	CI=true $(BIN)/python -m pytest tests/real -n 3 --slow --real-budget 3 --real-trials 200 --real-report docs/conformance.md $(PYTEST)

$(READY): pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[dev]'
	@touch $(READY)

clean:
	rm -rf .venv out
