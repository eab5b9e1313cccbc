# Diagnostics of the database: idle connections (4.3.2 step 3), slowest statements (6.3) and largest tables (5.2 step
# 4). Environment: PGSSLMODE. Reads: the Secret with the active database's URL. Runs every query and always succeeds, so
# that the next step runs too: failures are in the file failed of the shared directory.
set -euo pipefail
export PGAPPNAME=mcp-diagnostics
export PGOPTIONS="-c statement_timeout=30s -c default_transaction_read_only=on"
source "$(dirname "$0")/connection.sh"

look() {
    echo "=== $1 ==="
    if ! psql --no-psqlrc --no-password --quiet --set ON_ERROR_STOP=1 --pset footer=off --command "$2" 2>&1; then
        echo "$1" >> "$HANDOVER/failed"
    fi
}

look "Connections by state (4.3.2)" "
    SELECT state, count(*) AS connections, max(now() - state_change) AS longest
    FROM pg_stat_activity WHERE datname = current_database() GROUP BY state ORDER BY connections DESC"
look "Idle connections by client (4.3.2)" "
    SELECT usename, application_name, client_addr, count(*) AS idle
    FROM pg_stat_activity WHERE state = 'idle' GROUP BY 1, 2, 3 ORDER BY idle DESC LIMIT 10"
# Only the application's statements: an administrator's are stored verbatim, with any passwords in them.
look "Statements by total time (6.3)" "
    SELECT calls, round(mean_exec_time::numeric, 1) AS mean_ms, round(total_exec_time::numeric, 1) AS total_ms,
        left(regexp_replace(query, '\s+', ' ', 'g'), 100) AS query
    FROM pg_stat_statements WHERE userid = (SELECT oid FROM pg_roles WHERE rolname = current_user)
    ORDER BY total_exec_time DESC LIMIT 10"
look "Tables by size (5.2)" "
    SELECT tablename, pg_size_pretty(pg_total_relation_size(format('%I.%I', schemaname, tablename))) AS size
    FROM pg_tables WHERE schemaname = 'public'
    ORDER BY pg_total_relation_size(format('%I.%I', schemaname, tablename)) DESC LIMIT 10"
if [[ -e $HANDOVER/failed ]]; then
    paste --serial --delimiters=';' "$HANDOVER/failed" | sed 's/;/; /g' > "$HANDOVER/one" && mv "$HANDOVER/one" "$HANDOVER/failed"
fi
