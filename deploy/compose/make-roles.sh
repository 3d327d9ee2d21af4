#!/bin/sh
# PostgreSQL's image runs this once, on an empty volume: a user for each role of `huzhu ledger grants`, with the password
# that stands in the address of its secret. The owner owns the database, and so may make tables in it.
set -eu
for file in /run/secrets/*_database_url; do
    address=$(cat "$file")
    userinfo=${address#postgresql://}
    userinfo=${userinfo%%@*}
    psql -v ON_ERROR_STOP=1 -v user="${userinfo%%:*}" -v password="${userinfo#*:}" --username postgres --dbname huzhu -q <<'SQL'
CREATE ROLE :"user" LOGIN PASSWORD :'password';
SQL
done
psql -v ON_ERROR_STOP=1 --username postgres --dbname huzhu -qc 'ALTER DATABASE huzhu OWNER TO huzhu_owner'
