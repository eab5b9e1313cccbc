# Fetches the administrator's name and password, which AWS made and keeps, for the next step of the same pod.
# Told: ADMINISTRATOR_ARN, of the secret, and AWS_DEFAULT_REGION. Writes: administrator.json in the directory that the
# steps share.
set -euo pipefail
umask 077

aws secretsmanager get-secret-value --secret-id "$ADMINISTRATOR_ARN" \
    --query SecretString --output text > "$HANDOVER/administrator.json"
echo "✓ administrator's secret fetched"
