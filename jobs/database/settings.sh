# Looks whether an instance has the settings that are declared. RDS restores one without its windows, retention and
# Performance Insights: the update after it sets them. Section 7.2.
# Told: INSTANCE; EXPECTED, a line each, the name of a setting as DescribeDBInstances calls it, a tab, and its value;
# ATTEMPTS, how often it looks, ten seconds apart. AWS takes its time to apply a setting.
set -euo pipefail
export AWS_PAGER=

for ((attempt = 1; ; attempt += 1)); do
    different=()
    while IFS=$'\t' read -r setting expected; do
        found=$(aws rds describe-db-instances --db-instance-identifier "$INSTANCE" \
            --query "DBInstances[0].$setting" --output text)
        # The command line writes booleans as Python does.
        [[ ${found,,} == "${expected,,}" ]] || different+=("$setting is $found, expected $expected")
    done <<< "$EXPECTED"
    ((${#different[@]} == 0 || attempt >= ATTEMPTS)) && break
    sleep 10
done
if ((${#different[@]} > 0)); then
    printf "✗ $INSTANCE: %s\n" "${different[@]}" >&2
    echo "✗ run the update once more: it sets what RDS did not restore" >&2
    exit 1
fi
echo "✓ $INSTANCE has its windows, its retention and Performance Insights"
