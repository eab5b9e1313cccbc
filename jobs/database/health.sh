# Checks that the database accepts connections (2.1) and counts those that are open and idle (4.3.2 step 3), for the
# next step to publish. Environment: READY, IDLE and PGSSLMODE. Reads: the Secret with the active database's URL.
# Writes, in the shared directory, READY ("STATUS MILLISECONDS WORDS" of pg_isready) and IDLE (the count). This step
# never fails: the next step evaluates the files.
set -euo pipefail
export PGAPPNAME=mcp-health
export PGOPTIONS="-c statement_timeout=10s -c default_transaction_read_only=on"
source "$(dirname "$0")/connection.sh"

status=0
start=${EPOCHREALTIME/./}
words=$(pg_isready --timeout=10 2>&1) || status=$?
milliseconds=$(((${EPOCHREALTIME/./} - start) / 1000))
# Without the address, which pg_isready prints first.
words=${words##* - }
echo "$status $milliseconds $words" > "$HANDOVER/$READY"
echo "pg_isready: $words ($milliseconds ms)"

if idle=$(psql --no-psqlrc --no-password --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \
    --command "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle'"); then
    echo "$idle" > "$HANDOVER/$IDLE"
    echo "✓ $idle connections are idle"
else
    echo "✗ idle connections could not be counted" >&2
fi
