# Tells CloudWatch that a task has come to its end: a task that has not said so for too long has failed, or never ran.
# Environment: METRICS, the namespace; and TASK, the name it is known by. Runs after steps that all ended well;
# one of them may leave unfinished, which means that a later run is to come to the end.
set -euo pipefail
export AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=5 AWS_PAGER=

if [[ -e $HANDOVER/unfinished ]]; then
    echo "! $TASK has not come to its end yet: it is not told"
    exit 0
fi
aws cloudwatch put-metric-data --namespace "$METRICS" --metric-name TaskSucceeded --dimensions "Task=$TASK" \
    --value 1 --unit Count
echo "✓ $TASK has come to its end"
