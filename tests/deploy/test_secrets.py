"""No secret is written in docker-compose.yaml, none has a default, and each is known to those alone who need it."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
from typing import Any

import pytest
import yaml

from .compose import CELERY, DESK, EVERYWHERE, OTHERS, SERVERS, SERVERS_ONLY, STAND_INS, VARIABLE, config

SECRETS = [
    "POSTGRES_PASSWORD",
    "REDIS_PASSWORD",
    "AIRFLOW_FERNET_KEY",
    "AIRFLOW_JWT_SECRET",
    "AIRFLOW_SECRET_KEY",
    "AIRFLOW_ADMIN_PASSWORD",
    "AIRFLOW_CONN_TOLOKA_DEFAULT",
    "AIRFLOW_CONN_WHYLABS_DEFAULT",
]
# Looks like a secret and is a path.
NO_SECRETS = ("AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE",)


@pytest.mark.parametrize("secret", ["POSTGRES_PASSWORD", "AIRFLOW_CONN_TOLOKA_DEFAULT"])
def test_a_missing_secret_stops_compose_with_its_name(compose_file, root, tmp_path, secret):
    env = tmp_path / "env"
    env.write_text(re.sub(rf"(?m)^{secret}=.*$", f"{secret}=", (root / ".env.example").read_text()))
    refused = config(compose_file, env, "config", "-q")
    assert refused.returncode != 0
    assert secret in refused.stderr
    assert ".env.example" in refused.stderr


def test_what_docker_compose_reads_keeps_connections_as_json(compose_file, root):
    resolved = yaml.safe_load(config(compose_file, root / ".env.example", "config").stdout)
    worker = resolved["services"]["worker"]["environment"]
    connection = json.loads(worker["AIRFLOW_CONN_WHYLABS_DEFAULT"])
    assert connection["conn_type"] == "whylabs"
    assert connection["extra"] == {"org_id": "org-1"}


def test_shared_secrets_are_the_same_variable_everywhere(services):
    for name in EVERYWHERE | SERVERS_ONLY:
        assert (
            len({str(service["environment"][name]) for service in services.values() if name in service["environment"]})
            == 1
        )


@pytest.mark.parametrize("name", sorted(CELERY | STAND_INS | DESK))
def test_services_without_the_database_get_no_server_secret_and_do_not_wait_for_it(services, name):
    environment = services[name]["environment"]
    assert not SERVERS_ONLY & set(environment)
    assert environment["CONNECTION_CHECK_MAX_COUNT"] == "0"


def test_the_databases_password_is_known_to_servers_alone(compose_file, root, tmp_path):
    env = tmp_path / "env"
    env.write_text((root / ".env.example").read_text().replace("change-me-postgres", "the-databases-own"))
    profiles = ["--profile", "sandbox", "--profile", "flower", "--profile", "desk"]
    resolved = yaml.safe_load(config(compose_file, env, *profiles, "config").stdout)["services"]
    assert {name for name, service in resolved.items() if "the-databases-own" in str(service)} == SERVERS | {
        "check",
        "postgres",
    }


def run_check(services: dict[str, dict[str, Any]], **environment: str) -> subprocess.CompletedProcess[str]:
    """Runs the service `check` as compose would: `$$` is its way to write `$`."""
    service = services["check"]
    command = [*service["entrypoint"], *(word.replace("$$", "$") for word in service["command"])]
    whole = {"PATH": os.environ["PATH"], **dict.fromkeys(service["environment"], "good-value"), **environment}
    return subprocess.run(command, env=whole, capture_output=True, text=True, timeout=20)


@pytest.mark.parametrize(
    "name",
    ["POSTGRES_PASSWORD", "AIRFLOW_JWT_SECRET", "AIRFLOW_CONN_TOLOKA_DEFAULT", "SANDBOX_IMAGE_SECRET", "DESK_TOKEN"],
)
def test_a_placeholder_is_refused_by_name_before_anything_keeps_it(services, name):
    assert run_check(services).returncode == 0
    refused = run_check(services, **{name: '{"password": "change-me-x"}'})
    assert refused.returncode == 1
    assert name in refused.stderr.splitlines()
    assert "change-me" not in refused.stderr
    for waiting in OTHERS | STAND_INS:
        assert services[waiting]["depends_on"] == {"check": {"condition": "service_completed_successfully"}}


@pytest.mark.parametrize("secret", ["two/parts", "a@b", "50%", "x y", "a:b", "é"])
def test_a_secret_that_a_url_cannot_hold_is_refused_by_name(services, secret):
    refused = run_check(services, REDIS_PASSWORD=secret)
    assert refused.returncode == 1
    assert refused.stderr.startswith("REDIS_PASSWORD must be safe inside a URL")
    assert secret not in refused.stderr


def test_the_roles_of_airflow_and_the_desk_own_their_databases_alone_and_are_no_superusers(root):
    from driftwatch_sandbox.demo.postgres import postgres_binaries, running_postgres

    if postgres_binaries() is None:
        pytest.skip("Postgres is not installed (Debian: apt-get install postgresql)")
    import sqlalchemy as sa

    with running_postgres() as url:
        address = sa.make_url(url)
        host = {"PGHOST": address.host, "PGPORT": str(address.port), "PGPASSWORD": address.password}
        environment = {**os.environ, **host, "POSTGRES_USER": "postgres", "AIRFLOW_DATABASE_PASSWORD": "it's $ecret"}
        environment["DESK_DATABASE_PASSWORD"] = "desk's"
        # The image's superuser, as whom the script runs, and no role `airflow`: the test's server began with one.
        with sa.create_engine(url, isolation_level="AUTOCOMMIT").connect() as connection:
            connection.execute(sa.text(f"CREATE ROLE postgres SUPERUSER LOGIN PASSWORD '{address.password}'"))
        admin = sa.create_engine(address.set(username="postgres"), isolation_level="AUTOCOMMIT")
        with admin.connect() as connection:
            connection.execute(sa.text("ALTER ROLE airflow RENAME TO first"))
        subprocess.run([root / "deploy" / "postgres-roles.sh"], env=environment, check=True, timeout=60)
        its = address.set(username="airflow", password="it's $ecret", database="airflow")
        with sa.create_engine(its).connect() as connection:
            row = connection.execute(
                sa.text("SELECT rolsuper, rolcreaterole, rolcreatedb FROM pg_roles WHERE rolname = 'airflow'")
            )
            assert tuple(row.one()) == (False, False, False)
            connection.execute(sa.text("CREATE TABLE t (x int)"))
        desk = its.set(username="desk", password="desk's", database="desk")
        with sa.create_engine(desk).connect() as connection:
            connection.execute(sa.text("CREATE TABLE t (x int)"))
        for other in (desk.set(database="airflow"), its.set(database="desk")):
            with pytest.raises(sa.exc.OperationalError, match="permission denied"):
                sa.create_engine(other).connect()
        admin.dispose()
        with pytest.raises(sa.exc.OperationalError, match="password authentication failed"):
            sa.create_engine(address.set(username="postgres")).connect()


def test_no_secret_is_written_in_the_compose_file(compose_file):
    secret = re.compile(
        r"password|secret|token|fernet|_key|_conn_|sql_alchemy_conn|broker_url|result_backend|requirepass", re.I
    )
    for line in compose_file.read_text().splitlines():
        setting = re.match(r"\s+(\w+): (.+)$", line)
        if setting and secret.search(setting[1]) and setting[1] not in NO_SECRETS:
            assert VARIABLE.search(setting[2]), line
    for name, sign, default in VARIABLE.findall(compose_file.read_text()):
        if name in SECRETS:
            assert sign == "?", f"{name} must be required, not given a default"
        if re.search(r"PASSWORD|SECRET|TOKEN|KEY|CONN", name):
            assert sign == "?" or not default, f"{name} has a default that is a secret"


def test_every_variable_of_the_compose_file_is_in_the_example_and_the_other_way_round(compose_file, root):
    used = {name for name, _, _ in VARIABLE.findall(compose_file.read_text())}
    named = set(re.findall(r"(?m)^(?:# )?(\w+)=", (root / ".env.example").read_text()))
    assert used - named == {"AIRFLOW_ADMIN_USER"}
    assert named <= used


def test_every_secret_of_the_example_is_a_placeholder_that_is_looked_for(example, services):
    for name, value in example.items():
        if re.search(r"PASSWORD|SECRET|TOKEN|KEY|CONN", name):
            assert "change-me" in value, name
            assert name in services["check"]["environment"]


def test_the_recipe_of_the_example_gives_a_usable_environment(root, tmp_path):
    from cryptography.fernet import Fernet

    lines = (root / ".env.example").read_text().splitlines()
    start = next(number for number, line in enumerate(lines) if "for name in" in line)
    recipe = "\n".join(line.removeprefix("#") for line in lines[start : start + 3])
    shutil.copy(root / ".env.example", tmp_path / ".env")
    subprocess.run(["bash", "-euc", recipe], cwd=tmp_path, check=True)
    values = dict(re.findall(r"(?m)^(\w+)=(.*)$", (tmp_path / ".env").read_text()))
    assert not [name for name, value in values.items() if "change-me" in value]
    Fernet(values["AIRFLOW_FERNET_KEY"])
    secrets = [values[name] for name in SECRETS[:6]]
    assert len(set(secrets)) == 6
    assert all(re.fullmatch(r"[\w=-]{44}", secret) for secret in secrets), "not safe inside a URL"
