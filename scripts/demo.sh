#!/usr/bin/env bash
# What `make demo` runs. With ONCE=1 stdout carries exactly one JSON line, whatever happens.
set -uo pipefail
cd "$(dirname "$0")/.."
venv="${VENV:-.venv}"
once="${ONCE:-}"

if ! make "$venv/.run-stamp" 1>&2; then
    if [ -n "$once" ]; then
        echo '{"ok":false,"articles":null,"refused_sources":null,"findings":null,"decisions":null,"publications":null,"delivered":null,"answered":null,"escalated":null,"tamper_refused":null,"ledger_ok":null,"seconds":null,"error":"安装没有完成，请看上面的提示"}'
    fi
    exit 1
fi
if [ -n "$once" ]; then
    exec "$venv/bin/shenfa" demo --once
fi
fresh=()
[ -n "${FRESH:-}" ] && fresh=(--fresh)
exec "$venv/bin/shenfa" demo --home "${HOME_DIR:-.shenfa-demo}" "${fresh[@]}"
