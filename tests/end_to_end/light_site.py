"""Photos that are told apart by how light they are, and the model that does: nobody needs to train a network for them."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import replace
from datetime import date
from pathlib import Path

import cv2
import numpy as np
from tests.driftwatch.cli.test_cli import as_onnx

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch_sandbox.demo import week
from driftwatch_sandbox.demo.truth import write_truth

PLAN = replace(
    week.DRAWN,
    training=120,
    per_day=(0,) * 7,
    overrides={
        "labels": {"sample_size": 20, "control_tasks": 12},
        "model": {"input_size": 32},
        "performance": {"min_labels": 10, "floor": 0.0},
    },
)
LEVELS = (80, 170)


class Photos:
    """Draws photos of two classes, each time others."""

    def __init__(self, classes: Sequence[str]) -> None:
        self._classes, self._rng = classes, np.random.default_rng(11)
        self.truth: dict[str, str] = {}

    def take(self, folder: Path, each: int, by_class: bool) -> None:
        """Writes so many of each class, into a folder of its own where `by_class` is true, and notes what they show."""
        for label, level in zip(self._classes, LEVELS, strict=True):
            inside = folder / label if by_class else folder
            inside.mkdir(parents=True, exist_ok=True)
            for number in range(each):
                coarse = np.clip(self._rng.normal(level, 25, (12, 16, 3)), 0, 255).astype(np.uint8)
                data = cv2.imencode(".jpg", cv2.resize(coarse, (128, 96)))[1].tobytes()
                (inside / f"{label}-{number:03d}.jpg").write_bytes(data)
                self.truth[hashlib.sha256(data).hexdigest()] = label


def deliver(storage: Path, keys: MonitorKeys, classes: Sequence[str], days: Sequence[date], truth: Path) -> None:
    """Puts the training photos and 24 photos of each day into a folder's storage, and what they show into the file of the crowd."""
    photos = Photos(classes)
    photos.take(storage / keys.training_images, PLAN.training // 2, by_class=True)
    for day in days:
        photos.take(storage / keys.day(day).incoming, 12, by_class=False)
    write_truth(truth, photos.truth)


def first_champion(store: MonitorStore, path: Path) -> None:
    """The model that tells those photos apart, imported as a team's own."""
    from driftwatch.drift.handover import build_reference_of
    from driftwatch.models import registry
    from driftwatch.models.champion import import_champion
    from driftwatch.models.dataset import take_in_training_set

    as_onnx(path, np.array([[-1.0, 1.0]] * 3), np.array([375.0, -375.0]))
    take_in_training_set(store)
    version = import_champion(store, path)
    build_reference_of(store, version)
    registry.promote(store, version, "test", None)
