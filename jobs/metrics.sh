# Publishes the measurements of the previous steps, and fails if they failed, so that the metrics show failures too.
# Reads, in the shared directory: metrics.json, in the format of `aws cloudwatch put-metric-data`, and failed, which
# exists if a step failed and contains the reason.
set -euo pipefail

aws cloudwatch put-metric-data --cli-input-json "file://$HANDOVER/metrics.json"
echo "✓ metrics published"
if [[ -e $HANDOVER/failed ]]; then
    cat "$HANDOVER/failed" >&2
    exit 1
fi
