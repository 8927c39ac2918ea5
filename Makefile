# Shenfa: `make help` lists what there is. Nothing here calls a system package manager.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --silent

VENV ?= .venv
PYTHON ?= python3.11
HOME_DIR ?= .shenfa-demo
export VENV

.PHONY: help demo test check lock browser servers

help: ## list the targets
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## install, start everything and play one article's life (ONCE=1: play and exit; FRESH=1: anew)
	@scripts/demo.sh

check: $(VENV)/.test-stamp ## lint, types, tests on SQLite without a browser
	@echo "ruff"; $(VENV)/bin/ruff check . ; $(VENV)/bin/ruff format --check .
	@echo "mypy"; $(VENV)/bin/mypy .
	@$(VENV)/bin/python -m pytest -q -m "not browser and not servers" tests

servers: $(VENV)/.test-stamp
	@SHENFA_TEST_SERVERS=1 $(VENV)/bin/python -m pytest -q -m servers tests

browser: $(VENV)/.test-stamp
	@$(VENV)/bin/python -m pytest -q -m browser tests

test: check servers browser ## check, then PostgreSQL and Redis, then the browser

lock: $(VENV)/.test-stamp ## write the pinned lists from the .in files
	@scripts/lock.sh

$(VENV)/.run-stamp: requirements.txt pyproject.toml
	@PYTHON="$(PYTHON)" scripts/install.sh run
	@touch $@

$(VENV)/.test-stamp: $(VENV)/.run-stamp requirements-test.txt
	@scripts/install.sh test
	@touch $@
