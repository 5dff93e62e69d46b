"""Days that several model versions answered, as evidence and as the artifacts of a stored day."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date

import numpy as np
import pandas as pd
from tests.driftwatch.artifacts import samples
from tests.stores import day_store

from driftwatch.accuracy.evidence import Evidence, Scores
from driftwatch.accuracy.history import PastDay, ScoredDay
from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.config import MonitorConfig
from driftwatch.labels.consensus import merge_day
from driftwatch.models.serving import AnsweredBy
from driftwatch.storage import Storage

from .simulated import simulated

Counts = Mapping[str, tuple[int, int]]
"""By version: labels, and those of them on which it is right."""


def scored_day(number: int, counts: Counts, serving: str, control: int = 0) -> ScoredDay:
    """A day of January of two classes, both labelled alike; without control tasks nothing corrects its accuracy."""
    votes = simulated(np.random.default_rng(number), 0.9, 0.05, 0.1, control=control)[0].votes
    by_version = {version: Evidence(_matrix(n, right), Scores(), votes) for version, (n, right) in counts.items()}
    return ScoredDay(
        date(2026, 1, number), "v1", ("cat", "dog"), by_version[serving],
        serving_version=serving, by_version=by_version if len(counts) > 1 else {},
    )  # fmt: skip


def past_day(number: int, counts: Counts, serving: str) -> PastDay:
    return PastDay(**vars(scored_day(number, counts, serving)), fired=False, usual=None)


def by(counts: Counts, serving: str) -> AnsweredBy:
    order = sorted(counts, key=lambda version: version != serving)
    return AnsweredBy({version: 10 * counts[version][0] for version in order})


def _matrix(labels: int, right: int) -> np.ndarray:
    """Half of the right ones cats, and cats taken for dogs."""
    return np.array([[right // 2, labels - right], [0, right - right // 2]])


def write_versions(
    storage: Storage,
    monitor: MonitorConfig,
    number: int,
    shares: Mapping[str, tuple[float, float]],
    labels: int = 200,
    images: int = 600,
    scores: bool = True,
) -> DayKeys:
    """A day of cats and dogs. `shares`: by version, its share of the images, and its accuracy. Three people, who are right, label the
    first `labels` images; versions and mistakes fall on images at random."""
    rng = np.random.default_rng(number)
    day = DayKeys("demo", date(2026, 1, number))
    ids = [f"d{number}-{index:04d}" for index in range(images)]
    truth = rng.integers(0, 2, images)
    version = rng.choice(list(shares), images, p=[share for share, _ in shares.values()])
    right = rng.random(images) < np.array([shares[name][1] for name in version])
    names = np.array(["cat", "dog"])
    said, sure = names[np.where(right, truth, 1 - truth)], np.where(right, 0.9, 0.7)
    table = pd.DataFrame({"image_id": ids, "prediction": said})
    if scores:
        table["score.cat"] = np.where(said == "cat", sure, 1 - sure)
        table["score.dog"] = 1 - table["score.cat"]
    storage.write_table(day.predictions, table.assign(model_version=version))
    storage.write_json(day.ingest, samples.INGEST | {"model_version": "v1"})
    page = {"status": "ACCEPTED", "submitted": "2026-01-05T10:00:00+00:00", "seconds": 30.0, "reward": 0.05}
    asked = [(ids[index], names[truth[index]], False) for index in range(labels)]
    rows = [
        {"assignment_id": f"p{worker}", "annotator_id": f"w{worker}", "image_id": name, "answer": answer, "control": control,
         "known_label": answer if control else None, **page}
        for worker in range(3)
        for name, answer, control in [*asked, *((f"control{k}", "cat", True) for k in range(40))]
    ]  # fmt: skip
    storage.write_table(day.assignments, pd.DataFrame(rows))
    merge_day(day_store(storage, day, monitor), ids[:labels])
    return day
