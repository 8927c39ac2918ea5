#!/usr/bin/env bash
# Say in one line on stderr whether this machine can run the demo, or what it lacks and the remedy.
# On success stdout carries the path of a Python that fits: $PYTHON if given, else the first on the
# PATH that is new enough and can make an environment. DEMO_PORTS lists ports that must be free (0: any).
set -euo pipefail
cd "$(dirname "$0")/.."
lack() { echo "$*" >&2; exit 1; }

least=$(sed -nE 's/^requires-python = ">=([0-9.]+)"$/\1/p' pyproject.toml)
# By version, not by name: a distribution offers one python3 and no other.
names=(python3 python3.11 python3.12 python3.13 python3.14 python3.15)
[ -z "${PYTHON:-}" ] || names=("$PYTHON")
python="" old="" bare=""
for name in "${names[@]}"; do
    found=$(command -v "$name") || continue
    version=$("$found" -c 'import platform; print(platform.python_version())' 2>/dev/null) || continue
    if ! "$found" -c "import sys; sys.exit(sys.version_info[:2] < (${least/./, }))" 2>/dev/null; then
        old="${old:-$name（$version）}"
    elif ! "$found" -c 'import venv, ensurepip' 2>/dev/null; then
        bare="${bare:-$name}"
    else
        python="$found"
        break
    fi
done
if [ -z "$python" ] && [ -n "$bare" ]; then
    lack "${bare} 缺少 venv 模块：请安装后再试（Debian：apt install $(basename "$bare")-venv）"
elif [ -z "$python" ]; then
    lack "缺少 Python ${least} 或更新版本${old:+，只找到 $old}：请安装后再试（Debian 12 起：apt install python3 python3-venv）"
fi
free=$(df -Pk . | awk 'NR==2 {print int($4/1024)}')
[ "$free" -ge 1500 ] || lack "磁盘只剩 ${free} MB，至少需要 1500 MB：请腾出空间后再试"
for port in ${DEMO_PORTS:-0}; do
    "$python" - "$port" 2>/dev/null <<'PY' || lack "端口 $port 已被占用：请停下占用它的程序后再试"
import socket
import sys

with socket.socket() as probe:
    probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    probe.bind(("127.0.0.1", int(sys.argv[1])))
PY
done
echo "检查通过：Python ${version}、venv、端口、磁盘（剩 ${free} MB）" >&2
echo "$python"
