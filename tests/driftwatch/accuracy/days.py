"""Days of the monitor `demo` with predictions and answers, and their evaluation."""

from __future__ import annotations

from datetime import date

import pandas as pd
from tests.driftwatch.artifacts import samples
from tests.stores import day_store

from driftwatch.accuracy.evaluate import evaluate_day
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.parts import Share
from driftwatch.config import MonitorConfig
from driftwatch.labels.consensus import merge_day
from driftwatch.storage import Storage
from driftwatch.view.verdicts import reasons

DAY = DayKeys("demo", date(2026, 1, 5))
HOLDOUT = Share(value=0.9, low=0.88, high=0.92, n=500)
CARD = samples.CARD | {
    "version": "v1", "input_size": 96, "classes": ["cat", "dog"],
    "metrics": {"holdout": samples.CARD["metrics"]["holdout"] | {"accuracy": HOLDOUT.model_dump(exclude_unset=True), "n": 500}},
}  # fmt: skip
SAMPLE = [f"i{index:03d}" for index in range(60)]


def with_settings(monitor: MonitorConfig, **settings: object) -> MonitorConfig:
    return monitor.model_copy(update={"performance": monitor.performance.model_copy(update=settings)})


def evaluated(storage: Storage, day: DayKeys, monitor: MonitorConfig) -> Performance:
    return evaluate_day(day_store(storage, day, monitor), HOLDOUT, reasons)


def write_day(storage: Storage, monitor: MonitorConfig, answered: int = 60, unclear: tuple[int, ...] = (5, 6)) -> None:
    """Truth is cat throughout; the model says dog on every fifth image of the sample, and on all images outside it."""
    rows = [
        {
            "assignment_id": f"p{worker}", "annotator_id": f"w{worker}", "image_id": SAMPLE[index],
            "answer": "unclear" if index in unclear else "dog" if index == 1 and worker == 0 else "cat", "control": False,
            "known_label": None, "status": "ACCEPTED", "submitted": "2026-01-05T10:00:00+00:00", "seconds": 30.0, "reward": 0.05,
        }
        for worker in range(2)
        for index in range(answered)
    ]  # fmt: skip
    ids = [*SAMPLE, *(f"x{index}" for index in range(100))]
    said = ["dog" if not image_id.startswith("i") or index % 5 == 0 else "cat" for index, image_id in enumerate(ids)]
    scores = [0.8] * len(ids)
    predictions = pd.DataFrame(
        {
            "image_id": ids, "prediction": said, "score.cat": [s if p == "cat" else 1 - s for s, p in zip(scores, said, strict=True)],
            "score.dog": [s if p == "dog" else 1 - s for s, p in zip(scores, said, strict=True)], "model_version": "v1",
        }
    )  # fmt: skip
    storage.write_table(DAY.predictions, predictions)
    columns = [
        "assignment_id",
        "annotator_id",
        "image_id",
        "answer",
        "control",
        "known_label",
        "status",
        "submitted",
        "seconds",
        "reward",
    ]
    storage.write_table(DAY.assignments, pd.DataFrame(rows, columns=columns))
    merge_day(day_store(storage, DAY, monitor), SAMPLE)


def write_small_day(
    storage: Storage, monitor: MonitorConfig, number: int, labels: int, wrong: int, version: str = "v1"
) -> DayKeys:
    """A day of 80 images, all cats, `labels` of them labelled by three people who are right; the model is wrong on `wrong` of those."""
    day = DayKeys("demo", date(2026, 1, number))
    ids = [f"d{number}-{index:03d}" for index in range(80)]
    said = ["dog" if index < wrong else "cat" for index in range(80)]
    table = {"image_id": ids, "prediction": said, "score.cat": [0.9 if s == "cat" else 0.1 for s in said]}
    table["score.dog"] = [1 - score for score in table["score.cat"]]
    storage.write_table(day.predictions, pd.DataFrame({**table, "model_version": version}))
    page = {"status": "ACCEPTED", "submitted": "2026-01-05T10:00:00+00:00", "seconds": 30.0, "reward": 0.05}
    rows = [
        {"assignment_id": f"p{worker}", "annotator_id": f"w{worker}", "image_id": name, "answer": "cat", "control": control,
         "known_label": "cat" if control else None, **page}
        for worker in range(3)
        for name, control in [*((name, False) for name in ids[:labels]), *((f"control{k}", True) for k in range(20))]
    ]  # fmt: skip
    storage.write_table(day.assignments, pd.DataFrame(rows))
    merge_day(day_store(storage, day, monitor), ids[:labels])
    return day
