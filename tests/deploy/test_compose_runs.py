"""docker-compose.yaml is run part by part: each service's own command, environment, user, files and health check, as docker-compose reads them.

Driftwatch's image is made by the steps of the Dockerfile. There is no Docker: the base image is a virtual environment, and Postgres and Redis
are this machine's. Limits of memory and processes, and who may reach whom, are not tried (test_compose.py reads them).
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from tests.end_to_end import light_site
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.storage import open_storage
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.airflow_api import AirflowApi
from driftwatch_sandbox.demo.postgres import postgres_binaries

from . import dockerfile
from .compose import compose_command
from .compose_services import AIRFLOW_ENV, Compose, until
from .containers import Machine, end, needs_namespaces, own_network

pytestmark = [
    pytest.mark.slow,
    pytest.mark.timeout(3000),
    pytest.mark.all_faults("it installs the image's packages and starts fourteen services"),
]

DAY = week.DAYS[0]
COULD_NOT_CONNECT = 7  # of curl


@pytest.fixture(scope="module")
def project(root: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What somebody who deploys has: the files of the repository, a .env by its recipe, and monitor files of their own."""
    folder = tmp_path_factory.mktemp("project")
    for name in (
        "Dockerfile",
        ".dockerignore",
        "docker-compose.yaml",
        ".env.example",
        "pyproject.toml",
        "requirements.txt",
        "README.md",
        "LICENSE",
    ):
        shutil.copy(root / name, folder)
    for name in ("include", "plugins", "dags", "deploy"):
        shutil.copytree(root / name, folder / name, ignore=shutil.ignore_patterns("__pycache__"))
    guide = (root / "docs/operate/deploy.md").read_text()
    recipe = guide.split("```bash\n")[1].split("docker-compose up")[0]
    subprocess.run(["bash", "-euc", recipe], cwd=folder, check=True)
    with (folder / ".env").open("a") as file:
        file.write("SANDBOX_CROWD_SPEED=400\n")
    week.write_monitor(folder / "include" / "monitors", root / "include" / "monitors", light_site.PLAN)
    return folder


@pytest.fixture(scope="module")
def services(project: Path) -> dict[str, dict[str, Any]]:
    profiles = ["--profile", "sandbox", "--profile", "flower", "--profile", "desk"]
    plain = {name: os.environ[name] for name in ("PATH", "HOME") if name in os.environ}
    done = subprocess.run([*compose_command(), *profiles, "config"], cwd=project, env=plain, capture_output=True, text=True, check=True)  # fmt: skip
    return yaml.safe_load(done.stdout)["services"]


@pytest.fixture(scope="module")
def image(
    project: Path, services: dict[str, dict[str, Any]], tmp_path_factory: pytest.TempPathFactory
) -> tuple[Path, dict[str, str]]:
    """The root and the environment of Driftwatch's image, made by the steps of the Dockerfile on a virtual environment of this Python."""
    needs_namespaces()
    home = tmp_path_factory.mktemp("build")
    root = home / "image"
    for name in ("opt/airflow", "opt/home"):
        (root / name).mkdir(parents=True)
        (root / name).chmod(0o775)
    root.joinpath("opt").chmod(0o755)
    machine = Machine(home / "machine", root, ["build"])
    env = {**{name: value for name, value in os.environ.items() if name.startswith(("PIP_", "UV_", "SSL_"))}, **AIRFLOW_ENV, "HOME": str(Path.home())}  # fmt: skip
    env |= dockerfile.settings(dockerfile.steps(project / "Dockerfile"))

    def run(line: str) -> None:
        # A download that this machine keeps is not made again; in Docker there is none, and none is to be left in the image.
        line = line.replace("uv pip sync --no-cache", "uv pip sync").replace(
            "uv pip install --no-cache", "uv pip install"
        )
        kept = Path.home() / ".cache"
        kept.mkdir(exist_ok=True)
        mounts = [
            (root / "opt", "/opt", False),
            (kept, str(kept), False),
            (Path(sys.base_prefix), sys.base_prefix, True),
        ]
        process = machine.container("build", ["bash", "-euc", line], env, "0:0", mounts, "/opt/airflow")
        assert process.wait(1800) == 0, machine.said("build")

    run(f"'{Path(sys.base_prefix) / 'bin' / 'python3'}' -m venv /opt/venv")
    dockerfile.build(project, root, services["worker"]["build"]["args"], run)
    return root, {**AIRFLOW_ENV, **dockerfile.settings(dockerfile.steps(project / "Dockerfile"))}


@pytest.fixture(scope="module")
def compose(project: Path, services: Any, image: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Compose]:
    if postgres_binaries() is None or shutil.which("redis-server") is None:
        pytest.skip("Postgres or Redis is not on this machine (Debian: apt-get install postgresql redis-server)")
    root, env = image
    machine = Machine(tmp_path_factory.mktemp("machine") / "home", root, sorted(services))
    found = Compose(project, machine, services, env)
    deliver(found)
    with own_network():
        try:
            yield found
        finally:
            found.stop()


