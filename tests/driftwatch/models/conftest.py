"""A monitor of striped pictures, small enough to train in seconds: `across` has horizontal stripes, `upright` vertical ones."""

from __future__ import annotations

import hashlib
import io
import shutil
from collections.abc import Callable, Iterator
from datetime import date
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pandas as pd
import pytest
from PIL import Image
from tests import small_network
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage, open_storage

from ...once import once_for_all_workers

CLASSES = ("across", "upright")
SMALL, AT_ONCE = 200_000, 8  # a model that is kept open has so many bytes at most; how many are kept


def striped(rng: np.random.Generator, label: str, contrast: float = 60) -> np.ndarray:
    """uint8 [40, 48, 3]: stripes of random width, colour and phase in noise."""
    position = np.arange(40)[:, None] if label == "across" else np.arange(48)[None, :]
    wave = np.sin(position / rng.uniform(1.2, 2.4) + rng.uniform(0, 6)) * np.ones((40, 48))
    colour = rng.uniform(90, 160, 3) + rng.normal(0, 12, (40, 48, 3))
    return np.clip(colour + contrast * wave[..., None] * rng.uniform(0.5, 1, 3), 0, 255).astype(np.uint8)


def file_of(rgb: np.ndarray) -> bytes:
    buffer = io.BytesIO()
    Image.fromarray(rgb).save(buffer, "PNG")
    return buffer.getvalue()


# The files of each day that a world was given, and their labels: many tests of a process want the same one.
_TAKEN_IN: dict[tuple[date, int, str, bytes], tuple[dict[str, bytes], pd.DataFrame]] = {}


class World(SimpleNamespace):
    """storage, layout and config of one monitor."""

    storage: Storage
    layout: MonitorKeys
    config: MonitorConfig

    def put_training(self, label: str, name: str, rgb: np.ndarray) -> None:
        self.storage.write_bytes(f"{self.layout.training_images}/{label}/{name}.png", file_of(rgb))

    def striped(self, rng: np.random.Generator, label: str) -> np.ndarray:
        return striped(rng, label)

    def with_config(self, **retraining: object) -> World:
        changed = {**self.config.model_dump(), "retraining": {**self.config.retraining.model_dump(), **retraining}}
        return World(**{**vars(self), "config": MonitorConfig.model_validate(changed)})

    def add_day(
        self, day: date, n: int, damage: Callable[[np.ndarray], np.ndarray] = lambda rgb: rgb, verdict: str = "ok"
    ) -> pd.DataFrame:
        """A day taken in and labelled: n images, with labels.parquet, drift.json and performance.json of `verdict`."""
        from driftwatch.images import ingest

        keys = self.layout.day(day)
        settings = f"{self.config.model_dump_json(exclude={'storage'})} {ingest.BLOCK}"
        like = (day, n, settings, damage(striped(np.random.default_rng(0), CLASSES[0])).tobytes())
        if like not in _TAKEN_IN:
            labels = self._take_in(day, n, damage)
            files = [*self.storage.list(keys.incoming), *self.storage.list(f"{self.layout.days}/{day}")]
            _TAKEN_IN[like] = {item.key: self.storage.read_bytes(item.key) for item in files}, labels
        found, labels = _TAKEN_IN[like]
        for key, data in found.items():
            self.storage.write_bytes(key, data)
        self.storage.write_table(keys.labels, labels)
        self.storage.write_json(keys.performance, {**samples.PERFORMANCE, "verdict": verdict})
        self.storage.write_json(keys.drift, {**samples.DAY_DRIFT, "verdict": "ok" if verdict == "ok" else "drifted"})
        return labels.copy()

    def _take_in(self, day: date, n: int, damage: Callable[[np.ndarray], np.ndarray]) -> pd.DataFrame:
        """The labels of the images."""
        from driftwatch.images.ingest import DayModel, ingest_day

        keys, rng = self.layout.day(day), np.random.default_rng(day.toordinal())
        truth = {}
        for number in range(n):
            label = CLASSES[number % 2]
            data = file_of(damage(striped(rng, label)))
            key = f"{keys.incoming}/{number:03d}.png"
            self.storage.write_bytes(key, data)
            truth[key] = label
        model = DayModel("v0001-00000000", ModelInput.of(self.config.model.input))
        ingest_day(monitor_store(self.storage, self.layout, self.config).day(day), model)
        manifest = self.storage.read_table(keys.manifest)
        return pd.DataFrame(
            {
                "image_id": manifest["image_id"],
                "label": manifest["key"].map(truth),
                "status": "consensus",
                "votes": 3,
                "confidence": 1.0,
            }
        ).sort_values("image_id", ignore_index=True)


