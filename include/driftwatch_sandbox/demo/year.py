"""A year of generated days, with the files that their steps would leave, to look at the pages and to time them. There is no image, no model
and no Airflow run.

The story: quiet months; in the middle a broken camera, by which the accuracy falls, and a retraining that helps; a slow drift towards
the end; and now and then a day with too few labels. The newest days have their tables too, so that their own pages open.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

import numpy as np
import pandas as pd

from driftwatch.accuracy.policy import judge
from driftwatch.artifacts.accuracy import LabelAgreement, Performance
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.keys import DATASET_CARD, GATE
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.models import ChampionPointer
from driftwatch.artifacts.parts import JudgedAccuracy, Share, WeightedShare
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.episodes.days import noted
from driftwatch.images.features import COLUMNS
from driftwatch.images.inputs import write_block, write_index
from driftwatch.models.metrics import measure
from driftwatch.storage import Storage
from driftwatch.view.verdicts import reasons
from driftwatch_sandbox.demo import year_artifacts

FIRST, SECOND = "v0001-0a1b2c3d", "v0002-4e5f6071"
IMAGES, SIDE = 60, 32
_BROKEN = (0.50, 0.54)  # where in the year the camera is broken
_NAMES = ('<img src=x onerror="document.title=1">.jpg', "fin\u202egpj.exe.jpg", "über & 'quoted' {{ 7*7 }}.jpg")


@dataclass(frozen=True)
class _Generated:
    """A day of the story. `ids`, `truth`, `said`: the id, the class and the model's answer of each image. `features`: [n, features]."""

    of: DayStore
    version: str
    features: np.ndarray
    ids: list[str]
    truth: list[str]
    said: list[str]


class Year:
    """Writes the days of one monitor up to `last`. `whole_days`: how many of the newest days have every artifact."""

    def __init__(
        self, storage: Storage, config: MonitorConfig, last: date, days: int = 365, whole_days: int = 2
    ) -> None:
        self.config = config
        self.store = MonitorStore(storage, config)
        self.days = [last - timedelta(days=days - 1 - number) for number in range(days)]
        self.whole_days = whole_days
        random = np.random.default_rng(3)
        self._middle = random.uniform(20, 120, len(COLUMNS))
        self._spread = self._middle * random.uniform(0.08, 0.3, len(COLUMNS))
        self._reference = self._features(np.random.default_rng(4), 400, 0.0)

    def write(self) -> None:
        """Writes the models, the references and the days."""
        self._models()
        for number, day in enumerate(self.days):
            self._day(number, day)

    def _features(self, random: np.random.Generator, n: int, shift: float) -> np.ndarray:
        values = random.normal(self._middle, self._spread, (n, len(COLUMNS)))
        values[:, 9:13] -= shift * self._spread[9:13]
        return values

    def _models(self) -> None:
        """Both versions with their references, and the retraining that made the second champion."""
        store, keys, turn = self.store, self.store.keys, self.days[int(_BROKEN[1] * len(self.days)) - 1]
        run, table = f"perf_alert__{turn}", pd.DataFrame(self._reference, columns=list(COLUMNS))
        gate = year_artifacts.gate(self.config, run, FIRST, SECOND)
        first = year_artifacts.model_card(self.config, FIRST, None, "driftwatch champion train", SIDE)
        second = year_artifacts.model_card(self.config, SECOND, FIRST, f"performance alert of {turn}", SIDE)
        for card in (first, second.model_copy(update={"gate": gate})):
            store.write(keys.model_card(card.version), card)
            store.storage.write_table(keys.reference_features(card.version), table)
        pointer = ChampionPointer(
            version=SECOND, previous=FIRST, promoted_by=run, sha256=second.sha256, history=(FIRST, SECOND)
        )
        store.write(keys.champion, pointer)
        store.write(keys.retraining(run, DATASET_CARD), year_artifacts.dataset_card(turn))
        store.write(keys.retraining(run, GATE), gate)

    def _day(self, number: int, day: date) -> None:
        random = np.random.default_rng([11, day.toordinal()])
        whole = number >= len(self.days) - self.whole_days
        rejected = len(_NAMES) if whole else int(random.integers(0, 4))
        generated = self._generated(number, day, random)
        generated.of.write(_ingest(day, generated.version, rejected))
        generated.of.write(
            year_artifacts.drift(day, generated.version, generated.features, self._reference, generated.ids)
        )
        sample = [(name, f"{generated.of.keys.incoming}/{name[:6]}.jpg") for name in generated.ids]
        generated.of.write(year_artifacts.plan(self.config, day, f"{2000 + number}", sample))
        answered = IMAGES if whole or random.random() > 0.04 else 12
        generated.of.write(_performance(generated, answered, random))
        with noted(generated.of):
            pass
        if whole:
            _write_tables(generated, random)

    def _generated(self, number: int, day: date, random: np.random.Generator) -> _Generated:
        """What the story says of the day."""
        place, classes = number / len(self.days), self.config.classes
        broken = _BROKEN[0] <= place < _BROKEN[1]
        shift = 2.5 if broken else max(0.0, 6 * (place - 0.9))
        features = self._features(random, IMAGES, shift)
        truth = [classes[image % len(classes)] for image in range(IMAGES)]
        right = random.random(IMAGES) < (0.62 if broken else 0.9)
        return _Generated(
            of=self.store.day(day),
            version=FIRST if place < _BROKEN[1] else SECOND,
            features=features,
            ids=[hashlib.sha256(f"{day} {image}".encode()).hexdigest() for image in range(IMAGES)],
            truth=truth,
            said=[name if ok else classes[classes.index(name) - 1] for name, ok in zip(truth, right, strict=True)],
        )


