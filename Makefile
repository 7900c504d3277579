# `make` lists what there is. Everything works on a fresh machine with Python 3.11 or later.
PYTHON ?= python3
BIN := .venv/bin
.DEFAULT_GOAL := help
# A shell that forbids bytecode would have every process compile everything anew: collecting the tests takes 11 s of
# CPU then, and 5 where it is kept.
unexport PYTHONDONTWRITEBYTECODE

help:  ## list the targets
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: .venv/.ready  ## fill .venv from the locked, hashed set

.venv/.ready: requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit("Tocsin needs Python 3.11 or later; this is %d.%d. Try: make PYTHON=python3.12 $(MAKECMDGOALS)" % sys.version_info[:2] if sys.version_info < (3, 11) else 0)'
	@test -x $(BIN)/python || $(PYTHON) -m venv .venv
	@echo "Installing what Tocsin needs into .venv; this takes a minute."
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-build-isolation --no-deps --config-settings editable_mode=compat -e .
	@$(BIN)/python -m compileall -q config escalation runbook_links incidents migrations wsgi.py
	@touch $@

run: setup  ## serve a demo team on http://127.0.0.1:8000
	$(BIN)/tocsin up --demo

test: setup  ## the whole test suite, on SQLite and on a real PostgreSQL
	$(BIN)/python -m pytest

check: setup  ## ruff, mypy strict, import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports --no-cache

fuzz: setup  ## the API and every other address, asked for longer what nobody would ask
	TOCSIN_TEST_API_EXAMPLES=200 TOCSIN_TEST_REQUESTS=200 $(BIN)/python -m pytest -n 2 tests/contract/test_openapi.py tests/contract/test_any_request.py

bench: setup  ## the benchmarks: each prints its figure beside its limit
	$(BIN)/python -m benchmarks

lock:  ## resolve the dependencies anew (needs uv)
	uv pip compile --universal --python-version 3.11 --generate-hashes --no-annotate --no-header \
		--no-emit-index-url --group test --group check --group build pyproject.toml -o requirements.lock --upgrade

clean:  ## remove what setup and tests made; keeps var/
	rm -rf .venv build *.egg-info .pytest_cache .mypy_cache .ruff_cache .hypothesis

.PHONY: help setup run test check fuzz bench lock clean
