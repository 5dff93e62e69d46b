"""The Toloka stand-in, with the campaign of one day."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import httpx

from driftwatch.artifacts import base
from driftwatch.artifacts.annotation import AnnotationPlan, KnownImage, SampledImage, SampleSize
from driftwatch.http import Limits
from driftwatch.labels.backends.base import Opening
from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient
from driftwatch.labels.backends.toloka.pool import Campaign
from driftwatch.labels.links import ImageLinks, ImageServer
from driftwatch.labels.money import cost_of
from driftwatch.storage import open_storage

TOKEN, PLAN = "AQAD-token", "annotation.json"
NOW = datetime.now(timezone.utc).replace(microsecond=0)


def picture(key: str) -> bytes:
    return b"\xff\xd8\xff" + key.encode()


def id_of(key: str) -> str:
    return hashlib.sha256(picture(key)).hexdigest()


class Toloka:
    """The stand-in, with the campaign of one day."""

    settle_seconds = 1.5

    def __init__(self, url: str, monitor: Any, folder: Path) -> None:
        self.url, self.monitor = url, monitor
        self.storage = open_storage(f"file://{folder}")
        self.ids = {key: id_of(key) for where in ("in", "t") for key in [f"{where}/{n}.jpg" for n in range(20)]}
        for key in self.ids:
            self.storage.write_bytes(key, picture(key))
        self.client = DriftwatchTolokaClient(TOKEN, url=url, limits=Limits(timeout=5, retries=2, backoff=0.01))
        self.http = httpx.Client(base_url=url, headers={"Authorization": f"OAuth {TOKEN}"})
        self.links = ImageLinks(
            self.storage, "shown", NOW, NOW + timedelta(hours=9), ImageServer("http://127.0.0.1:9", "secret")
        )

    def state(self) -> dict[str, Any]:
        return self.http.get("/_sandbox/state").raise_for_status().json()

    def fault(self, **fault: Any) -> None:
        self.http.post("/_sandbox/faults", json=fault).raise_for_status()

    def no_faults(self) -> None:
        self.http.delete("/_sandbox/faults").raise_for_status()

    def carry_out(self, client: Any = None, **changes: Any) -> AnnotationPlan:
        plan = base.find(self.storage, PLAN, AnnotationPlan) or self.new_plan().model_copy(update=changes)
        opening = Opening(
            plan,
            self.monitor,
            self.links,
            NOW,
            record=lambda state: base.write(self.storage, PLAN, state),
            before_change=lambda: None,
        )
        return Campaign(client or self.client, opening, settle_seconds=self.settle_seconds).carry_out()

    def new_plan(self) -> AnnotationPlan:
        return AnnotationPlan(
            day=date(2026, 11, 20),
            state="planned",
            seed=0,
            overlap=3,
            sample_size=SampleSize(images=20),
            sample=tuple(SampledImage(image_id=self.ids[key], key=key) for key in self.ids if key.startswith("in/")),
            control=tuple(
                KnownImage(image_id=self.ids[key], key=key, label="cat") for key in [f"t/{n}.jpg" for n in range(4)]
            ),
            exam=None,
            cost=cost_of(20, self.monitor.labels),
            project_id=None,
            exam_id=None,
            pool_id=None,
            creations={},
            operation_ids=(),
            expires=NOW + timedelta(hours=5),
            links_expire=NOW + timedelta(hours=9),
        )

    def one_complete_pool(self) -> None:
        """One project, one open pool, each image once."""
        state = self.state()
        assert len(state["projects"]) == 1
        (pool,) = state["pools"]
        assert pool["status"] == "OPEN"
        client = DriftwatchTolokaClient(TOKEN, url=self.url)
        tasks = list(client.get_tasks(pool_id=pool["id"]))
        assert sorted(task.input_values["image_id"] for task in tasks) == sorted(
            [self.ids[f"in/{number}.jpg"] for number in range(20)]
            + [self.ids[f"t/{number}.jpg"] for number in range(4)]
        )
        assert sum(bool(task.known_solutions) for task in tasks) == 4