def _ingest(day: date, version: str, rejected: int) -> Ingest:
    return Ingest(
        day=day,
        listed=IMAGES + rejected,
        accepted=IMAGES,
        duplicate=0,
        quarantined=rejected,
        ignored=0,
        reasons={"truncated": rejected} if rejected else {},
        model_version=version,
        input_size=SIDE,
    )


def _performance(generated: _Generated, answered: int, random: np.random.Generator) -> Performance:
    """The day's performance by the labels of its first `answered` images."""
    # Each day is judged by itself: the rules over all days would take a minute for a year of them.
    day, settings = generated.of.date, generated.of.config.performance.model_copy(update={"policy": ("floor",)})
    metrics = measure(generated.truth[:answered], generated.said[:answered], generated.of.config.classes)
    measured = WeightedShare(**metrics.accuracy.model_dump(exclude_unset=True), effective_n=answered)
    corrected = _moved(measured, 0.02, 0.03)
    agreement = LabelAgreement(
        alpha=float(random.uniform(0.7, 0.9)),
        unanimous=float(random.uniform(0.8, 0.95)),
        votes=3 * answered,
        control_answers=21,
        control_right=20,
        annotators=9,
        flagged=0,
    )
    holdout = year_artifacts.holdout(generated.of.config).accuracy
    verdict = judge(
        JudgedAccuracy(**measured.model_dump(exclude_unset=True), kind="measured", days=1), settings, holdout
    )
    return Performance(
        **dict(metrics),
        day=day,
        model_version=generated.version,
        merged_by="majority",
        on_tie="abstain",
        confidence=0.95,
        floor=settings.floor,
        holdout_accuracy=holdout,
        agreement=agreement,
        sampled=IMAGES,
        labels=answered,
        consensus=answered,
        ties=0,
        unclear=0,
        unanswered=IMAGES - answered,
        verdict=verdict.verdict,
        severity=verdict.severity,
        reasons=tuple(reasons(verdict)),
        policy=verdict.rules,
        fired=verdict.fired,
        judged=JudgedAccuracy(**corrected.model_dump(exclude_unset=True), kind="corrected", days=1),
        corrected=corrected,
        label_error=None,
        pooled_days=(day,),
        estimated=Share(value=0.89, low=0.84, high=0.93, n=IMAGES),
    )


def _moved(found: WeightedShare, value: float, high: float) -> WeightedShare:
    """The share, with its value and its upper end raised by so much."""
    assert found.numbers is not None
    moved = {"value": min(1.0, found.numbers[0] + value), "high": min(1.0, found.numbers[2] + high)}
    return found.model_copy(update=moved)


def _write_tables(generated: _Generated, random: np.random.Generator) -> None:
    """The tables and the inputs of a day, and its upload ledger."""
    day, ids = generated.of, generated.ids
    storage, keys = day.storage, day.keys
    storage.write_table(keys.manifest, _manifest(day, ids))
    small = random.integers(0, 255, (IMAGES, 5, 5, 3)).astype("uint8")
    write_block(day, 0, small.repeat(7, axis=1).repeat(7, axis=2)[:, :SIDE, :SIDE])
    write_index(day, ModelInput.square(SIDE), [IMAGES])
    table = pd.DataFrame(generated.features, columns=list(COLUMNS))
    table.insert(0, "image_id", ids)
    storage.write_table(keys.features, table)
    classes, said, truth = day.config.classes, generated.said, generated.truth
    scores = {f"score.{name}": [0.83 if name == answer else 0.17 for answer in said] for name in classes}
    predictions = {"image_id": ids, "prediction": said, **scores, "model_version": generated.version}
    storage.write_table(keys.predictions, pd.DataFrame(predictions))
    votes = {f"votes.{name}": [3 if name == label else 0 for label in truth] for name in classes}
    labels = {
        "image_id": ids,
        "label": truth,
        "status": "consensus",
        "votes": 3,
        "confidence": 1.0,
        **votes,
        "votes.unclear": 0,
    }
    storage.write_table(keys.labels, pd.DataFrame(labels))
    day.write(year_artifacts.ledger(day.date))


def _manifest(day: DayStore, ids: list[str]) -> pd.DataFrame:
    names = [*_NAMES, *(f"door-{number:03d}.jpg" for number in range(len(_NAMES), IMAGES))]
    columns = ["key", "image_id", "bytes", "status", "reason", "format", "width", "height", "phash"]
    rows: list[tuple[Any, ...]] = [
        (f"{day.keys.incoming}/{name}", image_id, 9000, "accepted", "", "JPEG", 100, 75, image_id[:16])
        for name, image_id in zip(names, ids, strict=True)
    ]
    rows += [
        (f"{day.keys.incoming}/x/{name}", None, 12, "quarantined", f"truncated: {name}", None, None, None, "")
        for name in _NAMES
    ]
    return pd.DataFrame(rows, columns=columns).astype({"width": "Int64", "height": "Int64"})
