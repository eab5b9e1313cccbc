# Gives the application its user, its rights and the extensions it is measured by. Run again, it changes nothing
# but what is different: after a recovery it sets the password of today on a database of yesterday.
# Told: PGHOST, PGPORT, PGSSLMODE, DATABASE, APPLICATION_USER. Reads: administrator.json of the step before, and the
# SCRAM verifier of the application's password, which itself never comes here.
set -euo pipefail
umask 077
export PGCONNECT_TIMEOUT=10 PGAPPNAME=mcp-bootstrap PGPASSFILE="$HANDOVER/pgpass"
export PGOPTIONS="-c client_min_messages=warning"

# An empty one would take the application's password away.
if ! grep -qs '^SCRAM-SHA-256\$' "$SECRETS/verifier"; then
    echo "✗ $SECRETS/verifier holds no SCRAM verifier" >&2
    exit 1
fi

# Fields of a password file escape colons and backslashes.
PGUSER=$(perl -MJSON::PP -0777 -e 'print decode_json(<>)->{username}' "$HANDOVER/administrator.json")
export PGUSER
perl -MJSON::PP -0777 -e '
    my $password = decode_json(<>)->{password};
    $password =~ s/([\\:])/\\$1/g;
    print "*:*:*:*:$password\n";
' "$HANDOVER/administrator.json" > "$PGPASSFILE"

psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname postgres \
    --set user="$APPLICATION_USER" --set database="$DATABASE" <<'SQL'
\set verifier `cat "$SECRETS/verifier"`
SELECT format('CREATE ROLE %I', :'user') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'user') \gexec
ALTER ROLE :"user" LOGIN NOCREATEDB NOCREATEROLE PASSWORD :'verifier';
SELECT format('CREATE DATABASE %I', :'database')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
-- Whoever gives a database away must be a member of who gets it.
GRANT :"user" TO CURRENT_USER;
ALTER DATABASE :"database" OWNER TO :"user";
REVOKE CONNECT, TEMPORARY ON DATABASE :"database" FROM PUBLIC;
GRANT pg_read_all_stats TO :"user";
\connect :"database"
ALTER SCHEMA public OWNER TO :"user";
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
SQL
echo "✓ $APPLICATION_USER on $DATABASE at $PGHOST: role, rights and pg_stat_statements are there"
