# Counts the connections to the database that are open and do nothing (4.3.2 step 3), for the next step to publish.
# Told: FILE and PGSSLMODE. Reads: the Secret that leads to the active database. The number stands in FILE, in the
# directory that the steps share. A database that does not tell it is the next step's to judge: this one ends well.
set -euo pipefail
export PGAPPNAME=mcp-health
export PGOPTIONS="-c statement_timeout=10s -c default_transaction_read_only=on"
source "$(dirname "$0")/connection.sh"

if idle=$(psql --no-psqlrc --no-password --quiet --tuples-only --no-align --set ON_ERROR_STOP=1 \
    --command "SELECT count(*) FROM pg_stat_activity WHERE state = 'idle'"); then
    echo "$idle" > "$HANDOVER/$FILE"
    echo "✓ $idle connections are idle"
else
    echo "✗ idle connections could not be counted" >&2
fi
