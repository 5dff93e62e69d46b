"""`make try`: a person's own classifier with the stand-ins, on a few days of their images. The last day's images are damaged."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import yaml
from PIL import Image

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.config.labels import OTHER_THAN_TOLOKA, TOLOKA
from driftwatch.config.loader import load_monitor
from driftwatch_sandbox.demo.homes import DemoFailed
from driftwatch_sandbox.demo.own_images import find, share_out
from driftwatch_sandbox.demo.truth import write_truth
from driftwatch_sandbox.demo.world import DATASET, World, connection_variable
from driftwatch_sandbox.photos import break_file

DAYS = [date(2026, 1, 5) + timedelta(days=number) for number in range(3)]
# With fewer images the model needs more passes over them: images times passes, then the fewest and the most passes.
_TRAINED_ON, _EPOCHS = 30_000, (30, 90)
_MOST_OVERLAP = 5  # the simulated crowd has 30 people, and each sees a control task only once
_NO_LIMIT = 1_000_000.0
_VARIABLE = re.compile(r"\$\{([A-Z][A-Z0-9_]*)")
# Sections about the person's own images, machines and registries, of which a try has none.
_LEFT_OUT = ("segments", "reference", "registry", "execution")


class Own:
    """The story. Raises DriftwatchError if the file, the folder or the model cannot be used. Nothing is written before."""

    days, broken_from, damage, retrains = DAYS, len(DAYS) - 1, "blurred and dark", False
    preparing = "copying the images, damaging the last day's"

    def __init__(self, file: Path, images: Path, model: Path | None) -> None:
        self._file, self._model = file.resolve(), model.resolve() if model else None
        self._config = _read(file)
        self._server = self._config.model.endpoint if not model else None
        if self._model:
            from driftwatch.models.model_file import read_model_file

            read_model_file(self._model)
        elif self._server:
            _refuse_without_connection(self._server.connection)
        self._shares = share_out(images, self._config.classes, find(images, self._config.classes), len(DAYS))
        self.title = f"{self._config.name}, {len(DAYS)} days"
        epochs = max(_EPOCHS[0], min(_EPOCHS[1], _TRAINED_ON // len(self._shares.training)))
        trained = ["train", "--recipe", "fast", "--epochs", str(epochs)]
        self.champion = ["import", str(self._model)] if self._model else ["import"] if self._server else trained

    def promises(self, home: Path) -> list[str]:
        """Says what happens to the person's files, and what does not."""
        shares = self._shares
        asked = (
            [f"Your model server answers the images, by {connection_variable(self._server.connection)}"]
            if self._server
            else []
        )
        return [
            f"{self._config.name}: {len(self._config.classes)} classes; {len(shares.training)} images to train and test the first model, "
            f"then {len(DAYS)} days of {len(shares.days[0])} images, the last of them {self.damage}"
            + (f" ({shares.left} of yours are not needed)" if shares.left else ""),
            f"All of it happens in {home}, with stand-ins for Toloka and WhyLabs: nobody is paid or told anything, and the storage, "
            "connections and notifiers of your file are not used. Your images are copied and stay as they are.",
            f"Your settings, changed where this needs it (days, sample, who is asked and told), are in {home}/monitors/{self._config.name}.yaml",
            *asked,
        ]

    @property
    def _day_size(self) -> int:
        return len(self._shares.days[0])

    def write_monitor(self, folder: Path) -> Path:
        """Writes the person's settings with the changes of `_changes` into the try's own folder."""
        folder.mkdir(parents=True, exist_ok=True)
        target = folder / f"{self._config.name}.yaml"
        raw = self._config.model_dump(mode="json", exclude_unset=True)
        raw["labels"] = _asked_of_the_crowd(self._config)
        raw = _without_their_own(raw, served=bool(self._server))
        for section, values in _changes(self._config, self._day_size, folder.parent).items():
            raw[section] = (
                raw.get(section, {}) | values if isinstance(values, dict) and section != "storage" else values
            )
        target.write_text(yaml.safe_dump(raw, sort_keys=False, allow_unicode=True), encoding="utf-8")
        return target

    def deliver(self, world: World, layout: MonitorKeys) -> None:
        """Copies the images into the try's storage. Damages those of the last day."""
        known: dict[str, str] = {}

        def remember(path: Path, label: str) -> None:
            known[hashlib.sha256(path.read_bytes()).hexdigest()] = label

        for number, (path, label) in enumerate(self._shares.training):
            target = world.storage / layout.training_images / label / f"{number:06d}{path.suffix.lower()}"
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, target)
            remember(target, label)
        for place, (day, images) in enumerate(zip(DAYS, self._shares.days, strict=True)):
            folder = world.storage / layout.day(day).incoming
            folder.mkdir(parents=True)
            for number, (path, label) in enumerate(images):
                target = folder / f"{number:06d}{path.suffix.lower()}"
                if place < self.broken_from or not _damage(path, target):
                    shutil.copyfile(path, target)
                remember(target, label)
        write_truth(world.truth, known)


def _damage(path: Path, target: Path) -> bool:
    """Writes the image blurred and dark. Returns whether it could be read: Driftwatch itself refuses one that cannot."""
    try:
        break_file(path, target, "night", sigma=6.0)
    except (OSError, ValueError, Image.DecompressionBombError):
        target.unlink(missing_ok=True)
        return False
    return True


def _read(file: Path) -> MonitorConfig:
    """The person's monitor file. Its storage may be named by a variable that only their own machines have. It is not used here."""
    if file.is_file():
        for name in _VARIABLE.findall(file.read_text(encoding="utf-8", errors="replace")):
            os.environ.setdefault(name, "file:///not-used")
    return load_monitor(file)


def _refuse_without_connection(server: str) -> None:
    """Raises DemoFailed if the environment has not the connection of the person's model server, the only one of theirs that a try uses."""
    variable = connection_variable(server)
    if variable not in os.environ:
        raise DemoFailed(
            f"model.predictions: endpoint: your model server answers the images, and a try reads its connection {server!r} from the "
            f"environment alone: set {variable} to its address, such as http://serving:8501, or name a model's file by MODEL="
        )


def _asked_of_the_crowd(config: MonitorConfig) -> dict[str, Any]:
    """The settings of the labels that count when the stand-in's crowd is asked, whoever labels the person's images."""
    said = config.labels.model_dump(mode="json", exclude_unset=True)
    asked = {name: value for name, value in said.items() if name not in OTHER_THAN_TOLOKA}
    words = {
        "project_name": config.name,
        "question": "What is in the picture?",
        "instructions": "<p>Look at the picture.</p>",
    }
    return {**words, **{name: value for name, value in asked.items() if value != ""}, "backend": TOLOKA}


def _without_their_own(raw: dict[str, Any], served: bool) -> dict[str, Any]:
    """The settings without what leads to the person's own images, tables, pools and registries. `served`: their model server is asked."""
    theirs: dict[str, set[str]] = {
        "images": {"layout", "earlier", "wait_hours"},
        "labels": {"blur"},
        "model": {"logged"} if served else {"logged", "endpoint", "predictions", "serving_version"},
        "retraining": {"segments", "handover_dag"},
    }
    return {
        section: {name: value for name, value in values.items() if name not in theirs[section]}
        if section in theirs
        else values
        for section, values in raw.items()
        if section not in _LEFT_OUT
    }


def _changes(config: MonitorConfig, day_size: int, home: Path) -> dict[str, Any]:
    """What differs from the person's file: the storage, the days, how many labels, and that nobody outside is asked or told."""
    annotation, sinks = config.labels, list(config.publish.sinks)
    return {
        "storage": {"uri": f"file://{home}/storage"},
        "schedule": {"start_date": DAYS[0], "end_date": DAYS[-1], "delivery_hours": 0, "catchup": False},
        "profiling": {"min_images": min(config.profiling.min_images, day_size // 2)},
        "labels": {
            "connection": "toloka_default",
            "image_links": "driftwatch_images",
            "languages": ["EN"],
            "sample_size": day_size,
            "overlap": min(annotation.overlap, _MOST_OVERLAP),
            "control_tasks": max(annotation.control_tasks_per_page, min(annotation.control_tasks, 12)),
            "exam": None,
            "poll_seconds": 1,
            "max_cost_per_day": _NO_LIMIT,
            "max_cost_per_month": _NO_LIMIT,
        },
        "performance": {"min_labels": min(config.performance.min_labels, day_size // 2)},
        "publish": {
            "sinks": sinks,
            "alert_source": "local",
            "connection": "whylabs_default",
            "monitors": {},
            "segments": [],
        }
        | ({"dataset": DATASET} if "whylabs" in sinks else {}),
        "notifiers": [],
    }
