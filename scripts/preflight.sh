#!/usr/bin/env bash
# Say in one line on stderr whether this machine can run the demo, or what it lacks and the remedy.
# On success stdout carries the path of a Python 3.11. DEMO_PORTS lists ports that must be free (0: any).
set -euo pipefail
cd "$(dirname "$0")/.."
lack() { echo "$*" >&2; exit 1; }

python=""
for candidate in "${PYTHON:-python3.11}" python3.11 python3; do
    found=$(command -v "$candidate" || true)
    if [ -n "$found" ] && "$found" -c 'import sys; sys.exit(sys.version_info[:2] != (3, 11))' 2>/dev/null; then
        python="$found"
        break
    fi
done
[ -n "$python" ] || lack "缺少 Python 3.11：请安装后再试（Debian：apt install python3.11 python3.11-venv）"
"$python" -c 'import venv, ensurepip' 2>/dev/null || lack "缺少 venv 模块：请安装 python3.11-venv 后再试"
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
version=$("$python" -c 'import platform; print(platform.python_version())')
echo "检查通过：Python ${version}、venv、端口、磁盘（剩 ${free} MB）" >&2
echo "$python"
