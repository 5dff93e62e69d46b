"""Days, and references of model v1, as the steps before the drift tests leave them."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd

from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.reference import ContentFeatures
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.drift.content import Content
from driftwatch.drift.content_and_predictions import build_held_out_references
from driftwatch.images.features import COLUMNS
from driftwatch.images.judged import JudgedImages, keeping_answers
from driftwatch.storage import Storage

DAY = date(2026, 3, 4)
WIDTH = 24


def monitor(storage: Storage, **profiling: Any) -> MonitorStore:
    config = {
        "name": "cats",
        "classes": ["cat", "dog"],
        "schedule": {"start_date": "2026-03-01"},
        "storage": {"uri": "file:///unused"},
        "annotation": {"project_name": "p", "question": "q", "instructions": "i"},
        "profiling": profiling,
    }
    return MonitorStore(storage, MonitorConfig.model_validate(config))


def a_day(storage: Storage, day: date = DAY, **profiling: Any) -> DayStore:
    return monitor(storage, **profiling).day(day)


def features_of(rows: int, seed: int, blurred: int = 0) -> pd.DataFrame:
    values = np.random.default_rng(seed).normal(size=(rows, len(COLUMNS)))
    values[:, COLUMNS.index("image.Brightness.stddev")] += 50  # pictures with contrast
    values[:blurred, COLUMNS.index("image.Sharpness.laplacian")] -= 3
    features = pd.DataFrame(values, columns=list(COLUMNS))
    features.insert(0, "image_id", [f"{seed:02x}{row:04x}" for row in range(rows)])
    return features


def put_features(day: DayStore, features: pd.DataFrame, **manifest: Any) -> None:
    """What ingest leaves of a day: its features, and the manifest with columns of your own such as phash."""
    keys = [f"{day.keys.incoming}/{number:04d}.jpg" for number in range(len(features))]
    columns = {"key": keys, "image_id": features["image_id"], "status": "accepted", "phash": None, **manifest}
    day.storage.write_table(day.keys.manifest, pd.DataFrame(columns))
    day.storage.write_table(day.keys.features, features)


def count_in(day: DayStore) -> Ingest:
    """What ingest leaves beside manifest and features: the sample of a large day, and the counts."""
    manifest, features = (day.storage.read_arrow(key) for key in (day.keys.manifest, day.keys.features))
    images = JudgedImages()
    for start in range(0, len(manifest), 64):
        images.add(manifest.slice(start, 64), features.slice(start, 64))
    n = len(manifest)
    pixels = {"input_size": 32}
    found = Ingest(
        day=day.date, listed=n, accepted=n, duplicate=0, quarantined=0, reasons={}, model_version="v1", **pixels
    )
    if judged := images.write(day):
        found = found.model_copy(update={"judged": judged})
    day.write(found)
    return found


def keep_answers(day: DayStore) -> None:
    """What predict_labels leaves of a large day beside its tables: the answers to the images of the sample."""
    table, embeddings = day.storage.read_arrow(day.keys.predictions), day.storage.read_array(day.keys.embeddings)
    with keeping_answers(day, table.schema, embeddings) as kept:
        for start in range(0, len(table) if kept else 0, 50):
            kept.add_table(table.slice(start, 50))
            kept.add_embeddings(embeddings[start : start + 50])


def seen(n: int, seed: int, dogs: float = 0.5) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings and predictions of n images, a share of them dogs."""
    rng = np.random.default_rng(seed)
    is_dog = rng.random(n) < dogs
    embeddings = rng.normal(size=(n, WIDTH)) @ np.random.default_rng(0).normal(size=(WIDTH, WIDTH))
    embeddings[:, 0] += 2 * is_dog
    return embeddings.astype("float16"), np.where(is_dog, "dog", "cat")


def put_predictions(day: DayStore, embeddings: np.ndarray, predictions: np.ndarray, **manifest: Any) -> list[str]:
    """What model v1 leaves of a day, and what ingest left before. Returns the images' ids."""
    ids = [f"{number:064x}" for number in range(len(predictions))]
    put_features(day, pd.DataFrame({"image_id": ids, "image.Brightness.stddev": 50.0}), **manifest)
    score = np.where(predictions == "dog", 0.9, 0.1)
    columns = {"score.cat": 1 - score, "score.dog": score, "model_version": "v1"}
    table = pd.DataFrame({"image_id": ids, "prediction": predictions, **columns})
    day.storage.write_table(day.keys.predictions, table)
    day.storage.write_array(day.keys.embeddings, embeddings)
    return ids


def put_held_out(
    storage: Storage, held_out: int = 300, fitted: float = 0.5, kind: ContentFeatures = "embeddings"
) -> int:
    """600 images trained on, which the model has `fitted`: their embeddings are smaller than those of new images."""
    trained, new = seen(600, 1), seen(held_out, 2)
    table = pd.DataFrame(
        {
            "trained_on": np.arange(600 + held_out) < 600,
            "held_out": np.arange(600 + held_out) >= 600,
            "prediction": np.concatenate([trained[1], new[1]]),
        }
    )
    embeddings = None if kind == "none" else np.concatenate([fitted * trained[0], new[0]])
    return build_held_out_references(monitor(storage), "v1", table, Content(kind, embeddings))
