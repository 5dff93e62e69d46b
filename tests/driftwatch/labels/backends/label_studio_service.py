"""A real Label Studio as one of the annotation services that the backends are tested against."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.label_studio_server.running import SECONDS, LabelStudio, shared_server

from driftwatch.credentials import Access
from driftwatch.labels.backends.base import LabelSite, Pool


def site_of(server: LabelStudio, token: str | None = None, url: str | None = None) -> LabelSite:
    """An Airflow connection to the server, or to a door before it."""
    access = Access(
        "the Airflow connection label_studio_default",
        url or server.url,
        token or server.token,
        {"timeout": SECONDS, "retries": 0},
    )
    return LabelSite("label_studio_default", lambda connection, secret: access)


class LabelStudioService:
    name = "label_studio"

    def __init__(self, server: LabelStudio) -> None:
        self.server = server
        self.site, self.stolen = site_of(server), site_of(server, "stolen-token")

    def pools(self) -> int:
        return len(self.server.projects())

    def shown(self, pool: Pool) -> list[str]:
        return [task["data"]["image_id"] for task in self.server.tasks(pool.pool_id)]

    def who(self, annotator: str) -> str:
        return self.server.people[annotator].id

    def answer(self, pool: Pool, annotator: str, choice: str, images: Sequence[str], seconds: float = 60) -> None:
        for task in self.server.tasks(pool.pool_id):
            image = task["data"]["image_id"]
            if image in images or image in pool.known:
                self.server.people[annotator].submit(task["id"], pool.known.get(image, choice), seconds)


@contextmanager
def label_studio(folder: Path, patch: pytest.MonkeyPatch) -> Iterator[LabelStudioService]:
    server = shared_server()
    server.clear()
    yield LabelStudioService(server)
