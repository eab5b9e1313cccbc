# Counts the rows of each table on a database and on its restored copy, and those that only one of them has: what a
# switch loses. It does not judge: people decide on a switch. Section 7.2 step 4. Environment: PRIMARY, PRIMARY_HOST,
# PRIMARY_PORT; RECOVERED, RECOVERED_HOST, RECOVERED_PORT; PGDATABASE, PGUSER, PGSSLMODE; ROWS, the maximum rows of a
# table that is compared row by row. An updated row counts on both sides.
set -euo pipefail
umask 077
export PGCONNECT_TIMEOUT=10 PGAPPNAME=mcp-compare PGPASSFILE="$HANDOVER/pgpass" LC_ALL=C
printf '*:*:*:*:%s\n' "$(cat "$SECRETS/password")" > "$PGPASSFILE"
work="$SCRATCH/compare"
mkdir -p "$work"
trap 'rm -rf "$work"' EXIT

primary() { psql --host "$PRIMARY_HOST" --port "$PRIMARY_PORT" --no-psqlrc --quiet --tuples-only --no-align "$@"; }
recovered() { psql --host "$RECOVERED_HOST" --port "$RECOVERED_PORT" --no-psqlrc --quiet --tuples-only --no-align "$@"; }

tables="SELECT format('%I.%I', n.nspname, c.relname) FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace
    WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND n.nspname !~ '^(pg_|information_schema\$)' ORDER BY 1"
if ! recovered --command "$tables" > "$work/recovered" 2> "$work/error"; then
    echo "✗ $RECOVERED cannot be asked: $(head -n 1 "$work/error")" >&2
    exit 1
fi
if ! primary --command "$tables" > "$work/primary" 2> "$work/error"; then
    echo "– $PRIMARY cannot be asked: $(head -n 1 "$work/error")"
    echo "– what was written to $PRIMARY after the restore time is lost with $RECOVERED, and not counted"
    exit 0
fi

lost=0 lacking=0 uncompared=0
while read -r table; do
    for side in primary recovered; do
        if grep -Fqx "$table" "$work/$side"; then
            "$side" --command "SELECT count(*) FROM $table" > "$work/$side.count"
            if (($(cat "$work/$side.count") <= ROWS)); then
                "$side" --command "SELECT md5(t::text) FROM $table AS t" | sort > "$work/$side.rows"
            fi
        else
            echo 0 > "$work/$side.count"
            : > "$work/$side.rows"
        fi
    done
    there=$(cat "$work/primary.count") here=$(cat "$work/recovered.count")
    if ((there > ROWS || here > ROWS)); then
        uncompared=$((uncompared + 1))
        echo "– $table: $there rows on $PRIMARY, $here on $RECOVERED; too many to compare each"
        continue
    fi
    only_there=$(comm -23 "$work/primary.rows" "$work/recovered.rows" | wc -l)
    only_here=$(comm -13 "$work/primary.rows" "$work/recovered.rows" | wc -l)
    lost=$((lost + only_there)) lacking=$((lacking + only_here))
    echo "– $table: $there rows on $PRIMARY, $here on $RECOVERED; only on $PRIMARY $only_there, only on $RECOVERED $only_here"
done < <(sort -u "$work/primary" "$work/recovered")
echo "✓ with $RECOVERED the services lose $lost rows, which are on $PRIMARY alone"
echo "✓ with $PRIMARY the services lose $lacking rows, which are on $RECOVERED alone"
if ((uncompared > 0)); then
    echo "– $uncompared tables were counted only"
fi