def deliver(compose: Compose) -> None:
    """Images of a day in the volume, what they show for the crowd, and the first champion."""
    storage = compose.machine.volume("storage", "50000:0")
    truth = compose.machine.volume("stand-ins", "50000:0") / "truth.csv"
    monitor = week.load_monitor(compose.project / "include" / "monitors" / "cats_vs_dogs.yaml")
    keys = MonitorKeys(monitor.name)
    light_site.deliver(storage, keys, monitor.classes, [DAY], truth)
    light_site.first_champion(
        monitor_store(open_storage(f"file://{storage}"), keys, monitor), compose.project / "m.onnx"
    )
    subprocess.run(["chown", "-R", "50000:0", str(storage), str(truth)], check=True)


def test_the_image_is_made_by_the_steps_of_the_dockerfile(image):
    root, env = image
    for made in (
        "airflow/dags/driftwatch",
        "airflow/config/airflow_local_settings.py",
        "airflow/include/monitors",
        "airflow/storage",
    ):
        assert (root / "opt" / made).exists(), made
    assert oct((root / "opt/airflow/auth").stat().st_mode)[-3:] == "770"
    assert env["DRIFTWATCH_MONITORS"] == "/opt/airflow/include/monitors"
    packages = {path.name for path in (root / "opt/venv/lib").glob("python3.*/site-packages/*")}
    assert {"driftwatch", "driftwatch_airflow", "airflow", "tensorflow"} <= packages
    assert not {"pytest", "moto"} & packages


def test_every_service_starts_in_its_order_and_its_health_check_says_so(compose):
    for name in compose.services:
        compose.up(name)
    for name in compose.running:
        compose.wait_until_healthy(name)
    assert compose.done == {"check", "init"}
    assert set(compose.running) == set(compose.services) - compose.done


def test_no_service_has_a_right_of_roots(compose):
    for name, process in compose.running.items():
        status = dict(
            line.split(":\t", 1)
            for line in Path(f"/proc/{process.pid}/status").read_text().splitlines()
            if ":\t" in line
        )
        assert int(status["CapEff"], 16) == int(status["CapBnd"], 16) == 0, name
        assert "0" not in status["Uid"].split(), name


def test_a_day_goes_through_all_of_them(compose):
    words = dict(
        line.split("=", 1)
        for line in (compose.project / ".env").read_text().splitlines()
        if "=" in line and line[0] != "#"
    )
    monitor = week.load_monitor(compose.project / "include" / "monitors" / "cats_vs_dogs.yaml")
    api = AirflowApi("http://127.0.0.1:8080", "admin", words["AIRFLOW_ADMIN_PASSWORD"])
    api.wait_for_dags([monitor.monitoring_dag_id])
    api._client.patch(f"/api/v2/dags/{monitor.monitoring_dag_id}", json={"is_paused": False}).raise_for_status()
    run_id = f"compose__{DAY}"
    api.trigger(monitor.monitoring_dag_id, run_id, f"{DAY}T00:00:00Z", {})

    def ended() -> bool:
        assert all(compose.alive(name) for name in compose.running)
        return api.run_state(monitor.monitoring_dag_id, run_id) in ("success", "failed")

    def states() -> Any:
        return [(task["task_id"], task["state"]) for task in api.tasks(monitor.monitoring_dag_id, run_id)]

    until(ended, 900, states)
    assert api.run_state(monitor.monitoring_dag_id, run_id) == "success", states()
    storage = open_storage(f"file://{compose.machine.volume('storage', '50000:0')}")
    keys = MonitorKeys(monitor.name).day(DAY)
    performance = storage.read_json(keys.performance)
    assert performance["sampled"] == 20
    whylabs = httpx.get("http://127.0.0.1:8082/_sandbox/state", headers={"X-API-Key": words["SANDBOX_WHYLABS_KEY"]})
    counted = whylabs.raise_for_status().json()["datasets"]["model-1"]["days"][str(DAY)]
    assert sum(map(sum, counted["confusion"]["counts"])) == performance["labels"]
    toloka = httpx.get("http://127.0.0.1:8081/_sandbox/state", headers={"Authorization": f"OAuth {words['SANDBOX_TOLOKA_TOKEN']}"})  # fmt: skip
    assert [pool["real_tasks"] for pool in toloka.raise_for_status().json()["pools"]] == [20]
    log = api.log(monitor.monitoring_dag_id, run_id, "evaluate_performance", 1)
    assert log, "the api-server reads the workers' logs from the volume that they share"


# What a check says of a part that is gone. Those of curl say nothing; it could not connect.
GONE = {
    "postgres": "no response",
    "redis": "Connection refused",
    "apiserver": "JSONDecodeError",
    "dag-processor": "No alive jobs found",
    "triggerer": "No alive jobs found",
    "worker": "No nodes replied",
}


def test_a_part_that_is_gone_is_not_healthy(compose):
    """Each alone, in the order that leaves the others what they need. It is asked in a new container, since that of before is gone."""
    last = ("apiserver", "redis", "postgres")
    for name in [*sorted(set(compose.running) - set(last)), *last]:
        end(compose.running.pop(name))
        service = compose.services[name]
        asked = f"{name}.check"
        again = compose.machine.container(
            asked, compose.check(name), compose.env(name), service["user"], compose.mounts(name), "/tmp"
        )
        code = again.wait(120)
        assert code != 0, name
        assert GONE[name] in compose.machine.said(asked) if name in GONE else code == COULD_NOT_CONNECT, name
