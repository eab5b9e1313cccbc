# Asks a restored database whether it is whole, as the application that is to use it. Section 7.2 step 4.
# Told: PGHOST, PGPORT, PGSSLMODE, PGDATABASE, PGUSER, and CHECKS: a line each, the least number expected, a tab, and
# the query that counts. Every check is made and reported; one that fails fails the run.
set -euo pipefail
umask 077
export PGCONNECT_TIMEOUT=10 PGAPPNAME=mcp-verify PGPASSFILE="$HANDOVER/pgpass"
printf '*:*:*:*:%s\n' "$(cat "$SECRETS/password")" > "$PGPASSFILE"

if ! pg_isready --quiet --timeout=60; then
    echo "✗ $PGHOST does not accept connections" >&2
    exit 1
fi
failed=0
while IFS=$'\t' read -r least query; do
    if ! found=$(psql --no-psqlrc --quiet --tuples-only --no-align --command "$query" 2>&1); then
        echo "✗ $query: ${found%%$'\n'*}" >&2
        failed=1
    elif ! [[ $found =~ ^[0-9]+$ ]]; then
        echo "✗ $query: gave no whole number" >&2
        failed=1
    elif ((found < least)); then
        echo "✗ $query: found $found, expected at least $least" >&2
        failed=1
    else
        echo "✓ $query: $found"
    fi
done <<< "$CHECKS"
exit "$failed"
