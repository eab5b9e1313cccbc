# Verifies a restored database as the application's user. Section 7.2 step 4. Environment: PGHOST, PGPORT, PGSSLMODE,
# PGDATABASE, PGUSER, and CHECKS: a line each with the minimum, a tab, and the query that counts. Runs and reports every
# check; one failure fails the run.
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
    # Warnings, for example of a collation, are not part of the result.
    if ! found=$(psql --no-psqlrc --quiet --tuples-only --no-align --command "$query" 2> "$errors"); then
        reason=$(grep -E -m 1 'ERROR|FATAL|error:' "$errors" || head -n 1 "$errors")
        echo "✗ $query: $reason" >&2
        failed=1
    elif ! [[ $found =~ ^[0-9]{1,18}$ ]]; then
        echo "✗ $query: gave no whole number" >&2
        failed=1
    # Forces base 10, because a leading 0 means octal.
    elif ((10#$found < 10#$least)); then
        echo "✗ $query: found $found, expected at least $least" >&2
        failed=1
    else
        echo "✓ $query: $found"
    fi
done <<< "$CHECKS"
exit "$failed"
