# make demo      the whole of Octobatch on this machine, as a tour (KEEP=1 leaves it running)
# make test      all tests
# make faults    kill, pause, empty and flood everything, in full (about half an hour)
# make fuzz      schemathesis over the whole API, 20,000 requests and more (about ten minutes)
# make lint      style, types and the rules of imports
# make bench     every measurement of docs/benchmarks.md (more than an hour; python -m bench NAME runs one)
# make lock      resolve the dependencies again
# The environment in .venv is made on first use, and again when the lock file changes.

VENV  := .venv
BIN   := $(VENV)/bin
UV    := $(BIN)/uv
STAMP := $(VENV)/installed
LOCK  := requirements-dev.lock
UV_VERSION := 0.13.9

PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)

.DEFAULT_GOAL := help
.PHONY: help setup demo test faults fuzz lint bench lock clean

help:
	@sed -n 's/^# \(make .*\)/\1/p' Makefile

setup: $(STAMP)

$(STAMP): $(LOCK) pyproject.toml
	@test -n "$(PYTHON)" || { echo "Octobatch needs Python 3.11 or newer; python3 here is: $$(python3 --version 2>&1). \
	Install one, or name it: make PYTHON=/path/to/python3.11" >&2; exit 1; }
	@command -v git >/dev/null || { echo "Octobatch needs git, and there is none on the PATH. Install it first." >&2; exit 1; }
	@test -x $(BIN)/pip || $(PYTHON) -m venv $(VENV) || { rm -rf $(VENV); echo "Python could not make $(VENV). \
	On Debian and Ubuntu the module comes with: apt-get install python3-venv" >&2; exit 1; }
	@echo "Installing what Octobatch needs into $(VENV), from $(LOCK)"
	@$(BIN)/pip install --quiet --disable-pip-version-check uv==$(UV_VERSION)
	@$(UV) pip install --quiet --python $(BIN)/python --require-hashes --requirement $(LOCK)
	@$(UV) pip install --quiet --python $(BIN)/python --no-build-isolation --no-deps --editable .
	@touch $(STAMP)

demo: setup
	@$(BIN)/octobatch demo $(if $(KEEP),--keep)

test: setup
	@$(BIN)/pytest -q -n 3 $(ARGS)

faults: setup
	@OCTOBATCH_FAULTS=full $(BIN)/pytest -q tests/faults \
		tests/integration/streams/test_semaphores.py tests/integration/streams/test_events.py \
		tests/integration/gateway/test_streams.py tests/acceptance/test_kills.py tests/acceptance/test_tokens_in_mid_run.py \
		tests/integration/following/test_anything.py $(ARGS)

fuzz: setup
	@OCTOBATCH_SCHEMATHESIS=full $(BIN)/pytest -q -s tests/acceptance/fuzzing $(ARGS)

lint: setup
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/basedpyright
	@$(BIN)/lint-imports

bench: setup
	@$(BIN)/python -m bench

lock: setup
	@$(UV) pip compile --quiet --universal --no-emit-index-url --no-emit-find-links --generate-hashes \
		--custom-compile-command "make lock" --extra embedded --extra dev pyproject.toml --output-file $(LOCK)

clean:
	rm -rf $(VENV) .cache .pytest_cache .ruff_cache .hypothesis .import_linter_cache
