# Shenfa: `make help` lists what there is. Only `test`, as root, calls the system's package manager.
SHELL := /bin/bash
.SHELLFLAGS := -eu -o pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS += --no-print-directory --silent

VENV ?= .venv
PYTHON ?=
HOME_DIR ?= .shenfa-demo
export VENV PYTHON HOME_DIR

# Some machines forbid it; the tests start hundreds of processes that would compile everything anew.
unexport PYTHONDONTWRITEBYTECODE

.PHONY: help demo lint check test proof lock

help: ## list the targets
	grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

demo: ## install, start everything and play one article's life (ONCE=1: play and exit; FRESH=1: anew)
	scripts/demo.sh

lint: $(VENV)/.test-stamp ## ruff and types
	echo "ruff"; $(VENV)/bin/ruff check . ; $(VENV)/bin/ruff format --check .
	echo "mypy"; $(VENV)/bin/mypy .

check: lint ## lint, tests on SQLite without a browser
	echo "pytest: SQLite"; scripts/pytest.sh -m "not browser and not servers"

test: lint ## everything: also PostgreSQL, Redis and the browser
	scripts/test.sh

proof: $(VENV)/.test-stamp ## change every column behind the office's back and see what leaves (ten minutes)
	SHENFA_EVERY_COLUMN=1 $(VENV)/bin/python -m pytest -q -n 2 --timeout 0 tests/proof

lock: $(VENV)/.test-stamp ## write the pinned lists from the .in files (LOCK=--upgrade: newer ones)
	scripts/lock.sh

$(VENV)/.run-stamp: requirements-build.txt requirements.txt requirements-assets.txt pyproject.toml
	scripts/install.sh run
	touch $@

$(VENV)/.test-stamp: $(VENV)/.run-stamp requirements-test.txt
	scripts/install.sh test
	touch $@
