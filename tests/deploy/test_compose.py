"""docker-compose.yaml: valid for the real tool, complete, closed to the outside."""

from __future__ import annotations

import json
import re
import subprocess
import sys

import pytest
import yaml

from .compose import ALL, CELERY, DESK, EVERYWHERE, OTHERS, SERVERS, SERVERS_ONLY, STAND_INS, config

# Who must reach whom: the database, Celery's queue, the execution API, the stand-ins, the world.
REACHES = [
    *((name, "postgres") for name in SERVERS),
    *((name, "redis") for name in ("scheduler", "worker", "flower")),
    *((name, "apiserver") for name in ("worker", "scheduler", "triggerer", "dag-processor")),
    *((caller, stand_in) for caller in ("worker", "triggerer", "apiserver") for stand_in in STAND_INS),
    ("toloka", "images"),
    *((caller, "desk") for caller in ("worker", "triggerer", "apiserver")),
    ("desk", "postgres"),
]


def test_docker_compose_accepts_the_file_with_the_example_environment(compose_file, root):
    profiles = ["--profile", "sandbox", "--profile", "flower", "--profile", "desk"]
    listed = config(compose_file, root / ".env.example", *profiles, "config", "--services")
    assert listed.returncode == 0, listed.stderr
    assert set(listed.stdout.split()) == ALL


def test_every_expected_service_is_there_and_no_other(services):
    assert set(services) == ALL


@pytest.mark.parametrize("name", sorted(SERVERS | CELERY))
def test_every_airflow_service_has_what_it_needs(services, name):
    environment = set(services[name]["environment"])
    assert environment >= EVERYWHERE
    if name in SERVERS:
        assert environment >= SERVERS_ONLY


def test_the_worker_finishes_its_tasks_when_it_is_stopped(services):
    assert services["worker"]["environment"]["DUMB_INIT_SETSID"] == "0"
    assert services["worker"]["stop_grace_period"] == "10m"


def test_ports_are_published_on_loopback_only(services):
    published = {name: service["ports"] for name, service in services.items() if "ports" in service}
    assert set(published) == {"apiserver", "flower", "desk"}
    assert all(str(port).startswith("127.0.0.1:") for ports in published.values() for port in ports)


def test_the_stand_ins_flower_and_the_desk_start_only_by_their_profiles(services):
    profiles = {name: set(service.get("profiles", [])) for name, service in services.items()}
    assert {name for name, found in profiles.items() if found == {"sandbox"}} == STAND_INS
    assert {name for name, found in profiles.items() if found == {"flower"}} == {"flower"}
    assert {name for name, found in profiles.items() if found == {"desk"}} == DESK
    assert all(not found for name, found in profiles.items() if name not in STAND_INS | DESK | {"flower"})
    started = {name for name, service in services.items() if "python -m driftwatch_" in str(service.get("command"))}
    assert started == STAND_INS | DESK


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
        "apiserver", "dag-processor", "triggerer", "worker", "flower", "desk",
    }  # fmt: skip
    assert services["check"]["network_mode"] == "none"


def test_logs_are_shared_and_so_never_served(services):
    for name in ("scheduler", "triggerer", "worker"):
        assert "--skip-serve-logs" in services[name]["command"]
    for name in (SERVERS - {"init"}) | CELERY:
        assert "logs:/opt/airflow/logs" in services[name]["volumes"]


def test_the_connections_of_the_example_fit_the_stand_ins(example, services):
    for service, connection, secret in (
        ("toloka", "AIRFLOW_CONN_TOLOKA_DEFAULT", "SANDBOX_TOLOKA_TOKEN"),
        ("whylabs", "AIRFLOW_CONN_WHYLABS_DEFAULT", "SANDBOX_WHYLABS_KEY"),
        ("images", "AIRFLOW_CONN_DRIFTWATCH_IMAGES", "SANDBOX_IMAGE_SECRET"),
        ("desk", "AIRFLOW_CONN_DRIFTWATCH_DESK_DEFAULT", "DESK_TOKEN"),
    ):
        fields = json.loads(example[connection])
        assert fields["password"] == example[secret]
        host, port = re.fullmatch(r"http://(\w+):(\d+)", fields["host"]).groups()
        assert host == service
        assert f"--host 0.0.0.0 --port {port}" in str(services[service]["command"])
        assert f"http://localhost:{port}/healthz" in services[service]["healthcheck"]["test"]


def test_the_desk_has_a_database_of_its_own_beside_airflows_and_reads_images_alone(services, example):
    assert services["desk"]["environment"]["DRIFTWATCH_DESK_DATABASE"].endswith("@postgres/desk")
    assert all(str(volume).endswith(":ro") for volume in services["desk"]["volumes"])
    assert "database" not in services["desk"]["networks"]
    images = json.loads(example["AIRFLOW_CONN_DRIFTWATCH_IMAGES"])
    assert images["password"] == example["DESK_IMAGE_SECRET"]


@pytest.mark.parametrize("name", sorted(STAND_INS | DESK))
def test_the_servers_of_this_package_know_the_arguments_that_they_are_given(services, name):
    command = services[name]["command"]
    command = command if isinstance(command, str) else command[-1]
    ((module, action),) = re.findall(r"python -m (driftwatch_\S+)( serve)?", command)
    given = set(re.findall(r"(?<!\w)--[\w-]+", command))
    shown = subprocess.run(
        [sys.executable, "-m", module, *action.split(), "--help"], capture_output=True, text=True, check=True
    ).stdout
    assert given <= set(re.findall(r"--[\w-]+", shown))
