# Checks the progress of this run of the maintenance: finished steps and an existing dump are not repeated. Environment:
# PGSSLMODE. Reads: the Secret with the active database's URL; and run, the name of the run, from the window check.
# Writes skip, or skip-dump and skip-upload.
set -euo pipefail
export PGAPPNAME=mcp-maintenance PGOPTIONS="-c statement_timeout=30s"
source "$(dirname "$0")/connection.sh"
run=$(< "$HANDOVER/run")

ask() {
    psql --no-psqlrc --no-password --quiet --tuples-only --no-align --command "$1"
}
steps=
if [[ $(ask "SELECT to_regclass('mcp_maintenance.steps') IS NOT NULL") == t ]]; then
    steps=$(ask "SELECT step FROM mcp_maintenance.steps WHERE run = '$run'")
fi
if grep --quiet --line-regexp finished <<< "$steps"; then
    touch "$HANDOVER/skip"
    echo "✓ $run has been finished: nothing to be done"
elif grep --quiet --line-regexp dump <<< "$steps"; then
    touch "$HANDOVER/skip-dump" "$HANDOVER/skip-upload"
    echo "✓ $run was interrupted after its dump: it goes on"
else
    echo "✓ $run begins"
fi
