#!/usr/bin/env bash
# An office of several processes on PostgreSQL and Redis in the middle of a push, while citizens ask: workers killed, every neighbour killed, cut
# off, silent and begun anew, the platforms failing. Prints what became of everybody.
# Usage: scripts/chaos.sh [small|full]   (full: 2,000 readers, 20 kills, 300 questions, five minutes at most)
set -euo pipefail
cd "$(dirname "$0")/.."
SHENFA_CHAOS="${1:-full}" exec "${PYTHON:-.venv/bin/python}" -m pytest -q -s --timeout 900 tests/office/chaos_push.py
