# `make` lists what there is. Everything runs in .venv, which the first target makes.

VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check
# The exact versions that are installed; empty: the newest that pyproject.toml allows.
CONSTRAINTS := constraints.txt
# Tests that run at a time: one on each core.
JOBS := $(or $(shell nproc 2>/dev/null),2)
PYTEST := $(BIN)/python -m pytest --quiet -n $(JOBS) --dist worksteal
# Further arguments: make test ARGS="-k undo"
ARGS :=

.DEFAULT_GOAL := help
.DELETE_ON_ERROR:
.PHONY: help venv install demo test test-all coverage breaks browser screenshots lint types layers check docs bench constraints newest oldest build audit clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(firstword $(MAKEFILE_LIST))

venv: $(BIN)/python ## make .venv with the first Python >= 3.11 found (PYTHON=... names one)

install: $(VENV)/.installed ## install falcon-bulk and the emulator into .venv
	@echo "Installed: $(BIN)/falcon-bulk --help"

demo: $(VENV)/.installed ## a guided tour on a local tenant
	$(BIN)/falcon-bulk demo $(ARGS)

test: $(VENV)/.installed-dev ## the quick tests
	$(PYTEST) -m "not slow" $(ARGS)

test-all: $(VENV)/.installed-dev ## every test
	$(PYTEST) $(ARGS)

coverage: $(VENV)/.installed-dev ## which branches no test takes; ARGS='-m "not slow"': no quick one
	rm -f .coverage .coverage.*
	$(BIN)/python -m coverage run -m pytest --quiet -n $(JOBS) --dist worksteal $(ARGS)
	$(BIN)/python -m coverage combine --quiet
	$(BIN)/python -m coverage report --show-missing --skip-covered

breaks: $(VENV)/.installed-dev ## break a copy of the code line by line: a test must notice
	$(BIN)/python tools/break_it.py $(ARGS)

browser: ## install Chromium and its driver for the tests of the HTML reports, where apt-get can (as root)
	@command -v chromedriver >/dev/null || { \
		[ "$$(id -u)" = 0 ] && command -v apt-get >/dev/null && \
		{ apt-get install -qq -y --no-install-recommends chromium chromium-driver >/dev/null 2>&1 || \
		{ apt-get update -qq && apt-get install -qq -y --no-install-recommends chromium chromium-driver; }; }; } || \
		echo "No Chromium with its driver: the tests of the HTML reports in a browser are skipped."

lint: $(VENV)/.installed-dev ## ruff
	$(BIN)/ruff check

types: $(VENV)/.installed-dev ## mypy --strict
	$(BIN)/mypy
	$(BIN)/mypy tools

layers: $(VENV)/.installed-dev ## import-linter: the rooms and their arrows
	$(BIN)/lint-imports

check: lint types layers test-all ## all of the above: before a commit

screenshots: $(VENV)/.installed-dev browser ## the pictures of the docs, into docs/images
	$(BIN)/python tools/screenshots.py

docs: $(VENV)/.installed-dev ## write the reference and the manual page anew; run the examples of README, docs and --help
	$(BIN)/python tools/reference.py
	$(PYTEST) tests/docs $(ARGS)

bench: $(VENV)/.installed-dev ## the benchmarks, into docs/benchmarks.md; ARGS=--quick tries them
	$(BIN)/python -m benchmarks $(or $(ARGS),--write docs/benchmarks.md)

constraints: $(BIN)/python ## write constraints.txt anew: the newest versions that pyproject.toml allows
	$(PIP) install uv
	$(BIN)/uv pip compile --quiet --universal --upgrade --all-extras --no-annotate --no-emit-package falcon-bulk \
		--custom-compile-command 'make constraints' --output-file constraints.txt pyproject.toml

newest: ## the quick tests with the newest versions of what it depends on, in .venv-newest
	$(MAKE) VENV=.venv-newest CONSTRAINTS= test

oldest: ## the quick tests with the oldest versions of what it depends on, in .venv-oldest
	$(MAKE) VENV=.venv-oldest .venv-oldest/.oldest
	$(MAKE) VENV=.venv-oldest test

$(VENV)/.oldest: pyproject.toml $(BIN)/python
	$(PIP) install uv
	$(BIN)/uv pip install --quiet --python $(BIN)/python --resolution lowest-direct --editable '.[dev]'
	@touch $@ $(VENV)/.installed-dev

build: $(VENV)/.installed-dev ## the sdist and the wheel, into dist/
	$(BIN)/python -m build --no-isolation

audit: $(VENV)/.installed ## known vulnerabilities in what it depends on
	$(PIP) install pip-audit
	$(BIN)/python -m pip_audit --skip-editable

clean: ## remove .venv and what tools leave behind; customers and reports stay
	rm -rf $(VENV) .venv-newest .venv-oldest build dist .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache .coverage .coverage.*
	find src tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	@for python in $(or $(PYTHON),python3.11 python3 python3.14 python3.13 python3.12); do \
		if "$$python" -c 'import sys; sys.exit(sys.version_info < (3, 11))' >/dev/null 2>&1; then \
			echo "$$python -m venv $(VENV)"; \
			"$$python" -m venv --clear $(VENV) && exit 0; \
			rm -rf $(VENV); \
			echo "Error: $$python cannot make a virtual environment (on Debian: apt install python3-venv)." >&2; \
			exit 1; \
		fi; \
	done; \
	echo "Error: no Python 3.11 or later was found. Install one, or name it: make PYTHON=/path/to/python" >&2; \
	exit 1

$(VENV)/.installed: pyproject.toml $(CONSTRAINTS) $(BIN)/python
	$(PIP) install $(addprefix --constraint ,$(CONSTRAINTS)) --editable '.[emulator]'
	@touch $@

$(VENV)/.installed-dev: pyproject.toml $(CONSTRAINTS) $(BIN)/python
	$(PIP) install $(addprefix --constraint ,$(CONSTRAINTS)) --editable '.[dev]'
	@touch $(VENV)/.installed $@
