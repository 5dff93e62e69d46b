"""A usual day and a changed one with real files, small enough to be written in a moment: every second image is a cat, and on the changed day
every image is darker."""

from __future__ import annotations

import hashlib
import io
from datetime import date

import numpy as np
import pandas as pd
from PIL import Image

from driftwatch.artifacts.drift import DayDrift, FeatureDrift
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.images.features import COLUMNS, image_features

USUAL, CHANGED = date(2026, 1, 5), date(2026, 1, 6)
MOVED = "image.Brightness.mean"
IMAGES = 20


def jpeg_of(random: np.random.Generator, light: float) -> bytes:
    """A picture of soft blotches, 64 x 48 pixels."""
    small = random.integers(60, 200, (6, 8, 3)).astype("uint8")
    picture = (
        Image.fromarray(small)
        .resize((64, 48), Image.Resampling.BICUBIC)
        .point([int(i * light) for i in range(256)] * 3)
    )
    buffer = io.BytesIO()
    picture.save(buffer, "JPEG", quality=90)
    return buffer.getvalue()


def write_days(store: MonitorStore) -> None:
    """The usual day, then the changed one, at doors 1 and 2."""
    reference = _write(store.day(USUAL), 1.0, None)
    _write(store.day(CHANGED), 0.4, reference)


def _write(day: DayStore, light: float, reference: pd.DataFrame | None) -> pd.DataFrame:
    random = np.random.default_rng(day.date.toordinal())
    files = [jpeg_of(random, light) for _ in range(IMAGES)]
    ids = [hashlib.sha256(data).hexdigest() for data in files]
    names = [f"{day.keys.incoming}/door-{number % 2 + 1}/{number:02d}.jpg" for number in range(IMAGES)]
    for key, data in zip(names, files, strict=True):
        day.storage.write_bytes(key, data)
    manifest = pd.DataFrame(
        {"key": names, "image_id": ids, "bytes": [len(data) for data in files], "status": "accepted"}
    )
    manifest = manifest.assign(
        reason="",
        format="JPEG",
        width=64,
        height=48,
        phash=[f"{number * 0x0123456789ABCDE:016x}" for number in range(IMAGES)],
    )
    manifest["segment.camera"] = [f"door-{number % 2 + 1}" for number in range(IMAGES)]
    day.storage.write_table(day.keys.manifest, manifest)
    pictures = [np.asarray(Image.open(io.BytesIO(data)).convert("RGB")) for data in files]
    features = pd.DataFrame([image_features(picture) for picture in pictures], columns=list(COLUMNS))
    features.insert(0, "image_id", ids)
    day.storage.write_table(day.keys.features, features)
    classes = day.config.classes
    said = [classes[number // 2 % len(classes)] for number in range(IMAGES)]
    scores = {
        f"score.{name}": [0.9 if answer == name else 0.1 / (len(classes) - 1) for answer in said] for name in classes
    }
    day.storage.write_table(
        day.keys.predictions, pd.DataFrame({"image_id": ids, "prediction": said, **scores, "model_version": "v1"})
    )
    day.write(drift_of(day, features, reference))
    return features


def drift_of(day: DayStore, features: pd.DataFrame, reference: pd.DataFrame | None) -> DayDrift:
    """drift.json of a day on which only the brightness moved; `reference` is None on a usual day."""
    usual, at = features if reference is None else reference, (0.05, 0.25, 0.5, 0.75, 0.95)

    def row(name: str) -> FeatureDrift:
        moved = reference is not None and name == MOVED
        return FeatureDrift(
            feature=name, test="ks", statistic=9.0 if moved else 0.1, effect=0.9 if moved else 0.1, shift=None,
            direction="down" if moved else "none", p_value=0.0001 if moved else 0.9, verdict="drifted" if moved else "ok",
            reference_quantiles=tuple(usual[name].quantile(list(at))), day_quantiles=tuple(features[name].quantile(list(at))),
        )  # fmt: skip

    rows = sorted(map(row, COLUMNS), key=lambda found: found.verdict != "drifted")
    return DayDrift(
        day=day.date, reference_version="v1", verdict="ok" if reference is None else "drifted", p_value=0.5, false_alarm_rate=0.01,
        n=len(features), score=1.0, drifted_features=() if reference is None else (MOVED,), quantiles=at, features=tuple(rows), examples=(),
    )  # fmt: skip


def write_labels(day: DayStore) -> pd.DataFrame:
    """Labels of the day: two wrong answers on which all three people agree, a tie, an unclear image; the rest is as the model says."""
    predictions = day.storage.read_table(day.keys.predictions)
    first, second = day.config.classes[:2]
    rows = []
    for place, (image_id, said) in enumerate(zip(predictions["image_id"], predictions["prediction"], strict=True)):
        other = second if said == first else first
        votes, status, label = {said: 3}, "consensus", said
        if place < 2:
            votes, label = {other: 3}, other
        elif place == 2:
            votes, status, label = {first: 1, second: 1}, "tie", None
        elif place == 3:
            votes, status, label = {first: 1, "unclear": 2}, "unclear", None
        given = {f"votes.{name}": votes.get(name, 0) for name in (*day.config.classes, "unclear")}
        rows.append(
            {
                "image_id": image_id,
                "label": label,
                "status": status,
                "votes": sum(votes.values()),
                "confidence": 1.0,
                **given,
            }
        )
    labels = pd.DataFrame(rows)
    day.storage.write_table(day.keys.labels, labels)
    return labels
