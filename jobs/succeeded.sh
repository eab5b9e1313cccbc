# Publishes the heartbeat of a completed task: without it for too long, the task failed or never ran. Environment:
# METRICS, the namespace; and TASK, its name. Runs after steps that all succeeded. A step may write the file unfinished,
# which means that a later run completes the task.
set -euo pipefail
export AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=5 AWS_PAGER=

if [[ -e $HANDOVER/unfinished ]]; then
    echo "! $TASK has not come to its end yet: it is not told"
    exit 0
fi
aws cloudwatch put-metric-data --namespace "$METRICS" --metric-name TaskSucceeded --dimensions "Task=$TASK" \
    --value 1 --unit Count
echo "✓ $TASK has come to its end"
