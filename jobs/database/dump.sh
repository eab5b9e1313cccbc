# Dumps the database to the shared volume, and refuses a dump that cannot be restored. Sections 5.2 and 7.1.
# Environment: FILE, the name of the dump; TABLES, which it must contain; MINIMUM_BYTES; PGSSLMODE. Reads: the Secret
# with the active database's URL. The file appears complete and verified, with its SHA-256 next to it, or not at all.
set -euo pipefail
export PGAPPNAME=mcp-dump
source "$(dirname "$0")/connection.sh"

cd "$SCRATCH"
partial="$FILE.partial"
trap 'rm -f "$partial" "$PGPASSFILE"; [[ -f $FILE ]] || rm -f "$FILE.sha256"' EXIT
refuse() {
    echo "✗ the dump of $PGDATABASE at $PGHOST $1" >&2
    exit 1
}

# A dump that waits for a lock would block all later queries. The maintenance's progress is no data.
pg_dump --no-password --exclude-schema=mcp_maintenance --format=custom --lock-wait-timeout=60s --file="$partial"

# Reads to the last byte: a listing reads only the table of contents, at the start.
pg_restore --file=/dev/null "$partial"
contents=$(pg_restore --list "$partial")
tables=$(grep -c ' TABLE DATA ' <<< "$contents" || true)
((tables > 0)) || refuse "holds no table: there is nothing to save yet"
for table in $TABLES; do
    # The data of a partitioned table is in its partitions.
    grep -Eq "^[0-9]+; [0-9]+ [0-9]+ TABLE( DATA)? public $table " <<< "$contents" || refuse "lacks the table $table"
done
size=$(stat --format=%s "$partial")
((size >= MINIMUM_BYTES)) || refuse "has $size bytes, expected at least $MINIMUM_BYTES"

sum=$(sha256sum < "$partial" | cut -c1-64)
# The disk may be full by now: the dump is renamed last.
echo "$sum  $FILE" > "$FILE.sha256"
mv "$partial" "$FILE"
echo "✓ $PGDATABASE at $PGHOST: $tables tables in $size bytes, sha256 $sum"
