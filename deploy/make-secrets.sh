#!/usr/bin/env bash
# Writes .env for docker compose with generated secrets: deploy/make-secrets.sh NODE VERIFY_URL [FILE]. Refuses to
# touch a file that exists: the stores were made with the secrets in it.
set -euo pipefail
node=${1:-}
verify_url=${2:-}
target=${3:-$(dirname "$0")/../.env}

if [[ ! "$node" =~ ^[a-z0-9][a-z0-9-]{0,62}$ || ! "$verify_url" =~ ^https?://[!-~]{1,80}$ ]]; then
  echo "usage: deploy/make-secrets.sh NODE VERIFY_URL [FILE]" >&2
  echo "  NODE        the node's name: a-z, 0-9 and -, at most 63 characters, e.g. quan-ba-dinh" >&2
  echo "  VERIFY_URL  where the QR code of a certificate leads, e.g. https://sangkien.example.vn/gcn" >&2
  exit 2
fi
if [[ -e "$target" ]]; then
  echo "$target exists and is left as it is: the running stores know the secrets in it" >&2
  exit 1
fi

# 192 bits in characters that need no escape in a URL. The letter in front keeps NATS from reading a number.
secret() { printf 's%s' "$(od -An -N24 -tx1 /dev/urandom | tr -d ' \n')"; }

umask 077
draft=$(mktemp "$target.XXXXXX")
trap 'rm -f "$draft"' EXIT
while IFS= read -r line; do
  case "$line" in
    SANGKIEN_NODE=) echo "SANGKIEN_NODE=$node" ;;
    VERIFY_URL=) printf 'VERIFY_URL=%s\n' "$verify_url" ;;
    *_SECRET= | *_PASSWORD= | *_PASSWORD_*= | *_KEY=) echo "$line$(secret)" ;;
    *) printf '%s\n' "$line" ;;
  esac
done <"$(dirname "$0")/env.example" >"$draft"
ln "$draft" "$target" # fails where another run was first
echo "wrote $target: keep a copy where the backups are, and nowhere else" >&2
