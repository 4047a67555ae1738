SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory
BIN := .venv/bin
WORKERS ?= logical
MEMBERS := $(sort $(wildcard libs/* services/*))

.PHONY: help setup demo up test bench ci fmt lint proto docs lock clean

help: ## what each target does
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:[^#]*##/\t/' | expand -t 8

setup: ## create .venv with everything in it, the tools of the tests included (PYTHON=… names another Python)
	@tools/setup.sh

demo: setup ## a district's whole year on this machine, then its figures
	@$(BIN)/sangkien demo ba-dinh-2023 $(ARGS)

up: setup ## every service of a node on this machine, until Ctrl-C
	@$(BIN)/sangkien up $(ARGS)

test: setup ## every test (ARGS="-k quorum" picks some; WORKERS=0 runs them one after another)
	@$(BIN)/pytest --numprocesses $(WORKERS) --maxprocesses 4 --dist loadfile $(ARGS)

bench: setup ## every published figure, one after another
	@for name in federation filing memory pipeline relay store; do $(BIN)/python "bench/$$name.py" --json; done

ci: ## all that a change must pass to land
	@.ci/run

fmt: setup ## put code and proto files in form
	@$(BIN)/ruff check --quiet --fix-only .
	@$(BIN)/ruff format --quiet .
	@$(BIN)/buf format --write proto

lint: setup ## style, types, layers and proto files
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports --no-cache
	@$(BIN)/buf lint proto
	@$(BIN)/buf format --diff --exit-code proto

proto: setup ## generate the gRPC code from proto/
	@tools/proto.sh

docs: setup ## generate docs/events.md, asyncapi.json and crossing.schema.json from the contracts
	@$(BIN)/python -m sangkien.messaging.document docs

lock: setup ## resolve every dependency again and pin it with its hashes
	@tools/lock.sh

clean: ## remove the environment and everything that was generated outside git
	@rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +
