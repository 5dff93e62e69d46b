"""The same week, labelled elsewhere than at Toloka: in a real Label Studio, at Driftwatch's own desk, or by a table that is filled as the
truth comes."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Literal

import yaml

from driftwatch_sandbox.demo.week import Week

Backend = Literal["label_studio", "desk", "table"]
BACKENDS: tuple[Backend, ...] = ("label_studio", "desk", "table")
TABLE = "truth/{day}.csv"
_OF_TOLOKA = ("exam", "languages", "acceptance", "reward_per_page", "fee_share")
_PEOPLE = 9


class LabelledWeek(Week):
    """The story of `make demo LABELS=<backend>`."""

    def __init__(self, photos: Path | None, backend: Backend) -> None:
        super().__init__(photos)
        self.backend = backend
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
        labels: dict[str, Any] = {**asked, "backend": self.backend, "price_per_hour": 18}
        if self.backend == "table":
            columns = {"key": "image", "label": "label"}
            labels = {"backend": "table", "wait_days": 0, "table": {"covers": "all", "path": TABLE, "columns": columns}}
        raw["labels"] = labels
        file.write_text(yaml.safe_dump(raw, sort_keys=False))
        return file
