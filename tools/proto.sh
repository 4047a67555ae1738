#!/usr/bin/env bash
# Generates the gRPC code of proto/ into libs/contracts (DESIGN §4).
# With --check nothing is written: it says whether the committed code is what proto/ generates.
set -euo pipefail
cd "$(dirname "$0")/.."

target=libs/contracts/src/sangkien/api
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

.venv/bin/buf lint proto
# protoc finds its mypy plugins on PATH. No `__init__.py` is written: `sangkien` and `sangkien.api` are namespaces.
(cd proto && find sangkien -name '*.proto' | LC_ALL=C sort) | PATH="$PWD/.venv/bin:$PATH" xargs \
  .venv/bin/python -m grpc_tools.protoc -Iproto \
  --python_out="$work" --grpc_python_out="$work" --mypy_out="quiet:$work" --mypy_grpc_out="quiet,only_async:$work"

if [[ "${1:-}" == --check ]]; then
  if ! diff -r --brief --exclude=__pycache__ "$target" "$work/sangkien/api"; then
    echo "The generated gRPC code is not what proto/ generates: run \`make proto\` and commit the result." >&2
    exit 1
  fi
else
  rm -rf "$target"
  mkdir -p "$(dirname "$target")"
  mv "$work/sangkien/api" "$target"
fi
