#!/usr/bin/env bash
# Write requirements.txt and requirements-test.txt from the .in files: pinned, hashed, no host names.
set -euo pipefail
cd "$(dirname "$0")/.."
python="${VENV:-.venv}/bin/python"
for name in requirements requirements-test; do
    constraint=()
    [ "$name" = requirements-test ] && constraint=(--constraint requirements.txt)
    CUSTOM_COMPILE_COMMAND="make lock" PIP_FIND_LINKS= "$python" -m piptools compile --quiet \
        --generate-hashes --strip-extras --allow-unsafe --no-header --no-annotate --no-emit-index-url \
        --no-emit-trusted-host --no-emit-find-links --no-emit-options \
        "${constraint[@]}" --output-file "$name.txt" "$name.in" >&2
done
