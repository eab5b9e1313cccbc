# Uploads the file that the previous step left on the shared volume, and verifies the upload. Sections 5.2 step 1 and
# 7.1. Environment: BUCKET; KIND, the prefix; LABEL, the file's subject; FILE; METRICS, the namespace of the heartbeat,
# if any; LOCK_MODE and LOCK_DAYS, if the lock is longer than the bucket's. Reads: FILE and FILE.sha256. S3 shows an
# object only when it is complete; an interrupted multipart upload is aborted.
set -euo pipefail
umask 077
export AWS_CONFIG_FILE="$HANDOVER/aws-config" AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=5 AWS_PAGER=
# S3's checksum of a large file depends on its parts, so their size is fixed here.
part=$((${PART_MEBIBYTES:-64} * 1024 * 1024))
cat > "$AWS_CONFIG_FILE" <<CONFIG
[default]
s3 =
  preferred_transfer_client = classic
  multipart_threshold = $part
  multipart_chunksize = $part
CONFIG

cd "$SCRATCH"
sha256sum --check --quiet "$FILE.sha256"
sha256=$(cut -c1-64 "$FILE.sha256")
size=$(stat --format=%s "$FILE")
# The end of the pod's name is unique to this run.
key="$KIND/$(date -u +%Y%m%dT%H%M%SZ)-$LABEL-${HOSTNAME##*-}.${FILE#*.}"
refuse() {
    echo "✗ s3://$BUCKET/$key $1" >&2
    exit 1
}

# Only with job control does a background process receive an interrupt, at which it aborts the upload.
set -m
aws s3 cp "$FILE" "s3://$BUCKET/$key" --checksum-algorithm SHA256 --metadata "sha256=$sha256" --no-progress &
upload=$!
stop() {
    kill -INT "$upload"
    echo "stopping the upload of $key"
    wait "$upload" || true
    refuse "was not uploaded: stopped"
}
trap stop TERM INT
wait "$upload" || refuse "was not uploaded"
trap - TERM INT

# Hexadecimal digits to bytes.
raw() { printf '%b' "$(sed 's/../\\x&/g')"; }
if ((size < part)); then
    expected=$(raw <<< "$sha256" | base64)
else
    # The checksum of the concatenated checksums of the parts.
    expected=$(split --bytes="$part" --filter=sha256sum "$FILE" | cut -c1-64 | tr -d '\n' | raw \
        | sha256sum | cut -c1-64 | raw | base64)
fi
stored=$(aws s3api head-object --bucket "$BUCKET" --key "$key" --checksum-mode ENABLED \
    --query '[ContentLength, ChecksumSHA256]' --output text)
read -r found checksum <<< "$stored"
[[ $found == "$size" ]] || refuse "has $found bytes, expected $size: do not rely on it"
# A multipart checksum ends in a hyphen and the number of parts.
[[ ${checksum%-*} == "$expected" ]] || refuse "has the checksum $checksum, expected $expected: do not rely on it"
if [[ -n ${LOCK_MODE-} ]]; then
    until=$(date -u -d "+$LOCK_DAYS days" +%Y-%m-%dT%H:%M:%SZ)
    aws s3api put-object-retention --bucket "$BUCKET" --key "$key" \
        --retention "Mode=$LOCK_MODE,RetainUntilDate=$until" || refuse "was not locked until $until"
fi
echo "✓ s3://$BUCKET/$key: $size bytes, sha256 $sha256${until:+, locked until $until}"

if [[ -n ${METRICS-} ]]; then
    aws cloudwatch put-metric-data --namespace "$METRICS" --metric-name DumpSucceeded --dimensions "Kind=$KIND" \
        --value 1 --unit Count
fi
