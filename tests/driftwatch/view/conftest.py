"""Builds the artifacts of a day as the real steps leave them: pictures, features, drift, predictions, answers, labels, metrics."""

from __future__ import annotations

import hashlib
import pickle
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import day_store, monitor_store

from driftwatch.accuracy.evaluate import evaluate_day
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import ModelCard
from driftwatch.config import MonitorConfig
from driftwatch.drift.image_quality import build_image_reference, profile_day
from driftwatch.images.features import COLUMNS, image_features
from driftwatch.images.inputs import write_block, write_index
from driftwatch.labels.consensus import merge_day
from driftwatch.storage import Storage, open_storage
from driftwatch.view.verdicts import reasons

SIDE = 64
REJECTED = [
    (
        '<img src=x onerror="alert(1)">.jpg',
        "quarantined",
        "truncated: image file is truncated (12 bytes not processed)",
    ),
    ("fin\u202egpj.exe.jpg", "quarantined", "not_an_image: the bytes are no JPEG, PNG or WebP"),
    ("über & 'quoted' photo.jpg", "duplicate", "same bytes as demo/incoming/x/{{ 7*7 }}.jpg"),
]


@pytest.fixture
def config(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorConfig:
    return small_monitor(f"file://{tmp_path}/storage")


@pytest.fixture
def storage(config: MonitorConfig) -> Storage:
    return open_storage(config.storage.uri)


def drawn_pictures(n: int, rng: np.random.Generator) -> list[np.ndarray]:
    """Textured scenes of different sizes."""
    pictures = []
    for _ in range(n):
        height, width = rng.integers(90, 160, 2)
        base = cv2.resize(
            rng.integers(0, 255, (7, 7, 3)).astype(np.uint8), (int(width), int(height)), interpolation=cv2.INTER_CUBIC
        )
        noise = rng.normal(0, 14, base.shape)
        pictures.append(np.clip(base + noise, 0, 255).astype(np.uint8))
    return pictures


def pixelate(picture: np.ndarray, across: int = 12) -> np.ndarray:
    height, width = picture.shape[:2]
    small = cv2.resize(picture, (across, across), interpolation=cv2.INTER_AREA)
    return cv2.resize(small, (width, height), interpolation=cv2.INTER_NEAREST)


def answers_of(ids: list[str], truth: list[str], rng: np.random.Generator) -> pd.DataFrame:
    """Nine good annotators and one who guesses, three for each image, three control tasks on each page of nine."""
    workers = [(f"{index:02d}f3c9", 0.94) for index in range(9)] + [("spam<b>er", 0.5)]
    rows = []
    for turn in range(3):
        for page, start in enumerate(range(0, len(ids), 9)):
            worker, skill = workers[(page * 3 + turn) % len(workers)]
            tasks = [(ids[i], truth[i], False) for i in range(start, min(start + 9, len(ids)))] + [
                (f"control{(page + turn * 4 + more) % 12}", ("cat", "dog")[(page + more) % 2], True)
                for more in range(3)
            ]
            for image_id, label, control in tasks:
                answer = label if rng.random() < skill else ("dog" if label == "cat" else "cat")
                rows.append(
                    {
                        "assignment_id": f"a{turn}-{page:04d}",
                        "annotator_id": worker,
                        "image_id": image_id,
                        "answer": "unclear" if rng.random() < 0.03 else answer,
                        "control": control,
                        "known_label": label if control else None,
                        "status": "ACCEPTED",
                        "submitted": f"2026-01-05T0{turn}:{page % 60:02d}:00+00:00",
                        "seconds": 4.0 if skill < 0.6 else 41.0 + page,
                        "reward": 0.05,
                    }
                )
    return pd.DataFrame(rows).sort_values(["assignment_id", "image_id"], ignore_index=True)


@pytest.fixture
def build_day(storage: Storage, config: MonitorConfig) -> Callable[..., None]:
    return day_builder(storage, config)


# What a day's steps have written, by all that they were given: many tests of a process want the same day, which takes a second.
_BUILT: dict[bytes, dict[str, bytes]] = {}


def day_builder(storage: Storage, config: MonitorConfig) -> Callable[..., None]:
    """`build_day(day, pictures=None, truth=None, accuracy=.9, damaged=False, until="performance", version="v1", known=None, cameras=None)`,
    known being the pictures of the reference, and cameras the name of each image's. Accuracy may be one for each image."""
    build = _builder(storage, config)

    def there() -> dict[str, bytes]:
        return {item.key: storage.read_bytes(item.key) for item in storage.list(config.name)}

    def built_once(day: date, *pictures: Any, **how: Any) -> None:
        before = there()
        settings = config.model_dump_json(exclude={"storage"})
        given = hashlib.sha256(pickle.dumps((settings, day, pictures, sorted(how.items()), before))).digest()
        if given not in _BUILT:
            build(day, *pictures, **how)
            _BUILT[given] = {key: data for key, data in there().items() if before.get(key) != data}
        for key, data in _BUILT[given].items():
            storage.write_bytes(key, data)

    return built_once


def _builder(storage: Storage, config: MonitorConfig) -> Callable[..., None]:
    def build(
        day: date,
        pictures: list[np.ndarray] | None = None,
        truth: list[str] | None = None,
        accuracy: float | np.ndarray = 0.9,
        damaged: bool = False,
        until: str = "performance",
        version: str = "v1",
        known: list[np.ndarray] | None = None,
        cameras: list[str] | None = None,
    ) -> None:
        rng = np.random.default_rng([7, day.toordinal()])
        layout = MonitorKeys(config.name)
        keys = layout.day(day)
        clean = pictures or drawn_pictures(60, rng)
        truth = truth or [["cat", "dog"][i % 2] for i in range(len(clean))]
        shown = [pixelate(picture) for picture in clean] if damaged else clean
        names = [f"{keys.incoming}/{label}.{index}.jpg" for index, label in enumerate(truth)]
        ids = [hashlib.sha256(f"{name}{damaged}".encode()).hexdigest() for name in names]
        columns = ["key", "image_id", "bytes", "status", "reason", "format", "width", "height"]
        rows = [
            (name, image_id, picture.size // 8, "accepted", "", "JPEG", picture.shape[1], picture.shape[0])
            for name, image_id, picture in zip(names, ids, shown, strict=True)
        ]
        rows += [
            (f"{keys.incoming}/{name}", None, 1234, status, why, None, None, None) for name, status, why in REJECTED
        ]
        manifest = pd.DataFrame(rows, columns=columns).astype({"width": "Int64", "height": "Int64"}).assign(phash=None)
        if cameras:
            manifest["segment.camera"] = [*cameras, *[None] * len(REJECTED)]
        storage.write_table(keys.manifest, manifest)
        storage.write_json(
            keys.ingest,
            {
                "day": day.isoformat(),
                "listed": len(rows),
                "accepted": len(ids),
                "duplicate": 1,
                "quarantined": 2,
                "reasons": {"truncated": 1, "not_an_image": 1},
                "model_version": version,
                "input_size": SIDE,
            },
        )
        inputs = np.stack([cv2.resize(picture, (SIDE, SIDE), interpolation=cv2.INTER_AREA) for picture in shown])
        write_block(day_store(storage, keys), 0, inputs)
        write_index(day_store(storage, keys), ModelInput.square(SIDE), [len(inputs)])
        card = {**samples.CARD, "version": version, "created_by": "demo", "parent": "v1" if version != "v1" else None}
        held = {
            **card["metrics"]["holdout"],
            "accuracy": {"value": 0.884, "low": 0.86, "high": 0.9, "n": 600},
            "n": 600,
        }
        if version == "v1":  # the first champion: no gate chose it
            card = {name: value for name, value in card.items() if name not in ("gate", "alerts")}
        storage.write_json(layout.model_card(version), {**card, "metrics": {"holdout": held}})
        if until == "ingest":
            return
        features = pd.DataFrame([image_features(picture) for picture in shown], columns=list(COLUMNS))
        features.insert(0, "image_id", ids)
        storage.write_table(keys.features, features)
        if not storage.exists(layout.reference(version)):
            usual = known or drawn_pictures(60, np.random.default_rng(0))
            table = pd.DataFrame([image_features(picture) for picture in usual], columns=list(COLUMNS))
            build_image_reference(monitor_store(storage, layout, config), version, table)
        profile_day(day_store(storage, keys, config), version)
        if until == "drift":
            return
        known_images = pd.DataFrame({"image_id": [f"control{page}" for page in range(12)], "label": ["cat", "dog"] * 6})
        storage.write_table(layout.training_set, known_images)
        right = rng.random(len(ids)) < accuracy
        answered = [t if ok else ("dog" if t == "cat" else "cat") for t, ok in zip(truth, right, strict=True)]
        score = rng.uniform(0.55, 0.99, len(ids))
        predictions = {"image_id": ids, "prediction": answered}
        for name in config.classes:
            predictions[f"score.{name}"] = np.where(np.array(answered) == name, score, 1 - score)
        storage.write_table(keys.predictions, pd.DataFrame({**predictions, "model_version": version}))
        sample = [{"image_id": i, "key": k} for i, k in zip(ids, names, strict=True)]
        plan = {**samples.PLAN, "sample": sample, "overlap": 3, "cost": {**samples.PLAN["cost"], "total": 1.26}}
        storage.write_json(keys.annotation, {**plan, "day": day.isoformat()})
        storage.write_table(keys.assignments, answers_of(ids, truth, rng))
        merge_day(day_store(storage, keys, config), ids)
        holdout = monitor_store(storage, layout).read(layout.model_card(version), ModelCard).metrics.holdout.accuracy
        evaluate_day(day_store(storage, keys, config), holdout, in_words=reasons)

    return build
