#!/bin/sh
# Run by the postgres image once, when its volume is empty. Airflow gets a role that owns its own database and nothing else; the
# superuser keeps no password, so that nobody is superuser over the network (inside the container: psql --username postgres).
set -eu
psql --username "$POSTGRES_USER" --dbname postgres --set ON_ERROR_STOP=1 --set password="$AIRFLOW_DATABASE_PASSWORD" <<'SQL'
CREATE ROLE airflow LOGIN PASSWORD :'password';
CREATE DATABASE airflow OWNER airflow;
REVOKE CONNECT ON DATABASE postgres FROM PUBLIC;
ALTER ROLE postgres PASSWORD NULL;
SQL
