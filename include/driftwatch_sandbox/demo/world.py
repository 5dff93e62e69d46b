"""The demo's world: the folder of its state, the stand-ins, and a real Airflow, all on 127.0.0.1."""

from __future__ import annotations

import json
import os
import secrets
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import httpx
from rich.console import Console

from driftwatch_sandbox.demo.processes import Processes, ServerFailed, is_free, lasting_port
from driftwatch_sandbox.toloka import TOKEN_VARIABLE
from driftwatch_sandbox.whylabs import KEY_VARIABLE
from driftwatch_servers.images import SECRET_VARIABLE
from driftwatch_servers.private_files import write_private

ROOT = Path(__file__).resolve().parents[3]
SERVERS = ("airflow", "toloka", "whylabs", "images")
# Settings of the person's own Airflow and cloud must not reach a simulation.
_NOT_OURS = ("AIRFLOW_CONN_", "AIRFLOW_VAR_", "AIRFLOW__SECRETS__", "AWS_")
ORGANISATION, DATASET = "org-1", "model-1"
TASKS_AT_ONCE = 3
AIRFLOW_SERVERS = {
    "api-server": ("airflow", "api-server"),
    "dag-processor": ("airflow", "dag-processor"),
    "scheduler": ("airflow", "scheduler", "--skip-serve-logs"),
    "triggerer": ("airflow", "triggerer", "--skip-serve-logs"),
}
LOCAL_SETTINGS = "from driftwatch_airflow.preload import preload\n\npreload()\n"


@dataclass(frozen=True)
class Secrets:
    """Made again for each demo, and kept in var/demo so that `make ui` can serve what it left."""

    password: str
    toloka_token: str
    whylabs_key: str
    image_secret: str
    jwt: str
    fernet: str

    @classmethod
    def make(cls) -> Secrets:
        from cryptography.fernet import Fernet

        return cls(
            password=secrets.token_urlsafe(9),
            toloka_token=secrets.token_hex(16),
            whylabs_key=f"{secrets.token_hex(5)}.{secrets.token_hex(20)}:{ORGANISATION}",
            image_secret=secrets.token_hex(16),
            jwt=secrets.token_hex(32),
            fernet=Fernet.generate_key().decode(),
        )


