# What the database knows of its own trouble: idle connections (4.3.2 step 3), the statements that take the most time
# (6.3) and the largest tables (5.2 step 4). Told: PGSSLMODE. Reads: the Secret that leads to the active database.
# Every query is tried. It ends well in any case, so that the next step can look at the rest: what could not be found
# out stands in failed, in the directory that the steps share.
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
# The application's own: what an administrator runs is kept to the letter, with the passwords that stand in it.
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
