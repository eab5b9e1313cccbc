# Publishes what the steps before it measured, and ends as they did: what failed must be seen in the metrics too.
# Reads, in the directory that the steps share: metrics.json, as `aws cloudwatch put-metric-data` takes it, and failed,
# which is there if a step failed and says why.
set -euo pipefail

aws cloudwatch put-metric-data --cli-input-json "file://$HANDOVER/metrics.json"
echo "✓ metrics published"
if [[ -e $HANDOVER/failed ]]; then
    cat "$HANDOVER/failed" >&2
    exit 1
fi
