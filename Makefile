# make results | env | search | test | test-fast | test-slow | test-cluster | fuzz | coverage | lint
#      format | docs | site | wheel | lock | upgrade-check | bench | compose | clean
# Each target creates the environment in .venv first if it is absent or out of date.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
EXPERIMENT ?=
DATA ?=
FROM ?=
SET ?=
CORES ?= all
TESTS ?=
WORKERS ?= 2
ONLY ?=
# A module runs on one worker, the workflows first (pyproject.toml): by the number of tests they would come last. xargs
# splits TESTS at blanks, outside of quotes.
PYTEST = printf %s "$$TRML_MAKE_TESTS" | OMP_NUM_THREADS=1 xargs $(BIN)/pytest
SHARED_OUT = --numprocesses "$$TRML_MAKE_WORKERS" --dist loadscope --no-loadscope-reorder

# What decides numbers and verdicts, and how much of it the unit tests run at least.
DECIDING = src/trml/evaluation/*,src/trml/missing/*,src/trml/base/*
DECIDING_FLOOR = 92

.DEFAULT_GOAL := results
.PHONY: env results search test test-fast test-slow test-cluster fuzz coverage lint docs site wheel lock upgrade-check
.PHONY: format bench compose clean absent

env: $(BIN)/.installed

# The stamp is written last: an interrupted install is repeated. A .venv whose Python was removed counts as absent.
$(BIN)/.installed: requirements.lock pyproject.toml $(if $(wildcard $(BIN)/python),,absent)
	$(PYTHON) tools/make_env.py
	@touch $@

absent:

# What is to be run goes through the environment, unexpanded: a value is never part of a shell line. No other variable of
# the command line is handed on, since make would expand it.
$(foreach name,$(.VARIABLES),$(if $(filter command,$(origin $(name))),$(eval unexport $(name))))
results search: export TRML_RUN_EXPERIMENT := $(value EXPERIMENT)
results search: export TRML_RUN_DATA := $(value DATA)
results search: export TRML_RUN_SET := $(value SET)
results search: export TRML_RUN_CORES := $(value CORES)
results: export TRML_RUN_FROM := $(value FROM)
test test-slow test-fast test-cluster coverage: export TRML_MAKE_TESTS := $(value TESTS)
test test-slow test-fast coverage: export TRML_MAKE_WORKERS := $(value WORKERS)
bench: export TRML_MAKE_ONLY := $(value ONLY)
unexport EXPERIMENT DATA SET FROM CORES TESTS WORKERS ONLY

# Without EXPERIMENT, DATA or SET, run params.yaml; with them, compose a configuration in work/params and run that. With
# FROM=ARCHIVE, make the page of what `trml export` packed.
results: $(BIN)/.installed
	$(BIN)/trml run

# All tests, or TESTS="tests/numerics -k resume".
test: $(BIN)/.installed
	$(PYTEST) $(SHARED_OUT)

# What `make test` leaves out: sequences of edits, stops and restores; other instructions, versions and encoders; the
# whole study; the raw corpora from archives; photos. Minutes.
test-slow: $(BIN)/.installed
	$(PYTEST) $(SHARED_OUT) -m slow

# No training, no subprocess: about three minutes.
test-fast: $(BIN)/.installed
	$(PYTEST) $(SHARED_OUT) tests/unit

# Runs on a Slurm that is started here, and manifests of Kubernetes: as root, with slurm-wlm and munge installed.
test-cluster: $(BIN)/.installed
	$(PYTEST) --numprocesses 0 tests/cluster -rs

# How much of the source the unit tests run: all of it, and what decides numbers, each above its floor (pyproject.toml).
coverage: $(BIN)/.installed
	$(PYTEST) $(SHARED_OUT) tests/unit --cov --cov-report=
	$(BIN)/coverage report --skip-covered --sort=cover
	$(BIN)/coverage report --skip-covered --include='$(DECIDING)' --fail-under=$(DECIDING_FLOOR)

# Read 20,000 damaged files of every kind: minutes. Files of findings are kept in work/fuzz.
fuzz: $(BIN)/.installed
	$(BIN)/python tools/fuzz.py

lint: $(BIN)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake --lint

# Search hyper-parameters on dev with the same number of trials per method; save the choice in config/chosen and use it.
search: $(BIN)/.installed
	$(BIN)/trml search

# Measure speed and memory as ratios within one run (about half an hour); ONLY="cells encode" measures a part.
bench: $(BIN)/.installed
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m benchmarks $(if $(value ONLY),--only $$TRML_MAKE_ONLY)

format: $(BIN)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

# Write the map of packages into docs/architecture.md, and docs/artifact_appendix.md from the published results.
docs: $(BIN)/.installed
	$(BIN)/python tools/package_map.py
	$(BIN)/python tools/artifact_appendix.py
	$(BIN)/python tools/console.py

# Build the site from docs/ in work/site; a broken link or any other warning is an error.
site: $(BIN)/.installed
	$(BIN)/sphinx-build --fresh-env --fail-on-warning --keep-going --quiet --doctree-dir work/site/.doctrees docs work/site
	@echo work/site/index.html

# Build what a release has, in dist/.
wheel: $(BIN)/.installed
	$(BIN)/python -m build --no-isolation --skip-dependency-check

# Write requirements.lock from .venv after a change of dependencies.
lock: $(BIN)/.installed
	$(BIN)/python tools/write_lock.py

# Try the newest versions of the dependencies within their major version, in an environment of their own, and print what
# passes. TESTS chooses the tests (default tests/unit).
upgrade-check: $(BIN)/.installed
	$(BIN)/python tools/upgrade_check.py --workers $(WORKERS) $(TESTS)

# Write params.yaml from config/ after an edit there.
compose: $(BIN)/.installed
	$(BIN)/trml compose

clean:
	rm -rf work .snakemake
