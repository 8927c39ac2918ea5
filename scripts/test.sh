#!/usr/bin/env bash
# The tests of `make test`: everything this machine can run, and at the end what it could not.
set -uo pipefail
cd "$(dirname "$0")/.."
marks=(-m "not browser") said=""
lack=$(scripts/needs.sh) && marks=() said=", browser"

echo "pytest: SQLite, PostgreSQL and Redis$said"
scripts/pytest.sh "${marks[@]}"
code=$?
[ -n "$lack" ] || exit "$code"
echo "没有运行：浏览器测试。$lack" >&2
# Whoever asked for everything must not take this for everything.
[ "$code" -ne 0 ] || [ "${CI:-}" != true ] || code=1
exit "$code"
