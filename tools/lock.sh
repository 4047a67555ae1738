#!/usr/bin/env bash
# Resolves the workspace's dependencies again, within constraints.txt, and pins them with hashes for every platform.
set -euo pipefail
cd "$(dirname "$0")/.."

compile() {
  .venv/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-header --no-annotate "$@"
}

unlisted=()
for member in libs/* services/*; do
  unlisted+=(--no-emit-package "sangkien-$(basename "$member")")
done

compile -c constraints.txt --group dev pyproject.toml libs/*/pyproject.toml services/*/pyproject.toml \
  "${unlisted[@]}" -o requirements.lock
# What the container image installs: no console, no tests, no tools, in the versions of the first.
shipped=()
for member in libs/* services/*; do
  [[ "$member" == libs/testkit || "$member" == services/console ]] || shipped+=("$member/pyproject.toml")
done
compile -c requirements.lock "${shipped[@]}" "${unlisted[@]}" -o deploy/requirements.lock
# Apart from the rest: see tools/setup.sh.
echo 'SecantusDB==0.7.0b3' | compile --prerelease allow -c requirements.lock - -o requirements-mongo.lock
echo 'uv==0.13.9' | compile - -o requirements-setup.lock
