#!/usr/bin/env bash
# What `make demo` runs. With ONCE=1 stdout carries exactly one JSON line, whatever happens.
set -uo pipefail
cd "$(dirname "$0")/.."
venv="${VENV:-.venv}"
once="${ONCE:-}"

# Leave with a message on stderr; with ONCE=1 also as the JSON line on stdout.
give_up() {
    if [ -n "$once" ]; then
        local text="${1//\\/\\\\}"
        text="${text//\"/\\\"}"
        printf '{"ok":false,"articles":null,"refused_sources":null,"findings":null,"decisions":null,'
        printf '"publications":null,"delivered":null,"answered":null,"escalated":null,'
        printf '"tamper_refused":null,"ledger_ok":null,"seconds":null,"error":"%s"}\n' "$text"
    fi
    exit 1
}

home="${HOME_DIR:-.shenfa-demo}"
said=$(scripts/preflight.sh 2>&1 >/dev/null)
ready=$?
echo "$said" >&2
[ "$ready" -eq 0 ] || give_up "$(tail -n 1 <<<"$said" | tr -d '\t\r')"
make "$venv/.run-stamp" 1>&2 || give_up "安装没有完成：请看标准错误上的提示，改正后再运行"

if [ -n "$once" ]; then
    line=$("$venv/bin/shenfa" demo --once)
    code=$?
    line=$(grep '^{' <<<"$line" | tail -n 1)
    [ -n "$line" ] || give_up "演示中断：请看标准错误上的提示"
    printf '%s\n' "$line"
    exit "$code"
fi
options=(--home "$home")
[ -z "${FRESH:-}" ] || options+=(--fresh)
exec "$venv/bin/shenfa" demo "${options[@]}"