class World:
    """Starts and stops all programs that the demo needs.

    `database`: the SQLAlchemy URL of Airflow's database; by default an SQLite file. `settings`: more of Airflow's environment.
    """

    def __init__(self, home: Path, database: str | None = None, settings: Mapping[str, str] | None = None) -> None:
        self.home = home
        self.database = database or f"sqlite:///{home}/airflow/airflow.db?timeout=60"
        self.settings = settings or {}
        self.storage = home / "storage"
        self.monitors = home / "monitors"
        self.truth = home / "truth.csv"
        self.processes = Processes(home / "logs")
        self.ports = self._kept_ports()
        kept = home / "secrets.json"
        if kept.exists():
            self.secrets = Secrets(**json.loads(kept.read_text()))
        else:
            self.secrets = Secrets.make()
            write_private(kept, json.dumps(asdict(self.secrets)))

    def _kept_ports(self) -> dict[str, int]:
        """The ports. They stay the same as long as the state is kept: links in the days' artifacts, in Airflow and in the pools have them."""
        kept = self.home / "ports.json"
        if not kept.exists():
            kept.write_text(json.dumps({name: lasting_port() for name in SERVERS}) + "\n")
        return dict(json.loads(kept.read_text()))

    def refuse_taken_ports(self) -> None:
        """Raises ServerFailed if another program uses one of the ports: the links would lead to it."""
        taken = {name: port for name, port in self.ports.items() if not is_free(port)}
        if taken:
            named = ", ".join(f"{port} (for {name})" for name, port in taken.items())
            raise ServerFailed(
                f"another program listens on 127.0.0.1 at port {named}, which the links of {self.home} lead to: stop it "
                "(`ss -ltnp` names it), then run this again"
            )

    @property
    def monitor_file(self) -> Path:
        """The simulation's monitor file: the only one in its folder."""
        from driftwatch.config.loader import monitor_files

        (path,) = monitor_files(self.monitors)
        return path

    def url(self, name: str) -> str:
        return f"http://127.0.0.1:{self.ports[name]}"

    @property
    def env(self) -> dict[str, str]:
        """The environment of Airflow and of the commands."""
        return {name: value for name, value in os.environ.items() if not name.startswith(_NOT_OURS)} | self.own_env

    @property
    def own_env(self) -> dict[str, str]:
        """The part of `env` that is not of the process that made this world."""
        return {
            **self._model_server(),
            **{f"AIRFLOW_CONN_{name}": json.dumps(value) for name, value in self._connections().items()},
            **self._airflow_settings(),
            "PATH": f"{Path(sys.executable).parent}:{os.environ.get('PATH', '')}",
            "DRIFTWATCH_STORAGE": f"file://{self.storage}",
            "DRIFTWATCH_MONITORS": str(self.monitors),
            "NO_PROXY": "127.0.0.1,localhost",
            "no_proxy": "127.0.0.1,localhost",
            "WHYLOGS_NO_ANALYTICS": "True",
            "_WHYLABS_SKIP_CONFIG_READ": "1",
            "TF_CPP_MIN_LOG_LEVEL": "2",
            "PYTHONUNBUFFERED": "1",
            **self.settings,
        }

    def _model_server(self) -> dict[str, str]:
        """The connection of the person's own model server, where the monitor file has one answer the days: the only one that is theirs."""
        from driftwatch.config.loader import load_monitors
        from driftwatch.errors import ConfigError

        found = [config for _, config in load_monitors(self.monitors)]  # Airflow shows a file that is refused
        servers = [config.model.endpoint for config in found if not isinstance(config, ConfigError)]
        names = [connection_variable(server.connection) for server in servers if server]
        return {name: os.environ[name] for name in names if name in os.environ}

    def _connections(self) -> dict[str, dict[str, Any]]:
        """Airflow's connections, which lead to the stand-ins."""

        def connection(kind: str, server: str, password: str) -> dict[str, Any]:
            return {"conn_type": kind, "host": self.url(server), "password": password}

        whylabs = connection("whylabs", "whylabs", self.secrets.whylabs_key)
        return {
            "TOLOKA_DEFAULT": connection("toloka", "toloka", self.secrets.toloka_token),
            "WHYLABS_DEFAULT": whylabs | {"extra": {"org_id": ORGANISATION}},
            "DRIFTWATCH_IMAGES": connection("http", "images", self.secrets.image_secret),
        }

    def _dag_folders(self) -> dict[str, str]:
        """Airflow's setting for a second folder of DAGs, where the story has a team with one of its own."""
        folder = self.home / "team" / "dags"
        if not folder.is_dir():
            return {}
        kind = "airflow.dag_processing.bundles.local.LocalDagBundle"
        bundles = [
            {"name": name, "classpath": kind, "kwargs": {"path": str(path)}}
            for name, path in (("dags-folder", ROOT / "dags"), ("team", folder))
        ]
        return {"AIRFLOW__DAG_PROCESSOR__DAG_BUNDLE_CONFIG_LIST": json.dumps(bundles)}

    def _airflow_settings(self) -> dict[str, str]:
        return {
            **self._dag_folders(),
            "AIRFLOW_HOME": str(self.home / "airflow"),
            "AIRFLOW__CORE__DAGS_FOLDER": str(ROOT / "dags"),
            "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
            "AIRFLOW__CORE__EXECUTOR": "LocalExecutor",
            "AIRFLOW__CORE__PARALLELISM": str(TASKS_AT_ONCE),
            "AIRFLOW__CORE__DAGS_ARE_PAUSED_AT_CREATION": "False",
            "AIRFLOW__CORE__TEST_CONNECTION": "Enabled",
            "AIRFLOW__CORE__FERNET_KEY": self.secrets.fernet,
            "AIRFLOW__CORE__EXECUTION_API_SERVER_URL": f"{self.url('airflow')}/execution/",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_USERS": "admin:admin",
            "AIRFLOW__CORE__SIMPLE_AUTH_MANAGER_PASSWORDS_FILE": str(self.home / "passwords.json"),
            "AIRFLOW__DATABASE__SQL_ALCHEMY_CONN": self.database,
            "AIRFLOW__API__HOST": "127.0.0.1",
            "AIRFLOW__API__PORT": str(self.ports["airflow"]),
            "AIRFLOW__API__BASE_URL": self.url("airflow"),
            "AIRFLOW__API__WORKERS": "1",
            "AIRFLOW__API_AUTH__JWT_SECRET": self.secrets.jwt,
            "AIRFLOW__API__SECRET_KEY": self.secrets.jwt,
            "AIRFLOW__SCHEDULER__SCHEDULER_HEALTH_CHECK_SERVER_HOST": "127.0.0.1",
            # A task's end that a worker has not seen at once is seen with its next heartbeat; five seconds is the default.
            "AIRFLOW__WORKERS__MIN_HEARTBEAT_INTERVAL": "1",
            "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME": "0.5",  # with 0.2 it takes a fifth of a core, with this a tenth
            "AIRFLOW__LOGGING__LOGGING_LEVEL": "INFO",
            "AIRFLOW__USAGE_DATA_COLLECTION__ENABLED": "False",
        }

    def start_stand_ins(self, crowd_speed: float = 400.0, people: Path | None = None) -> None:
        """Starts Toloka with its crowd and the labelling page for the people of the file, WhyLabs, and the image server."""
        state = self.home / "stand-ins"
        state.mkdir(parents=True, exist_ok=True)
        self.storage.mkdir(parents=True, exist_ok=True)
        self._start_server(
            "toloka", "driftwatch_sandbox.toloka", "--database", str(state / "toloka.db"),
            "--truth", str(self.truth), "--crowd-speed", str(crowd_speed), "--seed", "7",
            *(["--people", str(people)] if people else []),
        )  # fmt: skip
        self._start_server(
            "whylabs", "driftwatch_sandbox.whylabs", "--database", str(state / "whylabs.db"),
            "--org", ORGANISATION, "--dataset", DATASET, "--idempotency", "refuse",  # as WhyLabs does
        )  # fmt: skip
        self._start_server("images", "driftwatch_servers.images", "--root", str(self.storage))

    def _start_server(self, name: str, module: str, *options: str) -> None:
        # Secrets are not on the command lines: everybody on the machine can read those.
        env = {
            **self.env,
            TOKEN_VARIABLE: self.secrets.toloka_token,
            KEY_VARIABLE: self.secrets.whylabs_key,
            SECRET_VARIABLE: self.secrets.image_secret,
        }
        port = str(self.ports[name])
        self.processes.start(name, [sys.executable, "-m", module, "--port", port, *options], env)

    def prepare_airflow(self) -> None:
        """Creates the database and the login."""
        self.write_airflow_home()
        self.processes.run("airflow-db", ["airflow", "db", "migrate"], self.env)

    def write_airflow_home(self) -> None:
        """Writes Airflow's local settings and the login."""
        (self.home / "airflow" / "config").mkdir(parents=True, exist_ok=True)
        (self.home / "airflow" / "config" / "airflow_local_settings.py").write_text(LOCAL_SETTINGS)
        write_private(self.home / "passwords.json", json.dumps({"admin": self.secrets.password}))

    def start_airflow(self) -> None:
        """Starts Airflow's four servers one by one, since `airflow standalone` would listen on all interfaces."""
        env = self.env
        for name, command in AIRFLOW_SERVERS.items():
            self.processes.start(name, command, env)

    def stop(self) -> None:
        """Stops everything that this world has started."""
        self.processes.stop()

    def wait_until_ready(self) -> None:
        """Returns when the stand-ins answer and Airflow says that every part of it is healthy."""
        for name in ("toloka", "whylabs", "images"):
            self.processes.wait_for_http(name, f"{self.url(name)}/healthz", lambda response: response.is_success)
        self.processes.wait_for_http("api-server", f"{self.url('airflow')}/api/v2/monitor/health", _all_healthy)


def connection_variable(connection: str) -> str:
    """The environment variable that holds an Airflow connection."""
    return f"AIRFLOW_CONN_{connection.upper()}"


@contextmanager
def until_interrupted(console: Console, processes: Processes) -> Iterator[None]:
    """Runs the block, then keeps the servers running until Ctrl-C. Stops them whatever happens."""
    try:
        yield
        while True:
            processes.check()
            time.sleep(1)
    except KeyboardInterrupt:
        console.print("Stopping …")
    finally:
        processes.stop()


def _all_healthy(response: httpx.Response) -> bool:
    parts: dict[str, Any] = response.json() if response.is_success else {}
    names = ("metadatabase", "scheduler", "triggerer", "dag_processor")
    return all(parts.get(name, {}).get("status") == "healthy" for name in names)
