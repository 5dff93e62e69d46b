"""The same week, labelled elsewhere than at Toloka: in a real Label Studio, at Driftwatch's own desk, or by a table that is filled as the
truth comes."""

from __future__ import annotations

import csv
import hashlib
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Literal

import yaml

from driftwatch_sandbox.demo.label_servers import DeskWorld, LabelStudioWorld
from driftwatch_sandbox.demo.simulation import Simulation
from driftwatch_sandbox.demo.week import Week
from driftwatch_sandbox.demo.world import World
from driftwatch_sandbox.toloka.sight import Truth

Backend = Literal["label_studio", "desk", "table"]
BACKENDS: tuple[Backend, ...] = ("label_studio", "desk", "table")
# A Label Studio takes a tenth of a second for an answer: three thousand of them are enough. The fourth day, which retrains, stays whole.
_DAYS_IN_LABEL_STUDIO = (100, 100, 100, 480, 100, 100, 100)
# While people answer, each look fetches all answers of the day again. With a look each second the server has little time left for the people.
_LABEL_STUDIO_POLL = 5
# Who labels is paid by the hour; the fourth day has the largest sample.
_PAID = {"price_per_hour": 18, "max_cost_per_day": 50, "max_cost_per_month": 500}
TABLE = "truth/{day}.csv"
_OF_TOLOKA = ("exam", "languages", "acceptance", "reward_per_page", "fee_share")


class LabelledWeek(Week):
    """The story of `make demo LABELS=<backend>`."""

    def __init__(self, photos: Path | None, backend: Backend) -> None:
        super().__init__(photos)
        self.backend = backend
        if backend == "label_studio" and not photos:
            self.plan = replace(self.plan, per_day=_DAYS_IN_LABEL_STUDIO)
        names = {
            "label_studio": "labelled in Label Studio",
            "desk": "labelled at the desk",
            "table": "labelled by a table",
        }
        self.title = f"The week, {names[backend]}"

    def write_monitor(self, folder: Path) -> Path:
        file = super().write_monitor(folder)
        raw = yaml.safe_load(file.read_text())
        asked = {name: value for name, value in raw["labels"].items() if name not in _OF_TOLOKA}
        labels: dict[str, Any] = {**asked, "backend": self.backend, **_PAID}
        if self.backend == "label_studio":
            labels["poll_seconds"] = _LABEL_STUDIO_POLL
        if self.backend == "desk":
            labels["quality"] = {"fast_seconds": 1}
        if self.backend == "table":
            columns = {"key": "image", "label": "label"}
            table = {"covers": "all", "path": TABLE, "columns": columns, "settle_seconds": 0}
            labels = {"backend": "table", "wait_days": 0, "table": table}
        raw["labels"] = labels
        file.write_text(yaml.safe_dump(raw, sort_keys=False))
        return file


class LabelledSimulation(Simulation):
    """Plays the story, and fills the table where that is where labels come from."""

    story: LabelledWeek

    def _world(self, home: Path) -> World:
        return {"desk": DeskWorld, "label_studio": LabelStudioWorld}.get(self.story.backend, World)(home)

    def _before_day(self, day: date) -> None:
        if self.story.backend != "table":
            return
        truth, folder = Truth(self.world.truth).labels(), self.world.storage / self.store.keys.day(day).incoming
        known = {
            file.name: truth.get(hashlib.sha256(file.read_bytes()).hexdigest()) for file in sorted(folder.iterdir())
        }
        target = self.world.storage / TABLE.format(day=day)
        target.parent.mkdir(parents=True, exist_ok=True)
        with target.open("w", newline="", encoding="utf-8") as file:
            rows = csv.writer(file)
            rows.writerow(["image", "label"])
            rows.writerows((name, label) for name, label in known.items() if label)
        self.progress.say(f"the truth of {day:%a %d %b} has come: {target}")
