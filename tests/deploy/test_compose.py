"""docker-compose.yaml, .env.example and the Dockerfile: valid for the real tool, complete, closed to the outside, without secrets."""

from __future__ import annotations

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

SERVERS = {"init", "apiserver", "scheduler", "dag-processor", "triggerer"}
CELERY = {"worker", "flower"}
STAND_INS = {"toloka", "whylabs", "images"}
OTHERS = {"postgres", "redis"}
ALL = SERVERS | CELERY | STAND_INS | OTHERS | {"check"}
# Who must reach whom: the database, Celery's queue, the execution API, the stand-ins, the world.
REACHES = [
    *((name, "postgres") for name in SERVERS),
    *((name, "redis") for name in ("scheduler", "worker", "flower")),
    *((name, "apiserver") for name in ("worker", "scheduler", "triggerer", "dag-processor")),
    *((caller, stand_in) for caller in ("worker", "triggerer", "apiserver") for stand_in in STAND_INS),
    ("toloka", "images"),
]

EVERYWHERE = {
    "AIRFLOW__CORE__EXECUTOR",
    "AIRFLOW__CORE__EXECUTION_API_SERVER_URL",
    "AIRFLOW__CELERY__BROKER_URL",
    "AIRFLOW__CELERY__RESULT_BACKEND",
    "AIRFLOW_CONN_TOLOKA_DEFAULT",
    "AIRFLOW_CONN_WHYLABS_DEFAULT",
    "AIRFLOW_CONN_DRIFTWATCH_IMAGES",
    "DRIFTWATCH_STORAGE",
    "DRIFTWATCH_MONITORS",
    "WHYLOGS_NO_ANALYTICS",
    "_WHYLABS_SKIP_CONFIG_READ",
}
SERVERS_ONLY = {
    "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN",
    "AIRFLOW__CORE__FERNET_KEY",
    "AIRFLOW__API__SECRET_KEY",
    "AIRFLOW__API_AUTH__JWT_SECRET",
}
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
VARIABLE = re.compile(r"(?<!\$)\$\{(\w+)(?::([-?])([^}]*))?\}")


@pytest.fixture(scope="module")
def compose_file(root: Path) -> Path:
    return root / "docker-compose.yaml"


@pytest.fixture(scope="module")
def services(compose_file: Path) -> dict[str, dict[str, Any]]:
    return yaml.safe_load(compose_file.read_text())["services"]


@pytest.fixture(scope="module")
def example(root: Path) -> dict[str, str]:
    lines = (root / ".env.example").read_text().splitlines()
    pairs = (line.split("=", 1) for line in lines if re.match(r"\w+=", line))
    return {name: value.strip("'") for name, value in pairs}


def compose_command() -> list[str]:
    """docker-compose, or Docker's compose plug-in; either reads the file without an engine."""
    if shutil.which("docker-compose"):
        return ["docker-compose"]
    plugin = ["docker", "compose"]
    if shutil.which("docker") and subprocess.run([*plugin, "version"], capture_output=True).returncode == 0:
        return plugin
    pytest.skip(
        "neither docker-compose nor docker's compose plug-in is installed (Debian: apt-get install docker-compose)"
    )


