# Fetches the administrator's name and password, which RDS stores, for the next step of the pod. Environment:
# ADMINISTRATOR_ARN, of the secret, and AWS_DEFAULT_REGION. Writes: administrator.json in the shared directory.
set -euo pipefail
umask 077

aws secretsmanager get-secret-value --secret-id "$ADMINISTRATOR_ARN" \
    --query SecretString --output text > "$HANDOVER/administrator.json"
echo "✓ administrator's secret fetched"
