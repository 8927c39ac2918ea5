#!/usr/bin/env bash
# An office of several processes on PostgreSQL and Redis in the middle of a push to 2,000 while 300 questions are asked: 20 workers killed,
# every neighbour killed, cut off, silent and begun anew, the platforms failing. Five minutes at most; prints what became of everybody.
set -euo pipefail
cd "$(dirname "$0")/.."
SHENFA_CHAOS=full exec "${PYTHON:-.venv/bin/python}" -m pytest -q -s tests/office/test_chaos.py
