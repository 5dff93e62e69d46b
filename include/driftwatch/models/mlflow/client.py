"""MLflow's REST API over the project's transport: registered models, runs, and files by way of the tracking server.

The MLflow package is not needed: https://mlflow.org/docs/latest/rest-api.html has the paths and the fields. Files go through the server's
artifact proxy (`mlflow server --serve-artifacts`, which is its default), so no worker needs a key of the store behind it.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any
from urllib.parse import quote, urlsplit

import httpx

from driftwatch.credentials import Access
from driftwatch.errors import NeedsAttention
from driftwatch.http import Call, Service, ServiceRefusedRequest, client_for, error_of, limits_of

_API, _FILES = "/api/2.0/mlflow", "/api/2.0/mlflow-artifacts/artifacts"
_PROXIED = "mlflow-artifacts"
_MISSING, _THERE_ALREADY = "RESOURCE_DOES_NOT_EXIST", "RESOURCE_ALREADY_EXISTS"
_PAGE = 1000


@dataclass(frozen=True)
class RegisteredModel:
    """A registered model. `aliases`: the version, as MLflow numbers it, that each alias stands at."""

    name: str
    tags: Mapping[str, str]
    aliases: Mapping[str, str]


@dataclass(frozen=True)
class ModelVersion:
    """A version of a registered model. `version`: MLflow's number for it."""

    version: str
    run_id: str
    tags: Mapping[str, str]


@dataclass(frozen=True)
class Run:
    """A run, which holds a version's metrics and files. `started`: milliseconds since 1970. `files`: the address of its folder."""

    id: str
    started: int
    files: str


