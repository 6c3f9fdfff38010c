# Needs Python 3.11 or newer and make; everything else is installed into .venv, locked with hashes.
PYTHON ?= python3
BIN := .venv/bin
INSTALLED := .venv/.installed
DEPLOYED := build/deployed/.installed
SEED ?=
WEEKS ?=
SECONDS ?=
export SETTINGS PORT DRY_RUN
LOCK := --universal --python-version 3.11 --generate-hashes --no-header --no-emit-index-url

.DEFAULT_GOAL := help
.PHONY: help install demo local real shell test check emulator fuzz soak bench format lock schema clean

help: ## List the targets
	@awk -F ':.*## ' '/^[a-z]+:.*## / {gsub(/\$$\$$/, "$$", $$2); printf "  make %-8s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

install: $(INSTALLED) ## The virtual environment .venv with everything

$(INSTALLED): requirements.txt tests/requirements.txt pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "$(PYTHON) is older than Python 3.11; use make PYTHON=python3.12"; exit 1; }
	$(PYTHON) -m venv .venv
	$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/requirements.txt
	$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@

# Only what is deployed, for the benchmark: if more is installed, more may be imported.
$(DEPLOYED): requirements.txt
	$(PYTHON) -m venv build/deployed
	build/deployed/bin/pip install --quiet --disable-pip-version-check --require-hashes --requirement requirements.txt
	@touch $@

demo: $(INSTALLED) ## A week in under a minute, with faults; SEED= and WEEKS= choose
	@PYTHONPATH=infra $(BIN)/python -m local.simulation.demo $(if $(SEED),--seed $(SEED)) $(if $(WEEKS),--weeks $(WEEKS))

local: $(INSTALLED) ## Everything on this machine alone, on http://127.0.0.1:8080; SETTINGS=my.yaml, PORT=
	@PYTHONPATH=infra $(BIN)/python -m local

real: $(INSTALLED) ## The same with the real Hugging Face and HF_TOKEN, in a dry run unless DRY_RUN=false
	@PYTHONPATH=infra $(BIN)/python -m local --real

shell: $(INSTALLED) ## What sets up a shell for `lifecycle` and gcloud: eval "$$(make -s shell)"
	@infra/shell

test: $(INSTALLED) ## The tests, on all processors
	$(BIN)/python -m pytest --numprocesses auto --dist loadfile --no-loadscope-reorder

check: ## What CI runs, step by step; .ci/run STEP... runs single steps
	@.ci/run

emulator: $(INSTALLED) ## The tests with the real Pub/Sub emulator; needs gcloud with the emulator, and Java
	$(BIN)/python -m pytest tests/emulator/pushes.py

fuzz: $(INSTALLED) ## Coverage-guided fuzzing of every entry point, on Linux; SECONDS=60 for each entry point
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes --requirement tests/fuzz/requirements.txt
	@PYTHONPATH=tests:infra $(BIN)/python -m fuzz $(if $(SECONDS),--seconds $(SECONDS))

soak: $(INSTALLED) ## Many simulated weeks with all faults; WEEKS=1000
	@PYTHONPATH=infra $(BIN)/python -m local.simulation.soak $(if $(SEED),--seed $(SEED)) --weeks $(or $(WEEKS),100)

bench: $(INSTALLED) $(DEPLOYED) ## Cold start, fan-out, growth, as ratios; BENCH=--json, --quick
	@PYTHONPATH=tests:infra $(BIN)/python -m bench $(BENCH)

format: $(INSTALLED) ## Format the code
	$(BIN)/ruff check --quiet --fix-only .
	$(BIN)/ruff format --quiet .

schema: $(INSTALLED) ## The settings' JSON Schema and reference, from the code
	$(BIN)/lifecycle schema > functions/lifecycle.schema.json
	$(BIN)/python docs/reference.py > docs/settings.md

lock: $(INSTALLED) ## Lock the newest versions that pyproject.toml allows
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK) --output-file requirements.txt pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK) --output-file tests/requirements.txt --constraint requirements.txt --extra cli --group dev pyproject.toml
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK) --no-annotate --output-file .ci/checkov.txt .ci/checkov.in
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK) --no-annotate --output-file .ci/sbom.txt .ci/sbom.in
	$(BIN)/uv pip compile --quiet --upgrade $(LOCK) --output-file tests/fuzz/requirements.txt --group pyproject.toml:fuzz

clean: ## Remove what was made here
	rm -rf .venv build .mypy_cache .pytest_cache .ruff_cache functions/*.egg-info
