# make results | env | search | test | lint | bench | clean. Each makes the environment first where there is none.
SHELL := /bin/bash
PYTHON ?= python3
BIN := .venv/bin
EXPERIMENT ?=
DATA ?=
SET ?=
CORES ?= all
SNAKEMAKE = PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake --cores $(CORES)

.DEFAULT_GOAL := results
.PHONY: env results search test lint bench format compose clean

env: $(BIN)/.installed

# The stamp is written last, so that an interrupted install is done again.
$(BIN)/.installed: requirements.lock pyproject.toml
	@echo "making the environment in .venv (some two minutes; about 2 GB)"
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check -r requirements.lock
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --editable .
	@touch $@

CHOICE = $(if $(EXPERIMENT),experiment=$(EXPERIMENT)) $(if $(DATA),"data='$(DATA)'") $(SET)

# Without EXPERIMENT the configuration in force is params.yaml; with it, one composed beside it. SET has further overrides.
results: $(BIN)/.installed
ifeq ($(strip $(CHOICE)),)
	$(SNAKEMAKE)
else
	$(BIN)/trml compose $(CHOICE) --output work/params/$(or $(EXPERIMENT),default).yaml
	$(SNAKEMAKE) --config params=work/params/$(or $(EXPERIMENT),default).yaml
endif

test: $(BIN)/.installed
	$(BIN)/pytest

lint: $(BIN)/.installed
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/snakefmt --check Snakefile workflow
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/snakemake --lint

# The search on dev: the same number of trials of each method; what it chose goes to config/chosen, and into force.
search: $(BIN)/.installed
	$(BIN)/trml compose $(CHOICE) --output work/params/search.yaml
	$(SNAKEMAKE) searched --config params=work/params/search.yaml
	$(BIN)/trml search --params work/params/search.yaml
	$(BIN)/trml compose

# Speed and memory, as ratios of one run; some twenty minutes. ONLY="cells encode" measures parts of it.
bench: $(BIN)/.installed
	PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python -m benchmarks $(if $(ONLY),--only $(ONLY))

format: $(BIN)/.installed
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/snakefmt Snakefile workflow

# config/ was edited: put it in force.
compose: $(BIN)/.installed
	$(BIN)/trml compose

clean:
	rm -rf work .snakemake
