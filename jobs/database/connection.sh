# Leads psql and its kind to the active database, as the application, until the script that sources it ends.
# Told: PGAPPNAME and PGSSLMODE. Reads: the Secret that leads there.
umask 077
export PGCONNECT_TIMEOUT=10 PGPASSFILE="$HANDOVER/pgpass"
export PGHOST PGPORT PGDATABASE PGUSER
PGHOST=$(< "$SECRETS/host")
PGPORT=$(< "$SECRETS/port")
PGDATABASE=$(< "$SECRETS/database")
PGUSER=$(< "$SECRETS/user")
trap 'rm -f "$PGPASSFILE"' EXIT
# Fields of a password file escape colons and backslashes.
printf '*:*:*:*:%s\n' "$(sed 's/[\\:]/\\&/g' "$SECRETS/password")" > "$PGPASSFILE"
