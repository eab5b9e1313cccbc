# Vacuums and reindexes the database while the services use it. Section 5.2 steps 2 to 4. Each step is a line, and the
# first that fails is the last. Told: PGSSLMODE. Reads: the Secret that leads to the active database; and until, left by
# the look at the window: the second since 1970 at which the server breaks off whatever it is at.
set -euo pipefail
export PGAPPNAME=mcp-maintenance
source "$(dirname "$0")/connection.sh"
until=$(< "$HANDOVER/until")

fail() {
    echo "✗ $PGDATABASE at $PGHOST: $1" >&2
    exit 1
}
ask() {
    local left=$((until - $(date +%s)))
    if ((left <= 0)); then
        echo "the time for it is over" >&2
        return 1
    fi
    # Quiet, because the system's catalogues are passed over with a warning each. And what a killed pod has begun ends.
    PGOPTIONS="-c client_min_messages=error -c client_connection_check_interval=10s -c statement_timeout=${left}s" \
        psql --no-psqlrc --no-password --quiet --tuples-only --no-align --field-separator=$'\t' --command "$1"
}
step() {
    ask "$2" || fail "$1 failed"
    echo "✓ $1"
}

# VACUUM passes over what it has no right to, and succeeds.
owns=$(ask "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()") || fail "cannot be asked whose it is"
[[ $owns == t ]] || fail "$PGUSER does not own it: nothing was changed"
size="SELECT pg_size_pretty(pg_database_size(current_database()))"
before=$(ask "$size") || fail "cannot be measured"

step "VACUUM (ANALYZE)" "VACUUM (ANALYZE)"
# What REINDEX builds, and what it has replaced, is called so until it is done. What is being built is no leftover.
leftovers=$(ask "
    SELECT format('%I.%I', nspname, relname), (SELECT oid::regclass FROM pg_class WHERE reltoastrelid = indrelid)
    FROM pg_index JOIN pg_class AS index ON index.oid = indexrelid JOIN pg_namespace AS schema ON schema.oid = relnamespace
    WHERE NOT indisvalid AND relname ~ '_cc(new|old)[0-9]*$'
        AND indexrelid NOT IN (SELECT index_relid FROM pg_stat_progress_create_index WHERE index_relid IS NOT NULL)
    ORDER BY 1") || fail "cannot be searched for what an interrupted REINDEX left"
while IFS=$'\t' read -r index table; do
    left="$index, left by an interrupted REINDEX,"
    if [[ -n $table ]]; then
        echo "! $left stays: only a superuser may drop it, and ALTER TABLE when it rewrites $table"
    elif [[ -n $index ]]; then
        step "$left dropped" "DROP INDEX CONCURRENTLY IF EXISTS $index"
    fi
done <<< "$leftovers"
step "REINDEX DATABASE CONCURRENTLY" "REINDEX DATABASE CONCURRENTLY \"${PGDATABASE//\"/\"\"}\""
step "largest tables" "
    SELECT tablename, pg_size_pretty(pg_total_relation_size(format('%I.%I', schemaname, tablename)))
    FROM pg_tables WHERE schemaname = 'public'
    ORDER BY pg_total_relation_size(format('%I.%I', schemaname, tablename)) DESC LIMIT 10"
after=$(ask "$size") || fail "cannot be measured"
echo "✓ $PGDATABASE at $PGHOST: $after, before it $before"
