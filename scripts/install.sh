#!/usr/bin/env bash
# Install the pinned requirements into $VENV: `install.sh run` (and the project) or `install.sh test`.
# Everything is told on stderr.
set -euo pipefail
cd "$(dirname "$0")/.."
venv="${VENV:-.venv}"
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@" >&2; }

if [ ! -x "$venv/bin/python" ]; then
    python=$(scripts/preflight.sh)
    echo "建立虚拟环境 $venv" >&2
    "$python" -m venv "$venv" >&2
fi
case "${1:-run}" in
run)
    echo "安装运行依赖（第一次约一两分钟）" >&2
    # What is built here is built by the pinned tool: pip must not fetch one by itself.
    pip install --quiet --require-hashes -r requirements-build.txt
    pip install --require-hashes --no-build-isolation -r requirements.txt
    # Its files are served to browsers, its Python is not imported: nothing that needs comes along.
    pip install --quiet --require-hashes --no-deps -r requirements-assets.txt
    pip install --quiet --no-deps --no-build-isolation --editable .
    ;;
test)
    echo "安装测试依赖" >&2
    pip install --quiet --require-hashes -r requirements-test.txt
    ;;
esac