class MlflowApi:
    """One tracking server. Nothing connects before the first call. A call that MLflow may have carried out is sent again only where that
    does no harm; what creates something is looked for first by whoever calls again."""

    def __init__(self, access: Access) -> None:
        self.access = access
        self._limits = limits_of(access, 60)
        self._service = Service("MLflow", access.name, access.secrets)

    def registered_model(self, name: str) -> RegisteredModel | None:
        """The registered model; None where there is none."""
        found = self._find("registered-models/get", name=name)
        if found is None:
            return None
        model = found["registered_model"]
        aliases = {entry["alias"]: str(entry["version"]) for entry in model.get("aliases", [])}
        return RegisteredModel(model["name"], _tags(model), aliases)

    def create_model(self, name: str, tags: Mapping[str, str]) -> None:
        """Creates a registered model. One that is there already stays as it is."""
        self._create("registered-models/create", {"name": name, "tags": _entries(tags)})

    def tag_model(self, name: str, key: str, value: str) -> None:
        self._write("registered-models/set-tag", {"name": name, "key": key, "value": value})

    def set_alias(self, name: str, alias: str, version: str) -> None:
        self._write("registered-models/alias", {"name": name, "alias": alias, "version": version})

    def delete_alias(self, name: str, alias: str) -> None:
        self._call("DELETE", f"{_API}/registered-models/alias", json={"name": name, "alias": alias})

    def versions(self, name: str) -> Iterator[ModelVersion]:
        """Every version of a registered model."""
        asked = {"filter": f"name='{name}'", "max_results": str(_PAGE)}
        while True:
            found = self._call("GET", f"{_API}/model-versions/search", params=asked)
            for version in found.get("model_versions", []):
                yield ModelVersion(str(version["version"]), version.get("run_id", ""), _tags(version))
            if not found.get("next_page_token"):
                return
            asked["page_token"] = found["next_page_token"]

    def create_version(self, name: str, run: Run, tags: Mapping[str, str], description: str) -> str:
        """Creates a version of a registered model from a run's files, and returns MLflow's number for it."""
        body = {"name": name, "source": run.files, "run_id": run.id, "tags": _entries(tags), "description": description}
        return str(self._call("POST", f"{_API}/model-versions/create", json=body)["model_version"]["version"])

    def tag_version(self, name: str, version: str, key: str, value: str) -> None:
        self._write("model-versions/set-tag", {"name": name, "version": version, "key": key, "value": value})

    def files_of_version(self, name: str, version: str) -> str | None:
        """The address of the folder with a version's files; None where there is no such version."""
        found = self._find("model-versions/get-download-uri", name=name, version=version)
        return None if found is None else found["artifact_uri"]

    def experiment(self, name: str) -> str:
        """The id of the experiment, which is created where there is none."""
        if (found := self._find("experiments/get-by-name", experiment_name=name)) is None:
            self._create("experiments/create", {"name": name})
            found = self._call("GET", f"{_API}/experiments/get-by-name", params={"experiment_name": name})
        experiment = found["experiment"]
        if experiment.get("lifecycle_stage") == "deleted":
            raise NeedsAttention(
                f"MLflow's experiment {name!r} is deleted, so nothing can be written to it: restore it there, or name another model in "
                "registry.mlflow.model"
            )
        return str(experiment["experiment_id"])

    def run(self, experiment: str, name: str, tags: Mapping[str, str]) -> Run:
        """The run of the experiment that has these tags. It is created with them where there is none, so a repeat finds it."""
        wanted = " and ".join(f"tags.`{key}` = '{value}'" for key, value in tags.items())
        asked = {"experiment_ids": [experiment], "filter": wanted, "max_results": 1, "order_by": ["start_time ASC"]}
        if runs := self._write("runs/search", asked).get("runs"):
            return _run(runs[0])
        started = int(time.time() * 1000)
        body = {"experiment_id": experiment, "run_name": name, "start_time": started, "tags": _entries(tags)}
        return _run(self._call("POST", f"{_API}/runs/create", json=body)["run"])

    def log_metrics(self, run: Run, metrics: Mapping[str, float]) -> None:
        """Writes the run's metrics, each at the run's own time: a repeat then adds none."""
        values = [{"key": key, "value": value, "timestamp": run.started, "step": 0} for key, value in metrics.items()]
        for first in range(0, len(values), _PAGE):
            self._write("runs/log-batch", {"run_id": run.id, "metrics": values[first : first + _PAGE]})

    def finish(self, run: Run) -> None:
        self._write("runs/update", {"run_id": run.id, "status": "FINISHED", "end_time": run.started})

    def find_run(self, run_id: str) -> Run | None:
        """The run of this id; None where it is gone."""
        found = self._find("runs/get", run_id=run_id)
        return None if found is None else _run(found["run"])

    def upload(self, folder: str, name: str, data: bytes) -> None:
        """Writes one file of a run's folder, whole."""
        headers = {"Content-Type": "application/octet-stream"}
        self._answer("PUT", f"{_FILES}/{self._proxied(folder)}/{quote(name)}", content=data, headers=headers)

    def files(self, folder: str) -> Iterator[tuple[str, int]]:
        """Every file of a folder and of those in it: its path in the folder, and its size."""
        root, waiting = self._proxied(folder), [""]
        while waiting:
            inner = waiting.pop()
            found = self._call("GET", _FILES, params={"path": _joined(root, inner)})
            for entry in found.get("files", []):
                path = _joined(inner, entry["path"].rpartition("/")[2])
                if entry.get("is_dir"):
                    waiting.append(path)
                else:
                    yield path, int(entry.get("file_size") or 0)

    def download(self, folder: str, path: str) -> bytes:
        return self._answer("GET", f"{_FILES}/{self._proxied(folder)}/{quote(path)}").content

    def _proxied(self, folder: str) -> str:
        """The path of a folder at the server's artifact proxy."""
        parts = urlsplit(folder)
        if parts.scheme != _PROXIED:
            raise NeedsAttention(
                f"MLflow keeps files at {folder}, which its server does not pass on: start it with --serve-artifacts and "
                "--artifacts-destination, without --default-artifact-root. What lies there already is brought by `mlflow artifacts download`"
            )
        return quote(parts.path.strip("/"))

    def _find(self, path: str, **asked: str) -> Any:
        """The answer to a question; None where MLflow says that there is no such thing."""
        response = self._request("GET", f"{_API}/{path}", params=asked)
        if response.status_code in (400, 404) and _code(response) == _MISSING:
            return None
        return self._read(response)

    def _create(self, path: str, body: Mapping[str, Any]) -> None:
        response = self._request("POST", f"{_API}/{path}", json=body, repeatable=True)
        if response.status_code != 200 and _code(response) != _THERE_ALREADY:
            raise error_of(response, self._service)

    def _write(self, path: str, body: Mapping[str, Any]) -> Any:
        return self._call("POST", f"{_API}/{path}", json=body, repeatable=True)

    def _call(self, method: str, path: str, **arguments: Any) -> Any:
        return self._read(self._answer(method, path, **arguments))

    def _answer(self, method: str, path: str, **arguments: Any) -> httpx.Response:
        response = self._request(method, path, **arguments)
        if not response.is_success:
            raise error_of(response, self._service)
        return response

    def _request(self, method: str, path: str, repeatable: bool | None = None, **arguments: Any) -> httpx.Response:
        extensions = Call(repeatable=repeatable).extensions
        headers = {**self.access.headers, **arguments.pop("headers", {})}
        with client_for(self._service, self._limits, base_url=self.access.address) as client:
            return client.request(method, path, headers=headers, extensions=extensions, **arguments)

    def _read(self, response: httpx.Response) -> Any:
        if not response.is_success:
            raise error_of(response, self._service)
        try:
            found = response.json()
        except ValueError:
            found = None
        if not isinstance(found, dict):
            where = f"{response.request.method} {response.request.url.path}"
            raise ServiceRefusedRequest(
                f"the answer to {where} is no JSON object: check that the address in {self._service.connection} is MLflow's",
                response.status_code,
            )
        return found


def _code(response: httpx.Response) -> str:
    """What MLflow calls a failure; empty where it is none of MLflow's own."""
    try:
        found = json.loads(response.content)
    except ValueError:
        return ""
    return str(found.get("error_code", "")) if isinstance(found, dict) else ""


def _tags(found: Mapping[str, Any]) -> dict[str, str]:
    return {tag["key"]: tag.get("value", "") for tag in found.get("tags", [])}


def _entries(tags: Mapping[str, str]) -> list[dict[str, str]]:
    return [{"key": key, "value": value} for key, value in tags.items()]


def _run(found: Mapping[str, Any]) -> Run:
    info = found["info"]
    return Run(info["run_id"], int(info["start_time"]), info["artifact_uri"])


def _joined(*parts: str) -> str:
    return "/".join(part for part in parts if part)
