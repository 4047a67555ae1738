SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
MEMBERS := $(sort $(wildcard libs/* services/*))
EDITABLES := $(foreach m,$(MEMBERS),-e ./$(m))
PACKAGES := $(foreach m,$(MEMBERS),sangkien-$(notdir $(m)))
STAMP := $(VENV)/.ready

.PHONY: help
help: ## what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 12

$(STAMP): requirements.lock requirements-mongo.lock $(foreach m,$(MEMBERS),$(m)/pyproject.toml)
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check uv
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements.lock
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --no-deps --no-build-isolation $(EDITABLES)
	@$(BIN)/uv pip install --quiet --python $(BIN)/python --require-hashes -r requirements-mongo.lock \
	  || echo "The test MongoDB server could not be installed: its half of the tests will fail until MONGO_TEST_URI names a real one." >&2
	@touch $@

.PHONY: setup
setup: $(STAMP) ## create .venv with everything, test dependencies included

.PHONY: lock
lock: ## resolve dependencies again and pin them with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header -c constraints.txt \
	  pyproject.toml $(foreach m,$(MEMBERS),$(m)/pyproject.toml) --group dev \
	  $(foreach p,$(PACKAGES),--no-emit-package $(p)) -o requirements.lock
	echo 'SecantusDB==0.7.0b3' | $(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --prerelease allow -c requirements.lock - -o requirements-mongo.lock