def make_config(root: Path) -> MonitorConfig:
    return MonitorConfig.model_validate(
        {
            "name": "stripes",
            "classes": CLASSES,
            "schedule": {"start_date": "2026-01-01"},
            "storage": {"uri": f"file://{root}"},
            "model": {"input_size": 32},
            "annotation": {"project_name": "Stripes", "question": "Which?", "instructions": "Look."},
            "retraining": {"epochs": 3, "min_new_labels": 20, "imitate_drift": False},
        }
    )


@pytest.fixture(scope="module", autouse=True)
def _small_network() -> Iterator[None]:
    """What these tests train anew is small. `build` itself (test_architecture.py) is not, and real photos get the real network (test_real_photos.py).
    And a small model that was opened before is opened no more: to load and compile it takes half a second of CPU."""
    from driftwatch.models.predictors import keras

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("driftwatch.models.architecture.build", small_network.build)
        patch.setattr(keras, "opened", _opened_once(keras.opened))
        yield


_OPENED: dict[tuple[bytes, str], tuple[Any, list[np.ndarray]]] = {}


def _opened_once(opened: Callable[..., Any]) -> Callable[..., Any]:
    """Also where a test has changed the weights of the model that it was given, the next one gets those of the file."""

    def again(data: bytes, facts: Any, name: str) -> Any:
        key = hashlib.sha256(data).digest(), repr(facts)
        if key not in _OPENED:
            found = opened(data, facts, name)
            if len(data) > SMALL:
                return found
            _OPENED[key] = found, found.model.get_weights()
            if len(_OPENED) > AT_ONCE:
                _OPENED.pop(next(iter(_OPENED)))
            return found
        found, weights = _OPENED[key]
        found.model.set_weights(weights)
        return found

    return again


@pytest.fixture(scope="session")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage with the training set taken in and a champion, to be copied; one for all workers of a run."""
    return once_for_all_workers(tmp_path_factory, "trained", train)


def train(root: Path) -> None:
    from driftwatch.drift.handover import build_reference_of
    from driftwatch.models.champion import train_champion
    from driftwatch.models.dataset import take_in_training_set
    from driftwatch.models.registry import promote

    world = open_world(root)
    rng = np.random.default_rng(0)
    for label in CLASSES:
        for number in range(150):
            world.put_training(label, f"{number:03d}", striped(rng, label))
    take_in_training_set(monitor_store(world.storage, world.layout, world.config))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("driftwatch.models.architecture.build", small_network.build)
        version = train_champion(monitor_store(world.storage, world.layout, world.config), "fast", epochs=10)
    build_reference_of(monitor_store(world.storage, world.layout, world.config), version)
    promote(monitor_store(world.storage, world.layout), version, "test", None)


def open_world(root: Path) -> World:
    config = make_config(root)
    return World(storage=open_storage(config.storage.uri), layout=MonitorKeys(config.name), config=config)


@pytest.fixture
def empty(tmp_path: Path) -> World:
    """A monitor without anything in its storage."""
    return open_world(tmp_path / "storage")


@pytest.fixture
def world(trained: Path, tmp_path: Path) -> World:
    """A copy of the trained monitor, to change at will."""
    shutil.copytree(trained, tmp_path / "storage")
    return open_world(tmp_path / "storage")
