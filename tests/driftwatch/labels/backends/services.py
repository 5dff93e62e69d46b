"""The annotation services that the backends are tested against, each over real HTTP, each with people who answer."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Protocol

import httpx
import pytest

from driftwatch.credentials import Access
from driftwatch.labels.backends.base import LabelSite, Pool
from driftwatch_sandbox.toloka.app import Settings, create_app
from driftwatch_servers.serving import running

from .desk_service import desk
from .label_studio_service import label_studio


class Service(Protocol):
    """A service that runs. `name`: of its backend. `site` leads to an account there, `stolen` to a login that it refuses."""

    name: str
    site: LabelSite
    stolen: LabelSite

    def pools(self) -> int:
        """How many pools of the account people can see or answer."""

    def shown(self, pool: Pool) -> list[str]:
        """The image ids of the pool's tasks, control tasks too, each as often as it is there."""

    def who(self, annotator: str) -> str:
        """The service's own id of the annotator."""

    def answer(self, pool: Pool, annotator: str, choice: str, images: Sequence[str], seconds: float = 60) -> None:
        """One page by the annotator: the same choice on these images of the sample, the right one on control tasks."""


class TolokaStandIn:
    name = "toloka"
    token = "AQAD-token"

    def __init__(self, url: str) -> None:
        self.site, self.stolen = (
            LabelSite("toloka_default", lambda connection, secret, token=token: self._access(url, token))
            for token in (self.token, "stolen-token")
        )
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"OAuth {self.token}"})

    @staticmethod
    def _access(url: str, token: str) -> Access:
        return Access("the Airflow connection toloka_default", url, token, {"timeout": 5, "retries": 0})

    def pools(self) -> int:
        found = self.http.get("/_sandbox/state").raise_for_status().json()["pools"]
        return sum(pool["type"] != "TRAINING" and pool["status"] != "ARCHIVED" for pool in found)

    def shown(self, pool: Pool) -> list[str]:
        return [task["input_values"]["image_id"] for task in self._tasks(pool)]

    def who(self, annotator: str) -> str:
        return annotator

    def answer(self, pool: Pool, annotator: str, choice: str, images: Sequence[str], seconds: float = 60) -> None:
        given = {}
        for task in self._tasks(pool):
            known = task.get("known_solutions")
            if known:
                given[task["id"]] = known[0]["output_values"]
            elif task["input_values"]["image_id"] in images:
                given[task["id"]] = {"result": choice}
        body = {"pool_id": pool.pool_id, "user_id": annotator, "answers": given, "seconds": seconds}
        self.http.post("/_sandbox/answers", json=body).raise_for_status()

    def _tasks(self, pool: Pool) -> list[dict]:
        query = {"pool_id": pool.pool_id, "limit": 1000}
        return self.http.get("/api/v1/tasks", params=query).raise_for_status().json()["items"]


_NUMBERS = itertools.count()


@contextmanager
def toloka(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[Service]:
    patch.setattr("driftwatch.labels.backends.toloka.journal.SETTLE_SECONDS", 0.05)
    database = folder / f"toloka{next(_NUMBERS)}.db"
    settings = Settings(database=database, token=TolokaStandIn.token, crowd=False, operation_seconds=0.01)
    with running(create_app(settings)) as url:
        yield TolokaStandIn(url)


# A new backend is a line here: how its service is started.
SERVICES = {"toloka": toloka, "label_studio": label_studio, "desk": desk}
