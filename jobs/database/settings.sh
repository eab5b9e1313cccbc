# Checks that an instance has the declared settings. RDS restores an instance without its windows, retention and
# Performance Insights: the next update sets them. Section 7.2. Environment: INSTANCE; EXPECTED, a line each with the
# name of a setting as in DescribeDBInstances, a tab, and its value; ATTEMPTS, the number of checks, ten seconds apart,
# because AWS applies settings slowly.
set -euo pipefail
export AWS_PAGER=

for ((attempt = 1; ; attempt += 1)); do
    different=()
    while IFS=$'\t' read -r setting expected; do
        found=$(aws rds describe-db-instances --db-instance-identifier "$INSTANCE" \
            --query "DBInstances[0].$setting" --output text)
        # The AWS CLI writes booleans as Python does.
        [[ ${found,,} == "${expected,,}" ]] || different+=("$setting is $found, expected $expected")
    done <<< "$EXPECTED"
    ((${#different[@]} == 0 || attempt >= ATTEMPTS)) && break
    sleep 10
done
if ((${#different[@]} > 0)); then
    printf "✗ $INSTANCE: %s\n" "${different[@]}" >&2
    # No update restarts an instance.
    if [[ ${different[*]} == *pending-reboot* ]]; then
        echo "✗ $INSTANCE waits for a restart: aws rds reboot-db-instance --db-instance-identifier $INSTANCE; then run the update once more" >&2
    else
        echo "✗ run the update once more: it sets what RDS did not restore" >&2
    fi
    exit 1
fi
echo "✓ $INSTANCE has its windows, its retention and Performance Insights"
