#!/usr/bin/env bash
# Prints the Secrets that the manifests refer to, from the values of an environment file (deploy/make-secrets.sh writes one):
#
#   deploy/kubernetes/make-secrets.sh .env 'mongo-0.example:27017,mongo-1.example:27017/?replicaSet=rs0&tls=true' KEY.jwk \
#     | kubectl apply -f -
#
# KEY.jwk is directory's signing key; it is made when it is not there. Keep both files where the backups are.
set -euo pipefail
if (($# != 3)); then
  echo "usage: deploy/kubernetes/make-secrets.sh ENV_FILE MONGO_HOSTS/?OPTIONS KEY_FILE" >&2
  exit 2
fi
env_file=$1 mongo=$2 key_file=$3

value() {
  local found
  found=$(sed -n "s/^$1=//p" "$env_file" | tail -n 1)
  if [[ -z "$found" && "${2:-}" != optional ]]; then
    echo "$env_file: $1 is empty or missing" >&2
    return 1
  fi
  printf '%s' "$found"
}

base64url() { base64 | tr -d '\n=' | tr '/+' '_-'; }

# An Ed25519 private key as a JWK (RFC 8037): the last 32 bytes of each DER form are the key itself.
make_key() {
  local der
  der=$(mktemp)
  openssl genpkey -algorithm ed25519 -outform DER >"$der"
  (umask 077 && printf '{"kty":"OKP","crv":"Ed25519","x":"%s","d":"%s"}\n' \
    "$(openssl pkey -inform DER -in "$der" -pubout -outform DER | tail -c 32 | base64url)" \
    "$(tail -c 32 "$der" | base64url)" >"$key_file")
  rm -f "$der"
}

secret() { # NAME, then KEY VALUE pairs
  printf -- '---\napiVersion: v1\nkind: Secret\nmetadata:\n  name: %s\n  namespace: sangkien\nstringData:\n' "$1"
  shift
  while (($#)); do
    printf '  %s: "%s"\n' "$1" "$(printf '%s' "$2" | sed 's/[\\"]/\\&/g')"
    shift 2
  done
}

[[ -s "$key_file" ]] || make_key
node=$(value SANGKIEN_NODE)
node_secret=$(value NODE_SECRET)
nats_password=$(value NATS_PASSWORD)
verify_url=$(value VERIFY_URL)
grafana_password=$(value GRAFANA_PASSWORD)

secret nats-secrets NATS_USER node NATS_PASSWORD "$nats_password"
secret grafana-secrets GRAFANA_PASSWORD "$grafana_password"
secret directory-signing-key signing.jwk "$(cat "$key_file")"
for service in directory intake review recognition reward notification reporting exchange hub; do
  prefix=${service^^}
  password=$(value "MONGO_PASSWORD_$prefix")
  more=()
  [[ "$service" == recognition ]] && more=(RECOGNITION_VERIFY_URL "$verify_url")
  if [[ "$service" == hub ]]; then
    hub_host=$(value HUB_HOST optional)
    # Empty where no hub runs: the secret is there, and nothing reads it.
    more=(HUB_JOIN_PUBLIC "${hub_host:+$hub_host:7443}" HUB_LEAF_PUBLIC "${hub_host:+tls://$hub_host:7422}" HUB_TSA_URL "$(value HUB_TSA_URL optional)")
  fi
  if [[ "$service" == notification ]]; then
    more=(NOTIFICATION_SMTP_URL "$(value SMTP_URL optional)" NOTIFICATION_SENDER "$(value MAIL_SENDER optional)")
  fi
  # authSource: the users are made in the database `admin`.
  [[ "$mongo" == *\?* ]] && url="$mongo&authSource=admin" || url="$mongo/?authSource=admin"
  secret "$service-secrets" \
    "${prefix}_NODE" "$node" \
    "${prefix}_NODE_SECRET" "$node_secret" \
    "${prefix}_STORE_URL" "mongodb://$service:$password@$url" \
    "${prefix}_NATS_URL" "nats://node:$nats_password@nats:4222" \
    "${more[@]}"
done
