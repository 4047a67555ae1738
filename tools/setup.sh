#!/usr/bin/env bash
# Makes .venv: every locked dependency, the test tools, and this workspace's packages in editable form.
# Safe to run again at any time, after a run that was cut short as well; it does nothing when nothing changed.
set -euo pipefail
cd "$(dirname "$0")/.."

say() { echo "setup: $*" >&2; }

quit() {
  say "$@"
  exit 1
}

# The network fails at times; what was fetched before a failure is kept, so another try goes on from there.
persistently() {
  local pause
  for pause in 2 5 0; do
    "$@" && return
    ((pause)) || return 1
    say "that did not work; trying again in $pause s"
    sleep "$pause"
  done
}

find_python() {
  local candidate candidates=(python3 python3.14 python3.13 python3.12 python3.11 python)
  [[ -z "${PYTHON:-}" ]] || candidates=("$PYTHON")
  for candidate in "${candidates[@]}"; do
    if "$candidate" -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null; then
      command -v "$candidate"
      return
    fi
  done
  quit "Python 3.11 or newer is needed; ${candidates[0]} is" \
    "$("${candidates[0]}" -c 'import platform; print(platform.python_version())' 2>/dev/null || echo "not there")." \
    "Install a newer one, or name it: make setup PYTHON=/path/to/python3.12"
}

# A sound environment belongs to this folder (a moved one points to the old) and its Python still runs.
is_sound() {
  .venv/bin/python - "$PWD/.venv" <<'PY' 2>/dev/null
import os, sys
sys.exit(sys.version_info < (3, 11) or not os.path.samefile(sys.prefix, sys.argv[1]))
PY
}

create_environment() {
  local python
  python=$(find_python)
  say "creating .venv with $("$python" --version) ($python)"
  rm -rf .venv
  # Some systems ship Python without ensurepip; then the environment has no pip of its own.
  "$python" -m venv .venv >/dev/null 2>&1 || "$python" -m venv --without-pip .venv ||
    quit "$python can make no virtual environment: its module venv is needed."
}

install_uv() {
  local pip=(.venv/bin/python -m pip)
  "${pip[@]}" --version >/dev/null 2>&1 || pip=("$(find_python)" -m pip --python .venv/bin/python)
  persistently "${pip[@]}" install --quiet --disable-pip-version-check --require-hashes -r requirements-setup.lock
}

uv_install() {
  UV_PYTHON_DOWNLOADS=never .venv/bin/uv pip install --quiet --python .venv/bin/python "$@"
}

# The MongoDB wire server of the tests has a lock of its own, because its versions vanish from the index at times:
# then only the MongoDB half of the tests fails. Tried again at every setup until it is there.
install_mongo_server() {
  [[ -x .venv/bin/secantusd-py || -n "${MONGO_TEST_URI:-}" ]] && return
  if ! uv_install --require-hashes --only-binary :all: -r requirements-mongo.lock 2>.venv/mongo-server.log; then
    say "the test MongoDB server could not be installed (see .venv/mongo-server.log)." \
      "All else works; the MongoDB half of the tests will fail until MONGO_TEST_URI names a server."
  fi
}

members=()
for member in libs/* services/*; do
  members+=(-e "./$member")
done

inputs=$(cat requirements.lock requirements-mongo.lock requirements-setup.lock libs/*/pyproject.toml \
  services/*/pyproject.toml tools/setup.sh | cksum)
if is_sound && [[ "$(cat .venv/ready 2>/dev/null)" == "$inputs" ]]; then
  install_mongo_server
  exit
fi

is_sound || create_environment
say "installing the locked dependencies (the first time this fetches some 150 MB)"
install_uv || quit "could not install uv, the installer. Is the package index reachable?"
persistently uv_install --require-hashes -r requirements.lock || quit "could not install the dependencies."
say "installing this workspace's $((${#members[@]} / 2)) packages"
persistently uv_install --no-deps --no-build-isolation "${members[@]}" || quit "could not install the workspace."
install_mongo_server
# Each service is a process of its own and would compile what it imports when first started, all at the same time, or
# at every start where PYTHONDONTWRITEBYTECODE is set. Some packages carry templates that are no Python: not our matter.
say "compiling"
.venv/bin/python -m compileall -qq -j 0 .venv/lib libs/*/src services/*/src || :
echo "$inputs" >.venv/ready
say "done"
