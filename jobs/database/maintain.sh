# Vacuums and reindexes the database while the services use it. Section 5.2 steps 2 to 4. Prints a line for each step
# and stops at the first failure. Progress is recorded in the database, in mcp_maintenance.steps, so that an interrupted
# run continues. Environment: PGSSLMODE. Reads: the Secret with the active database's URL; and, from the window check,
# run, the name of the run, and until, the second since 1970 at which the server cancels the current statement.
set -euo pipefail
export PGAPPNAME=mcp-maintenance
source "$(dirname "$0")/connection.sh"
until=$(< "$HANDOVER/until")
run=$(< "$HANDOVER/run")

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
    # Quiet, because each skipped system catalogue causes a warning. Ends statements that a killed pod has left.
    PGOPTIONS="-c client_min_messages=error -c client_connection_check_interval=10s -c statement_timeout=${left}s" \
        psql --no-psqlrc --no-password --quiet --tuples-only --no-align --field-separator=$'\t' --set ON_ERROR_STOP=1 \
        "${@/#/--command=}"
}
step() {
    ask "${@:2}" || fail "$1 failed"
    echo "✓ $1"
}
# Statement that records a step of this run.
record() {
    echo "INSERT INTO mcp_maintenance.steps (run, step) VALUES ('$run', '${1//\'/\'\'}') ON CONFLICT DO NOTHING"
}

# VACUUM skips tables that it has no right to, and succeeds.
owns=$(ask "SELECT pg_has_role(datdba, 'USAGE') FROM pg_database WHERE datname = current_database()") || fail "cannot be asked whose it is"
[[ $owns == t ]] || fail "$PGUSER does not own it: nothing was changed"
size="SELECT pg_size_pretty(pg_database_size(current_database()))"
before=$(ask "$size") || fail "cannot be measured"

# The dump preceded this step. Of other runs, only the finished step is kept.
ask "CREATE SCHEMA IF NOT EXISTS mcp_maintenance" \
    "CREATE TABLE IF NOT EXISTS mcp_maintenance.steps (
        run text, step text, ended timestamptz NOT NULL DEFAULT now(), PRIMARY KEY (run, step))" \
    "DELETE FROM mcp_maintenance.steps WHERE run <> '$run' AND step <> 'finished'" \
    "$(record dump)" || fail "cannot be told what is done"
if [[ $(ask "SELECT count(*) FROM mcp_maintenance.steps WHERE run = '$run' AND step = 'vacuum'") == 0 ]]; then
    step "VACUUM (ANALYZE)" "VACUUM (ANALYZE)" "$(record vacuum)"
fi
# Suffixes of indexes that REINDEX builds or has replaced. An index that is being built is not left over.
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
# Table by table, smallest first: completed tables stay done.
tables=$(ask "
    SELECT format('%I.%I', nspname, relname), pg_has_role(relowner, 'USAGE')
    FROM pg_class AS relation JOIN pg_namespace AS schema ON schema.oid = relnamespace
    WHERE relkind IN ('r', 'm') AND (relhasindex OR reltoastrelid <> 0) AND relpersistence <> 't' AND nspname !~ '^pg_'
        AND nspname NOT IN ('information_schema', 'mcp_maintenance')
        AND NOT EXISTS (SELECT FROM mcp_maintenance.steps
            WHERE run = '$run' AND step = 'reindex ' || format('%I.%I', nspname, relname))
    ORDER BY pg_total_relation_size(relation.oid), 1") || fail "cannot be searched for tables"
while IFS=$'\t' read -r table owned; do
    if [[ $owned == t ]]; then
        step "REINDEX TABLE CONCURRENTLY $table" "REINDEX TABLE CONCURRENTLY $table" "$(record "reindex $table")"
    elif [[ -n $table ]]; then
        echo "! $table is somebody else's: its indexes stay as they are"
    fi
done <<< "$tables"
step "largest tables" "
    SELECT tablename, pg_size_pretty(pg_total_relation_size(format('%I.%I', schemaname, tablename)))
    FROM pg_tables WHERE schemaname = 'public'
    ORDER BY pg_total_relation_size(format('%I.%I', schemaname, tablename)) DESC LIMIT 10"
after=$(ask "$size") || fail "cannot be measured"
ask "$(record finished)" || fail "cannot be told that it is finished"
echo "✓ $PGDATABASE at $PGHOST: $after, before it $before"
