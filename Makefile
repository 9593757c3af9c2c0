# Mingjian: build, run, test. Needs Python 3.11, a JDK 17, Maven and make; everything else comes by the locks.
PYTHON ?= python3.11
VENV   ?= .venv
BIN    := $(VENV)/bin
ARGS   ?=

# A fresh machine may have another Python on its path; say so in one sentence instead of failing in the middle.
define need
	@command -v $(1) >/dev/null 2>&1 || { echo "$(2)" >&2; exit 1; }
endef

.DEFAULT_GOAL := help
.PHONY: help run test test-fast test-long bench lint lock screenshots clean

help: ## this list
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-12s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(VENV)/run.stamp ## start everything and load the sample town; Ctrl-C stops (ARGS="--no-sample" for an empty stack)
	@exec $(BIN)/mingjian up --sample $(ARGS)

test: $(VENV)/dev.stamp ## every test but the long sweeps, two files at a time: each of them waits for its servers half the time
	$(BIN)/python -m pytest -n 2 --dist loadfile -m "not long" $(ARGS)

test-fast: $(VENV)/dev.stamp ## the pure tests that take no time, in under a minute
	$(BIN)/python -m pytest -n auto -m "not stack and not browser and not sweep and not long" $(ARGS)

test-long: $(VENV)/dev.stamp ## the long sweeps alone
	$(BIN)/python -m pytest -m long $(ARGS)

bench: $(VENV)/dev.stamp ## measure the whole pipe, then the log's writer beside its disk, on this machine
	$(BIN)/python -m tests.bench $(ARGS)
	$(BIN)/python -m tests.bench.log $(LOG_ARGS)

lint: $(VENV)/dev.stamp ## ruff, formatting, and the contracts of what may import what
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/lint-imports

lock: ## work out the locks again from pyproject.toml (needs uv)
	$(call need,uv,make lock needs uv on the path)
	uv pip compile --generate-hashes --no-header --python-version 3.11 pyproject.toml -o requirements.lock
	uv pip compile --generate-hashes --no-header --python-version 3.11 --extra dev -c requirements.lock pyproject.toml -o requirements-dev.lock

screenshots: $(VENV)/dev.stamp ## take the pictures of the README again (needs chromium and a running sample stack)
	$(BIN)/python -m tests.screenshots $(ARGS)

clean: ## remove what was built; data in .mingjian stays
	rm -rf $(VENV) build *.egg-info deploy/local/libs .pytest_cache .ruff_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/python:
	$(call need,$(PYTHON),Python 3.11 is missing: install it or name it with make PYTHON=/path/to/python3.11)
	@$(PYTHON) -m venv $(VENV)

# The project itself is installed without looking anything up: setuptools is in the lock.
define install
	@$(BIN)/pip install --quiet --disable-pip-version-check --require-hashes -r $(1)
	@$(BIN)/pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation --editable .
	@touch $@
endef

$(VENV)/run.stamp: requirements.lock pyproject.toml | $(BIN)/python
	@echo "packages: $$(grep -c '==' requirements.lock) from requirements.lock (the first time takes a minute)"
	$(call install,requirements.lock)

$(VENV)/dev.stamp: requirements-dev.lock pyproject.toml | $(BIN)/python
	@echo "packages: $$(grep -c '==' requirements-dev.lock) from requirements-dev.lock (the first time takes a minute or two)"
	$(call install,requirements-dev.lock)
	@touch $(VENV)/run.stamp
