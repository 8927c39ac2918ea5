#!/usr/bin/env bash
# pytest over the whole suite on all cores; arguments are pytest's. A file stays in one process, and
# files come as tests/conftest.py orders them: what takes longest first.
set -euo pipefail
cd "$(dirname "$0")/.."
exec "${VENV:-.venv}/bin/python" -m pytest -q -n 3 --dist loadfile --no-loadscope-reorder "$@" tests
