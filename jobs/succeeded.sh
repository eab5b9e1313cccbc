# Tells CloudWatch that a task has come to its end: a task that has not said so for too long has failed, or never ran.
# Told: METRICS, the namespace; and TASK, the name it is known by. Runs after steps that all ended well.
set -euo pipefail
export AWS_RETRY_MODE=standard AWS_MAX_ATTEMPTS=5 AWS_PAGER=

aws cloudwatch put-metric-data --namespace "$METRICS" --metric-name TaskSucceeded --dimensions "Task=$TASK" \
    --value 1 --unit Count
echo "✓ $TASK has come to its end"
