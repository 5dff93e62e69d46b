#!/bin/sh
# Run by the postgres image once, when its volume is empty. Airflow gets a role that owns its own database and nothing else, and so does the
# labelling desk if it has a password. The superuser keeps none, so that nobody is superuser over the network (inside the container:
# psql --username postgres).
set -eu
psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 --set password="$AIRFLOW_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE airflow LOGIN PASSWORD :'password';
CREATE DATABASE airflow OWNER airflow;
REVOKE CONNECT ON DATABASE airflow FROM PUBLIC;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
SQL
if [ -n "${DESK_DATABASE_PASSWORD:-}" ]; then
  psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 --set password="$DESK_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE desk LOGIN PASSWORD :'password';
CREATE DATABASE desk OWNER desk;
REVOKE CONNECT ON DATABASE desk FROM PUBLIC;
SQL
fi
psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 --command 'ALTER ROLE postgres PASSWORD NULL'
