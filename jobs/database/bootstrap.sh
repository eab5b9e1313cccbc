# Gives the application its users, their rights and the extensions it is measured by. Run again, it changes nothing
# but what is different: after a recovery it sets the passwords of today on a database of yesterday.
# Environment: PGHOST, PGPORT, PGSSLMODE, DATABASE; USERS, a line each with tabs between: the name of a user, LOGIN or NOLOGIN,
# and when its password was made, if it was rotated. The first user owns the database; the others act as the first, so that
# all objects belong to it.
# Reads: administrator.json of the step before, and USER/verifier, the SCRAM verifier of each password, which itself never
# comes here.
set -euo pipefail
umask 077
export PGCONNECT_TIMEOUT=10 PGAPPNAME=mcp-bootstrap PGPASSFILE="$HANDOVER/pgpass"
export PGOPTIONS="-c client_min_messages=warning"

# An empty one would take the application's password away.
owner=
while IFS=$'\t' read -r user _; do
    owner=${owner:-$user}
    if ! grep -qs '^SCRAM-SHA-256\$' "$SECRETS/$user/verifier"; then
        echo "✗ $SECRETS/$user/verifier holds no SCRAM verifier" >&2
        exit 1
    fi
done <<< "$USERS"

# Fields of a password file escape colons and backslashes.
PGUSER=$(perl -MJSON::PP -0777 -e 'print decode_json(<>)->{username}' "$HANDOVER/administrator.json")
export PGUSER
# Otherwise it would lose its rights and its password before anything fails.
while IFS=$'\t' read -r user _; do
    if [[ $user == "$PGUSER" ]]; then
        echo "✗ $user is the database's administrator, expected another user of the services (mcp:database.user). Nothing was changed" >&2
        exit 1
    fi
done <<< "$USERS"
perl -MJSON::PP -0777 -e '
    my $password = decode_json(<>)->{password};
    $password =~ s/([\\:])/\\$1/g;
    print "*:*:*:*:$password\n";
' "$HANDOVER/administrator.json" > "$PGPASSFILE"

run() { psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --dbname postgres --set database="$DATABASE" --set owner="$owner" "$@"; }

# The comment of a user is the time of its last rotation. A password that somebody uses is neither replaced nor ended. An
# application may open connections for moments only: a user is looked at five times.
sessions() {
    run --tuples-only --no-align --set user="$user" --set login="$login" --set rotated="$rotated" <<'SQL'
SELECT CASE WHEN :'login' = 'LOGIN' AND (:'rotated' = '' OR shobj_description(oid, 'pg_authid') = :'rotated') THEN ''
    ELSE (SELECT count(*) FROM pg_stat_activity WHERE usesysid = oid)::text END
FROM pg_roles WHERE rolname = :'user'
SQL
}
while IFS=$'\t' read -r user login rotated; do
    for ((look = 1; look <= 5; look += 1)); do
        found=$(sessions)
        # A user that is new, or stays as it is, may have any.
        [[ -n $found ]] || break
        if ((found > 0)); then
            echo "✗ the password of $user can be neither rotated nor ended: $found sessions use it. Either the services use this" \
                "user, or a rotation is not at its end. Rotate the other user, or end these sessions. Nothing was changed" >&2
            exit 1
        fi
        sleep 1
    done
done <<< "$USERS"

while IFS=$'\t' read -r user login rotated; do
    export VERIFIER_FILE="$SECRETS/$user/verifier"
    run --set user="$user" --set login="$login" --set rotated="$rotated" <<'SQL'
\set verifier `cat "$VERIFIER_FILE"`
SELECT format('CREATE ROLE %I', :'user') WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'user') \gexec
ALTER ROLE :"user" :login NOCREATEDB NOCREATEROLE PASSWORD :'verifier';
SELECT format('COMMENT ON ROLE %I IS %L', :'user', :'rotated') WHERE :'rotated' <> '' \gexec
-- Whoever gives a database away must be a member of who gets it.
GRANT :"user" TO CURRENT_USER;
SQL
done <<< "$USERS"

run <<'SQL'
SELECT format('CREATE DATABASE %I', :'database')
    WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'database') \gexec
ALTER DATABASE :"database" OWNER TO :"owner";
REVOKE CONNECT, TEMPORARY ON DATABASE :"database" FROM PUBLIC;
GRANT pg_read_all_stats TO :"owner";
\connect :"database"
ALTER SCHEMA public OWNER TO :"owner";
CREATE EXTENSION IF NOT EXISTS pg_stat_statements;
SQL
while IFS=$'\t' read -r user _; do
    if [[ $user != "$owner" ]]; then
        run --set user="$user" <<'SQL'
GRANT :"owner" TO :"user";
ALTER ROLE :"user" SET role TO :"owner";
\connect :"database"
-- A client that reset its role may have made something of its own.
REASSIGN OWNED BY :"user" TO :"owner";
SQL
    fi
    echo "✓ $user on $DATABASE at $PGHOST: role, rights and pg_stat_statements are there"
done <<< "$USERS"
