#!/usr/bin/env bash
# Bring what the browser tests need of the system: as root on Debian it is installed. Exit 0 when all
# is there; else 1, and stdout carries one line with the command that brings the rest.
set -uo pipefail
cd "$(dirname "$0")/.."
venv="${VENV:-.venv}"

lacking() {
    command -v chromium >/dev/null || echo chromium
    command -v fc-list >/dev/null || echo fontconfig
    fc-list :lang=zh 2>/dev/null | grep -q . || echo fonts-noto-cjk
    # Playwright drives the browser by a program of its own, which says itself what it misses.
    for driver in "$venv"/lib/python3*/site-packages/playwright/driver/node; do
        [ ! -x "$driver" ] || ! grep -q libatomic <<<"$("$driver" --version 2>&1)" || echo libatomic1
    done
}

install() {
    export DEBIAN_FRONTEND=noninteractive
    apt-get update -qq && apt-get install -y -qq --no-install-recommends "$@"
}

mapfile -t packages < <(lacking)
if [ ${#packages[@]} -gt 0 ] && [ "$(id -u)" -eq 0 ] && command -v apt-get >/dev/null; then
    echo "安装浏览器测试所需的系统软件包：${packages[*]}" >&2
    install "${packages[@]}" 2>&1 >/dev/null | tail -n 20 >&2
    mapfile -t packages < <(lacking)
fi
[ ${#packages[@]} -gt 0 ] || exit 0
echo "缺少系统软件包，请先运行（Debian）：sudo apt-get install ${packages[*]}"
exit 1
