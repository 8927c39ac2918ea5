#!/usr/bin/env bash
# What `make test` runs: everything this machine can run, and at the end what it could not.
set -uo pipefail
cd "$(dirname "$0")/.."
python="${VENV:-.venv}/bin/python"
marks="servers or browser" then=", then the browser"
lack=$(scripts/needs.sh) || { marks="servers and not browser" then=""; }

make check && echo "pytest: PostgreSQL and Redis$then" && "$python" -m pytest -q -n 3 --dist loadfile -m "$marks" tests
code=$?
[ -n "$lack" ] || exit "$code"
echo "没有运行：浏览器测试。$lack" >&2
# Whoever asked for everything must not take this for everything.
[ "$code" -ne 0 ] || [ "${CI:-}" != true ] || code=1
exit "$code"
