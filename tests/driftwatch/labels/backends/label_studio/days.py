"""A day that is labelled in a real Label Studio."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, field
from datetime import date, datetime, timezone
from itertools import count
from pathlib import Path
from typing import Any

import pandas as pd
from tests.label_studio_server.running import LabelStudio

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.labels.backends.base import LabelBackend, LabelSite, Pool, backend_of
from driftwatch.labels.creation import create_day_pool
from driftwatch.labels.links import ImageServer, LinkSigners
from driftwatch.storage import open_storage

from ..label_studio_service import site_of

DAY = date(2026, 11, 20)
NOW = datetime.now(timezone.utc)
SIGNERS = LinkSigners(ImageServer("http://127.0.0.1:9", "secret"))
LABELS = {
    "backend": "label_studio",
    "project_name": "Cat or dog?",
    "question": "Which animal?",
    "instructions": "<p>Look.</p>",
}
_numbers = count(1)


@dataclass
class LabelledDay:
    """`server`: where it is labelled. `truth`: the class of each of its images, by id."""

    server: LabelStudio
    store: DayStore
    truth: dict[str, str]
    site: LabelSite
    now: datetime = field(default=NOW)

    @property
    def backend(self) -> LabelBackend:
        """One that has seen nothing before."""
        return backend_of("label_studio", self.site)

    def create(self, now: datetime | None = None) -> AnnotationPlan:
        return create_day_pool(self.store, self.backend, SIGNERS, now or self.now)

    @property
    def plan(self) -> AnnotationPlan:
        return self.store.read(AnnotationPlan)

    @property
    def pool(self) -> Pool:
        return Pool.of(self.plan, self.store.config.labels)

    @property
    def project(self) -> str:
        return str(self.plan.pool_id)

    def tasks(self) -> dict[str, dict[str, Any]]:
        """By image; each image once."""
        found = self.server.tasks(self.project)
        by_image = {task["data"]["image_id"]: task for task in found}
        assert len(by_image) == len(found)
        return by_image

    def set(self, **fields: Any) -> None:
        """What somebody changes in the project."""
        self.server.owner.patch(f"/api/projects/{self.project}/", json=fields).raise_for_status()


def labelled_day(server: LabelStudio, folder: Path, images: int = 3, control: int = 1, **labels: Any) -> LabelledDay:
    """A monitor of its own, with a day of so many images."""
    number = next(_numbers)
    root = folder / f"storage{number}"
    root.mkdir()
    settings = {**LABELS, "sample_size": images, "control_tasks": control, "control_tasks_per_page": 1, "overlap": 2}
    name = f"ls{number}"
    config = MonitorConfig.model_validate(
        {
            "name": name,
            "classes": ["cat", "dog"],
            "schedule": {"start_date": "2026-01-01"},
            "storage": {"uri": f"file://{root}"},
            "labels": {key: value for key, value in (settings | labels).items() if key != "control_tasks_per_page"},
        }
    )
    storage, layout, truth = open_storage(f"file://{root}"), MonitorKeys(name), {}

    def put(key: str, label: str) -> tuple[str, str]:
        data = b"\xff\xd8\xff" + f"{name}/{key}".encode()
        storage.write_bytes(f"{name}/{key}", data)
        truth[hashlib.sha256(data).hexdigest()] = label
        return f"{name}/{key}", hashlib.sha256(data).hexdigest()

    rows = [(*put(f"in/{i}.jpg", "cat" if i % 3 else "dog"), "accepted") for i in range(images)]
    storage.write_table(layout.day(DAY).manifest, pd.DataFrame(rows, columns=["key", "image_id", "status"]))
    known = [
        (*put(f"t/{i}.jpg", "cat" if i % 2 else "dog"), "cat" if i % 2 else "dog", "evaluation")
        for i in range(2 * control)
    ]
    table = pd.DataFrame(known, columns=["key", "image_id", "label", "split"])
    storage.write_table(layout.training_set, table)
    return LabelledDay(server, MonitorStore(storage, config).day(DAY), truth, site_of(server))
