# Fetches the results of Route 53's checkers for the public hosts, for the next step to evaluate. Environment: CHECKS, a
# line each of a file and the id of a health check. Writes the results to these files in the shared directory. Always
# succeeds: the next step also evaluates missing results.
set -euo pipefail
export AWS_PAGER="" AWS_MAX_ATTEMPTS=2

while read -r file id; do
    if aws route53 get-health-check-status --health-check-id "$id" --output json \
        --cli-connect-timeout 5 --cli-read-timeout 5 > "$HANDOVER/$file.part"; then
        mv "$HANDOVER/$file.part" "$HANDOVER/$file"
        echo "✓ asked for $file"
    else
        echo "✗ Route 53 does not tell of $file" >&2
    fi
done <<< "$CHECKS"
