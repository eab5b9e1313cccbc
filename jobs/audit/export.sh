# Exports the audit events of a period for an auditor, from a machine with the rights to read the archive. Section 7.1.
# Arguments: the first day and the last day in UTC, as 2026-01-31, and a folder that does not exist yet. Environment: ARCHIVE, the
# bucket. Writes the objects below FOLDER, and beside it FOLDER.sha256, which `sha256sum --check` takes. Nothing is written
# where an object of the period cannot be read: the export is whole, or it is none.
set -euo pipefail
export AWS_PAGER='' LC_ALL=C

(($# == 3)) || { echo "Usage: ARCHIVE=BUCKET bash jobs/audit/export.sh FIRST_DAY LAST_DAY FOLDER" >&2; exit 1; }
first=$1 last=$2 folder=${3%/}
fail() {
    echo "✗ $1" >&2
    exit 1
}
for day in "$first" "$last"; do
    [[ $(date --utc --date "$day" +%F 2> /dev/null) == "$day" ]] || fail "found the day $day, expected one such as 2026-01-31"
done
[[ ! $first > $last ]] || fail "found the last day $last, expected $first or later"
[[ ! -e $folder && ! -e $folder.sha256 ]] || fail "$folder or $folder.sha256 exists: nothing is written over"

partial=$(mktemp --directory "$folder.XXXXXX")
trap 'rm -rf "$partial"' EXIT
for ((day = $(date --utc --date "$first" +%s); day <= $(date --utc --date "$last" +%s); day += 86400)); do
    prefix="events/$(date --utc --date "@$day" +%Y/%m/%d)/"
    aws s3api list-objects-v2 --bucket "$ARCHIVE" --prefix "$prefix" \
        --query 'Contents[].[Key,StorageClass]' --output text >> "$partial/listed"
done
# A day without events has the answer None.
sed -i '/^None$/d' "$partial/listed"
[[ -s $partial/listed ]] || fail "$ARCHIVE has no events from $first to $last"

mkdir "$partial/objects"
while IFS=$'\t' read -r key class; do
    target="$partial/objects/${key#events/}"
    mkdir -p "$(dirname "$target")"
    aws s3 cp --only-show-errors "s3://$ARCHIVE/$key" "$target" < /dev/null ||
        fail "s3://$ARCHIVE/$key, $class, cannot be read. One in deep storage must be restored first: aws s3api restore-object"
done < "$partial/listed"
listed=$(wc -l < "$partial/listed")
found=$(find "$partial/objects" -type f | wc -l)
((found == listed)) || fail "found $found objects, expected $listed"
# What cannot be unpacked is no proof.
events=$(find "$partial/objects" -type f -print0 | sort -z | xargs -0 zcat | wc -l) || fail "an object is not whole"

mv "$partial/objects" "$folder"
(cd "$(dirname "$folder")" && find "$(basename "$folder")" -type f -print0 | sort -z | xargs -0 sha256sum) > "$folder.sha256"
echo "✓ $found objects with $events events from $first to $last; checksums in $folder.sha256"
