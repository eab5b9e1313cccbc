# Asks Route 53 what its checkers around the world find at the platform's public hosts, for the next step to judge.
# Told: CHECKS, a line each of a file and the id of a health check. What is told stands in these files, in the directory
# that the steps share. What is not told is the next step's to judge, too: this one ends well.
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
