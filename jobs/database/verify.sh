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
errors="$HANDOVER/errors"
trap 'rm -f "$errors"' EXIT
while IFS=$'\t' read -r least query; do
    # Warnings, such as one of a collation, are no part of the answer.
    if ! found=$(psql --no-psqlrc --quiet --tuples-only --no-align --command "$query" 2> "$errors"); then
        reason=$(grep -E -m 1 'ERROR|FATAL|error:' "$errors" || head -n 1 "$errors")
        echo "✗ $query: $reason" >&2
        failed=1
    elif ! [[ $found =~ ^[0-9]{1,18}$ ]]; then
        echo "✗ $query: gave no whole number" >&2
        failed=1
    # A number that begins with 0 is none of base 8.
    elif ((10#$found < 10#$least)); then
        echo "✗ $query: found $found, expected at least $least" >&2
        failed=1
    else
        echo "✓ $query: $found"
    fi
done <<< "$CHECKS"
exit "$failed"
