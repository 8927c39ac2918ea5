#!/usr/bin/env bash
# Install the pinned requirements into the virtual environment: `install.sh run` or `install.sh test`.
# Everything is told on stderr. The first line says what this machine lacks and how to mend it.
set -euo pipefail
cd "$(dirname "$0")/.."
venv="${VENV:-.venv}"
say() { echo "$*" >&2; }

python=""
for candidate in "${PYTHON:-python3.11}" python3.11 python3; do
    if command -v "$candidate" >/dev/null && "$candidate" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        python="$candidate"
        break
    fi
done
[ -n "$python" ] || { say "缺少 Python 3.11：请安装 python3.11 后再运行 make demo"; exit 1; }
"$python" -c 'import venv, ensurepip' 2>/dev/null || { say "缺少 venv 模块：请安装 python3.11-venv"; exit 1; }
free=$(df -Pk . | awk 'NR==2 {print int($4/1024)}')
[ "$free" -ge 1500 ] || { say "磁盘只剩 ${free} MB，至少需要 1500 MB：请先腾出空间"; exit 1; }
say "Python $("$python" -c 'import platform; print(platform.python_version())')、venv、磁盘（剩 ${free} MB）检查通过"

[ -x "$venv/bin/python" ] || "$python" -m venv "$venv" >&2
pip() { "$venv/bin/python" -m pip --disable-pip-version-check "$@" >&2; }
if [ "${1:-run}" = run ]; then
    say "安装运行依赖……"
    pip install --progress-bar on --quiet --require-hashes -r requirements.txt
    pip install --quiet --no-deps --editable .
else
    say "安装测试依赖……"
    pip install --quiet --require-hashes -r requirements-test.txt
fi