def config(compose_file: Path, env_file: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    command = [*compose_command(), "-f", str(compose_file), "--env-file", str(env_file), *arguments]
    # Nothing of this process's environment may fill a gap of the file.
    environment = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    return subprocess.run(command, capture_output=True, text=True, timeout=60, env=environment)


def test_docker_compose_accepts_the_file_with_the_example_environment(compose_file, root):
    profiles = ["--profile", "sandbox", "--profile", "flower"]
    listed = config(compose_file, root / ".env.example", *profiles, "config", "--services")
    assert listed.returncode == 0, listed.stderr
    assert set(listed.stdout.split()) == ALL


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


def test_every_expected_service_is_there_and_no_other(services):
    assert set(services) == ALL


@pytest.mark.parametrize("name", sorted(SERVERS | CELERY))
def test_every_airflow_service_has_what_it_needs(services, name):
    environment = set(services[name]["environment"])
    assert environment >= EVERYWHERE
    if name in SERVERS:
        assert environment >= SERVERS_ONLY


@pytest.mark.parametrize("name", sorted(CELERY | STAND_INS))
def test_services_without_the_database_get_no_server_secret_and_do_not_wait_for_it(services, name):
    environment = services[name]["environment"]
    assert not SERVERS_ONLY & set(environment)
    assert environment["CONNECTION_CHECK_MAX_COUNT"] == "0"


def test_shared_secrets_are_the_same_variable_everywhere(services):
    for name in EVERYWHERE | SERVERS_ONLY:
        assert (
            len({str(service["environment"][name]) for service in services.values() if name in service["environment"]})
            == 1
        )


def test_the_worker_finishes_its_tasks_when_it_is_stopped(services):
    assert services["worker"]["environment"]["DUMB_INIT_SETSID"] == "0"
    assert services["worker"]["stop_grace_period"] == "10m"


def test_ports_are_published_on_loopback_only(services):
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(published) == {"apiserver", "flower"}
    assert all(str(port).startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_only_the_stand_ins_are_in_the_sandbox_profile(services):
    profiles = {name: set(service.get("profiles", [])) for name, service in services.items()}
    assert {name for name, found in profiles.items() if found == {"sandbox"}} == STAND_INS
    assert {name for name, found in profiles.items() if found == {"flower"}} == {"flower"}
    assert all(not found for name, found in profiles.items() if name not in STAND_INS | {"flower"})
    started = {name for name, service in services.items() if "python -m driftwatch_" in str(service.get("command"))}
    assert started == STAND_INS


def test_every_service_that_stays_has_a_health_check(services):
    # check and init end; what waits for them waits for their success.
    assert {name for name, service in services.items() if "healthcheck" not in service} == {"check", "init"}
    for name in (SERVERS | CELERY) - {"init"}:
        assert services[name]["depends_on"]["init"] == {"condition": "service_completed_successfully"}
    for name in OTHERS:
        assert services["init"]["depends_on"][name] == {"condition": "service_healthy"}


@pytest.mark.parametrize("name", sorted(ALL))
def test_no_service_has_more_rights_memory_or_processes_than_it_needs(services, name):
    service = services[name]
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["pids_limit"] > 0
    assert service["mem_limit"]
    assert not {"cap_add", "privileged", "pid", "ipc"} & set(service)
    # Without rights of root's, an image that starts as root could not become another user.
    assert service["user"] in ("postgres", "redis", "${AIRFLOW_UID:-50000}:0")


def test_who_must_reach_each_other_shares_a_network(services):
    for caller, called in REACHES:
        assert set(services[caller]["networks"]) & set(services[called]["networks"]), (caller, called)


def test_only_servers_reach_the_database_and_only_what_needs_it_the_world(compose_file, services):
    networks = yaml.safe_load(compose_file.read_text())["networks"]
    inside = {name for name, network in networks.items() if (network or {}).get("internal")}
    assert set(networks) - inside == {"outside"}
    assert {name for name, service in services.items() if "database" in service.get("networks", [])} == SERVERS | {
        "postgres"
    }
    assert {name for name, service in services.items() if "outside" in service.get("networks", [])} == {
        "apiserver", "dag-processor", "triggerer", "worker", "flower",
    }  # fmt: skip
    assert services["check"]["network_mode"] == "none"


def test_the_databases_password_is_known_to_servers_alone(compose_file, root, tmp_path):
    env = tmp_path / "env"
    env.write_text((root / ".env.example").read_text().replace("change-me-postgres", "the-databases-own"))
    profiles = ["--profile", "sandbox", "--profile", "flower"]
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
    "name", ["POSTGRES_PASSWORD", "AIRFLOW_JWT_SECRET", "AIRFLOW_CONN_TOLOKA_DEFAULT", "SANDBOX_IMAGE_SECRET"]
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


def test_airflows_role_owns_its_database_and_is_no_superuser(root):
    from driftwatch_sandbox.demo.postgres import postgres_binaries, running_postgres

    if postgres_binaries() is None:
        pytest.skip("Postgres is not installed (Debian: apt-get install postgresql)")
    import sqlalchemy as sa

    with running_postgres() as url:
        address = sa.make_url(url)
        host = {"PGHOST": address.host, "PGPORT": str(address.port), "PGPASSWORD": address.password}
        environment = {**os.environ, **host, "POSTGRES_USER": "postgres", "AIRFLOW_DATABASE_PASSWORD": "it's $ecret"}
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
        admin.dispose()
        with pytest.raises(sa.exc.OperationalError, match="password authentication failed"):
            sa.create_engine(address.set(username="postgres")).connect()


def test_make_digests_prints_a_line_for_each_image_and_refuses_what_is_no_digest(root, tmp_path):
    docker = tmp_path / "docker"
    environment = {"PATH": f"{tmp_path}:{os.environ['PATH']}"}
    for answer, ok in ((f"sha256:{'a' * 64}", True), ("no such image", False)):
        docker.write_text(f"#!/bin/sh\necho '{answer}'\n")
        docker.chmod(0o755)
        done = subprocess.run([root / "deploy" / "pin-images.sh"], env=environment, capture_output=True, text=True)
        assert (done.returncode == 0) is ok
        lines = done.stdout.splitlines()
        assert [line.split("=")[0] for line in lines] == (
            ["AIRFLOW_IMAGE", "POSTGRES_IMAGE", "REDIS_IMAGE"] if ok else []
        )
        assert all(re.search(r"=[\w/.:-]+@sha256:a{64}$", line) for line in lines)


def test_logs_are_shared_and_so_never_served(services):
    for name in ("scheduler", "triggerer", "worker"):
        assert "--skip-serve-logs" in services[name]["command"]
    for name in (SERVERS - {"init"}) | CELERY:
        assert "logs:/opt/airflow/logs" in services[name]["volumes"]


def test_images_have_fixed_versions(services, root):
    tags = {VARIABLE.sub(lambda found: found[3], service["image"]) for service in services.values()}
    version = re.search(r'^version = "(.+)"$', (root / "pyproject.toml").read_text(), re.M)[1]
    assert tags == {"postgres:16-bookworm", "redis:7.2-bookworm", f"driftwatch:{version}"}
    lock = (root / "requirements.txt").read_text()
    airflow = re.search(r"^apache-airflow==(\S+)", lock, re.M)[1]
    base = f"apache/airflow:{airflow}-python3.11"
    assert re.findall(r"^ARG BASE=(.+)\nFROM (.+)$", (root / "Dockerfile").read_text(), re.M) == [(base, "${BASE}")]
    assert {service["build"]["args"]["BASE"] for service in services.values() if "build" in service} == {
        f"${{AIRFLOW_IMAGE:-{base}}}"
    }


def test_every_requirement_is_locked_with_hashes_that_the_image_insists_on(root):
    lines = re.sub(r" \\\n\s+", " ", (root / "requirements.txt").read_text()).splitlines()
    pinned = [line for line in lines if not line.startswith("#")]
    assert len(pinned) > 200
    assert all(re.match(r"[\w.\[\]-]+==\S+ .*--hash=sha256:[0-9a-f]{64}", line) for line in pinned)
    assert "uv pip sync --no-cache --require-hashes" in (root / "Dockerfile").read_text()


def test_there_is_a_licence_that_the_package_carries(root):
    assert "Apache License" in (root / "LICENSE").read_text()
    assert 'license-files = ["LICENSE"]' in (root / "pyproject.toml").read_text()


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


def test_the_connections_of_the_example_fit_the_stand_ins(example, services):
    for service, connection, secret in (
        ("toloka", "AIRFLOW_CONN_TOLOKA_DEFAULT", "SANDBOX_TOLOKA_TOKEN"),
        ("whylabs", "AIRFLOW_CONN_WHYLABS_DEFAULT", "SANDBOX_WHYLABS_KEY"),
        ("images", "AIRFLOW_CONN_DRIFTWATCH_IMAGES", "SANDBOX_IMAGE_SECRET"),
    ):
        fields = json.loads(example[connection])
        assert fields["password"] == example[secret]
        host, port = re.fullmatch(r"http://(\w+):(\d+)", fields["host"]).groups()
        assert host == service
        assert f"--host 0.0.0.0 --port {port}" in str(services[service]["command"])
        assert f"http://localhost:{port}/healthz" in services[service]["healthcheck"]["test"]


@pytest.mark.parametrize("name", sorted(STAND_INS))
def test_the_stand_ins_know_the_arguments_that_they_are_given(services, name):
    command = services[name]["command"]
    command = command if isinstance(command, str) else command[-1]
    (module,) = re.findall(r"python -m (driftwatch_\S+)", command)
    given = set(re.findall(r"(?<!\w)--[\w-]+", command))
    shown = subprocess.run([sys.executable, "-m", module, "--help"], capture_output=True, text=True, check=True).stdout
    assert given <= set(re.findall(r"--[\w-]+", shown))


def test_the_image_holds_what_compose_points_at(root):
    dockerfile = (root / "Dockerfile").read_text()
    copied = re.findall(r"^COPY --chown=airflow:root (.+) (\S+)$", dockerfile, re.M)
    for sources, _ in copied:
        for source in sources.split():
            assert (root / source).exists(), source
    targets = {target for _, target in copied}
    assert {"/opt/airflow/dags", "/opt/airflow/include/monitors", "/opt/airflow/plugins/"} <= targets
    assert "--constraints /opt/driftwatch/requirements.txt" in dockerfile
    assert "--editable" not in dockerfile


def test_the_builder_never_sees_secrets_or_run_time_state(root):
    rules = (root / ".dockerignore").read_text().splitlines()
    patterns = [rule for rule in rules if rule and not rule.startswith("#")]
    assert patterns[0] == "*"
    allowed = {rule[1:] for rule in patterns if rule.startswith("!")}
    assert not {".env", "var", ".venv", ".git"} & allowed
    copied = re.findall(r"^COPY --chown=airflow:root (.+) \S+$", (root / "Dockerfile").read_text(), re.M)
    assert {source.split("/")[0] for sources in copied for source in sources.split()} <= allowed
