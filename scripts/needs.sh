#!/usr/bin/env bash
# Name what the browser tests lack on this machine; nothing is installed here.
set -uo pipefail
lacking=()
command -v chromium >/dev/null || lacking+=("Chromium（Debian：apt install chromium）")
fc-list :lang=zh 2>/dev/null | grep -q . || lacking+=("中文字体（Debian：apt install fontconfig fonts-noto-cjk）")
[ ${#lacking[@]} -eq 0 ] && exit 0
printf '缺少%s：请安装后再运行 make test，或只运行 make check\n' "${lacking[@]}" >&2
exit 1
