#!/bin/sh
# Makes the passwords that compose.yaml mounts, once; what is there stays. Others on this machine cannot enter their folder,
# while the users inside the containers can read the single files that they are given.
set -eu
folder=$(dirname "$0")/secrets
(umask 077 && mkdir -p "$folder")

random() {
    od -An -N24 -tx1 /dev/urandom | tr -d ' \n'
}

keep() { # keep NAME TEXT
    test -e "$folder/$1" || printf '%s' "$2" > "$folder/$1"
    chmod 0444 "$folder/$1"
}

keep postgres_password "$(random)"
keep grafana_password "$(random)"
for role in owner worker relay gateway console auditor operator; do
    keep "${role}_database_url" "postgresql://huzhu_$role:$(random)@postgres:5432/huzhu"
done
