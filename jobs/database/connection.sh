# Sets the environment for psql and related tools to the active database as the application's user, until the sourcing
# script ends. Environment: PGAPPNAME and PGSSLMODE. Reads: the Secret with the URL.
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
