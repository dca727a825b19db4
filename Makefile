# Two promises: `make demo` goes from nothing to a table, `make test` from nothing to passing tests.
PYTHON ?= python3
BIN := .venv/bin
INSTALL := $(BIN)/pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Files are handed out in the order of tests/conftest.py, not those with the most tests first.
PYTEST := $(BIN)/python -m pytest -n auto --dist loadfile --no-loadscope-reorder

.PHONY: help setup demo test test-all check bench bench-quick clean

help:
	@echo "make setup   .venv with everything that runs need (about 3 minutes)"
	@echo "make demo    the study 'quickstart' on MovieLens-100K: table and runs/quickstart/report.html"
	@echo "make test    the tests (about 15 minutes on 2 cores); make test-all: also each of many that are alike"
	@echo "make check   formatting, lint, types"
	@echo "make bench   speed against a plain PyTorch loop and three peers (about 50 minutes, 5 GB of environments)"
	@echo "make bench-quick   the same against the loop alone (under 3 minutes)"

setup: .venv/.core

.venv/.python:
	@$(PYTHON) -c 'import sys; sys.exit("Python 3.11 or newer is needed, this is " + sys.version.split()[0] + ". Try: make PYTHON=python3.11 ...") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv .venv
	@touch $@

.venv/.core: .venv/.python pyproject.toml constraints.txt
	@echo "Installing into .venv; the first time takes a few minutes."
	$(INSTALL) --editable .
	@touch $@

.venv/.dev: .venv/.core
	$(INSTALL) --editable '.[dev]'
	@touch $@

demo: setup
	$(BIN)/research study quickstart

test: .venv/.dev
	$(PYTEST)

test-all: .venv/.dev
	$(PYTEST) -m ""

check: .venv/.dev
	$(BIN)/ruff format --check research tests scripts
	$(BIN)/ruff check research tests scripts
	$(BIN)/pyright

bench: setup
	$(BIN)/python -m scripts.bench

bench-quick: setup
	$(BIN)/python -m scripts.bench --quick

clean:
	rm -rf .venv
