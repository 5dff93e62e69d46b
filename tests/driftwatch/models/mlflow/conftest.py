"""A monitor whose versions are shown in a real MLflow, behind a door that asks for a token and fails as it is told."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import httpx
import pytest
from tests.cards import model_card
from tests.door import Door, door_before
from tests.mlflow_server.running import TOKEN, mlflow_server
from tests.stores import SMALLEST

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.credentials import Access
from driftwatch.models import registry
from driftwatch.storage import open_storage

_numbers = count(1)
CLIENT = httpx.Client(timeout=60)  # the machine may be busy


@dataclass
class Shown:
    """`model`: the registered model's name there. `server`: MLflow without the door, as other people use it."""

    store: MonitorStore
    door: Door
    server: str
    model: str

    def register(self, content: bytes, **card: Any) -> str:
        version = registry.version_for(self.store, content)
        registry.register(self.store, version, content, model_card(parent=None, **card))
        return version

    def promote(self, version: str) -> None:
        now = registry.champion(self.store)
        registry.promote(self.store, version, "test", expected=now.version if now else None)

    def get(self, path: str, **asked: str) -> Any:
        answer = CLIENT.get(f"{self.server}/api/2.0/mlflow/{path}", params=asked)
        return answer.raise_for_status().json()

    def post(self, path: str, **body: Any) -> Any:
        return CLIENT.post(f"{self.server}/api/2.0/mlflow/{path}", json=body).raise_for_status().json()

    @property
    def versions(self) -> list[dict[str, Any]]:
        """The versions there, oldest first, each with its tags as a mapping."""
        found = self.get("model-versions/search", filter=f"name='{self.model}'").get("model_versions", [])
        with_tags = [{**one, "tags": {tag["key"]: tag["value"] for tag in one.get("tags", [])}} for one in found]
        return sorted(with_tags, key=lambda one: int(one["version"]))

    @property
    def aliases(self) -> dict[str, str]:
        found = self.get("registered-models/get", name=self.model)["registered_model"]
        return {one["alias"]: str(one["version"]) for one in found.get("aliases", [])}

    def file(self, number: str, name: str) -> bytes:
        where = self.get("model-versions/get-download-uri", name=self.model, version=number)["artifact_uri"]
        path = where.removeprefix("mlflow-artifacts:/")
        return CLIENT.get(f"{self.server}/api/2.0/mlflow-artifacts/artifacts/{path}/{name}").raise_for_status().content

    def log_files(self, files: dict[str, bytes]) -> str:
        """A version that somebody else logged as MLflow 3 does, with these files; MLflow's number for it."""
        if CLIENT.get(f"{self.server}/api/2.0/mlflow/registered-models/get", params={"name": self.model}).is_error:
            self.post("registered-models/create", name=self.model)
        logged = self.post("logged-models", experiment_id="0", name="model")["model"]["info"]
        folder = logged["artifact_uri"].removeprefix("mlflow-artifacts:/")
        for name, data in files.items():
            path = f"{self.server}/api/2.0/mlflow-artifacts/artifacts/{folder}/{name}"
            CLIENT.put(path, content=data).raise_for_status()
        source = f"models:/{logged['model_id']}"
        made = self.post("model-versions/create", name=self.model, source=source, model_id=logged["model_id"])
        return str(made["model_version"]["version"])


@pytest.fixture(scope="session")
def mlflow_url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    with mlflow_server(tmp_path_factory.mktemp("mlflow")) as url:
        yield url


@pytest.fixture
def shown(mlflow_url: str, tmp_path: Path) -> Iterator[Shown]:
    """A registered model of its own for each test."""
    model = f"cats {next(_numbers)}"
    named = {"registry": {"mlflow": {"connection": "mlflow_default", "model": model}}}
    config = MonitorConfig.model_validate({**SMALLEST, **named})
    with door_before(mlflow_url, TOKEN) as door:
        access = Access("the Airflow connection mlflow_default", door.url, TOKEN, {"timeout": 60, "retries": 0})

        def read_access(connection: str, needed_by: str) -> Access:
            assert (connection, needed_by) == ("mlflow_default", "registry.mlflow.connection")
            return access

        store = MonitorStore(open_storage(f"file://{tmp_path}/store"), config, read_access)
        yield Shown(store, door, mlflow_url, model)
