#!/usr/bin/env bash
# Two processes of one office on PostgreSQL and Redis, killed and cut off again and again while citizens ask.
# Usage: scripts/chaos.sh [ROUNDS]   (5 rounds take about five minutes)
set -euo pipefail
cd "$(dirname "$0")/.."
SHENFA_CHAOS="${1:-5}" exec "${PYTHON:-.venv/bin/python}" -m pytest -q -s tests/office/test_chaos.py
