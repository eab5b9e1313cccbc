# Dumps the database to the disk that the steps share, and refuses what nobody could restore from. Sections 5.2 and 7.1.
# Told: FILE, the name of the dump; TABLES, which must be in it; MINIMUM_BYTES; PGSSLMODE. Reads: the Secret that leads to
# the active database. The file is there whole and verified, with its SHA-256 beside it, or not at all.
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

# One that waits for a lock would make everybody else wait behind it. How far maintenance has come is no data.
pg_dump --no-password --exclude-schema=mcp_maintenance --format=custom --lock-wait-timeout=60s --file="$partial"

# To the last byte: a listing would be content with the table of contents, which comes first.
pg_restore --file=/dev/null "$partial"
contents=$(pg_restore --list "$partial")
tables=$(grep -c ' TABLE DATA ' <<< "$contents" || true)
((tables > 0)) || refuse "holds no table: there is nothing to save yet"
for table in $TABLES; do
    # Of a partitioned table, the partitions have the data.
    grep -Eq "^[0-9]+; [0-9]+ [0-9]+ TABLE( DATA)? public $table " <<< "$contents" || refuse "lacks the table $table"
done
size=$(stat --format=%s "$partial")
((size >= MINIMUM_BYTES)) || refuse "has $size bytes, expected at least $MINIMUM_BYTES"

sum=$(sha256sum < "$partial" | cut -c1-64)
# The disk may be full by now: the dump gets its name last.
echo "$sum  $FILE" > "$FILE.sha256"
mv "$partial" "$FILE"
echo "✓ $PGDATABASE at $PGHOST: $tables tables in $size bytes, sha256 $sum"
