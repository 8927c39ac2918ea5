#!/usr/bin/env bash
# Write requirements*.txt from the .in files: pinned, hashed, for every Python the project allows,
# no host names. What is pinned stays: LOCK=--upgrade or LOCK="--upgrade-package NAME" moves it.
set -euo pipefail
cd "$(dirname "$0")/.."
venv="${VENV:-.venv}"
least=$(sed -nE 's/^requires-python = ">=([0-9.]+)"$/\1/p' pyproject.toml)
mirror=$("$venv/bin/python" -m pip config get global.index-url 2>/dev/null || true)
mirror="${UV_DEFAULT_INDEX:-${PIP_INDEX_URL:-$mirror}}"
[ -z "$mirror" ] || export UV_DEFAULT_INDEX="$mirror"
for name in requirements-build requirements requirements-test; do
    constraint=()
    [ "$name" = requirements-test ] && constraint=(--constraints requirements.txt)
    # shellcheck disable=SC2086 # LOCK holds options, several perhaps
    "$venv/bin/uv" pip compile --quiet --universal --python "$venv/bin/python" \
        --python-version "$least" --fork-strategy fewest --generate-hashes --strip-extras \
        --no-header --no-annotate --build-constraints requirements-build.txt \
        "${constraint[@]}" ${LOCK:-} --output-file "$name.txt" "$name.in" >&2
done
# What browsers are given: the package alone, nothing it would import.
# shellcheck disable=SC2086
"$venv/bin/uv" pip compile --quiet --universal --no-deps --python "$venv/bin/python" \
    --python-version "$least" --generate-hashes --no-header --no-annotate \
    ${LOCK:-} --output-file requirements-assets.txt requirements-assets.in >&2
