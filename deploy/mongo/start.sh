#!/usr/bin/env bash
# Starts mongod as the one member of a replica set with access control. Members prove themselves to each other with a
# key file, which must belong to mongod and be readable by nobody else: so it is written here, not mounted.
set -euo pipefail
: "${MONGO_REPLICA_KEY:?is not set}"
key=/dev/shm/mongo.key
(umask 077 && printf '%s\n' "$MONGO_REPLICA_KEY" >"$key")
chown mongodb:mongodb "$key"
unset MONGO_REPLICA_KEY
exec docker-entrypoint.sh mongod --bind_ip_all --replSet rs0 --keyFile "$key"
