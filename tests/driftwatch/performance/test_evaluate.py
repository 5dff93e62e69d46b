"""One day's evaluation: the right images are scored, counts add up, and the same artifacts give the same bytes."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pandas as pd
import pytest

from driftwatch.annotation.consensus import merge_day
from driftwatch.config import MonitorConfig
from driftwatch.errors import DriftwatchError
from driftwatch.layout import DayLayout
from driftwatch.performance.evaluate import evaluate_day
from driftwatch.profiling.whylogs_profiles import confusion_counts, read_profile
from driftwatch.storage import Storage

DAY = DayLayout("demo", date(2026, 1, 5))
HOLDOUT = {"accuracy": {"value": 0.9, "low": 0.88, "high": 0.92}, "n": 500}
SAMPLE = [f"i{index:03d}" for index in range(60)]


@pytest.fixture
def monitor(tmp_path: Path) -> MonitorConfig:
    return MonitorConfig.model_validate(
        {
            "name": "demo",
            "classes": ["cat", "dog"],
            "schedule": {"start_date": "2026-01-01"},
            "storage": {"uri": f"file://{tmp_path}"},
            "annotation": {"project_name": "p", "question": "q", "instructions": "i"},
        }
    )


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
    merge_day(storage, DAY, monitor, SAMPLE)


def test_scores_the_labelled_sample_only_and_every_image_is_accounted_for(monitor: MonitorConfig) -> None:
    storage = Storage(monitor.storage.uri)
    write_day(storage, monitor, answered=58)
    found = evaluate_day(storage, DAY, monitor, HOLDOUT)
    assert found["sampled"] == 60 == found["consensus"] + found["ties"] + found["unclear"] + found["unanswered"]
    assert (found["consensus"], found["ties"], found["unclear"], found["unanswered"]) == (55, 1, 2, 2)
    assert found["labels"] == 55
    # Wrong are 0, 10, 15, … 55; 5 is unclear.
    assert found["confusion_matrix"]["rows"] == [[44, 11], [0, 0]]
    assert found["accuracy"]["value"] == pytest.approx(44 / 55)
    assert found["classes"]["dog"]["recall"]["value"] is None
    assert found == storage.read_json(DAY.performance)
    assert found["agreement"]["unanimous"] == 1


def test_the_published_profile_holds_the_same_matrix_with_the_score_of_the_prediction(monitor: MonitorConfig) -> None:
    storage = Storage(monitor.storage.uri)
    write_day(storage, monitor)
    found = evaluate_day(storage, DAY, monitor, HOLDOUT)
    counts = confusion_counts(read_profile(storage.read_bytes(DAY.performance_profile)))
    assert counts is not None
    assert counts["labels"] == ["cat", "dog"]
    assert counts["counts"] == found["confusion_matrix"]["rows"]


def test_evaluated_twice_gives_the_same_bytes(monitor: MonitorConfig) -> None:
    storage = Storage(monitor.storage.uri)
    write_day(storage, monitor)
    written = []
    for _ in range(2):
        evaluate_day(storage, DAY, monitor, HOLDOUT)
        written.append((storage.read_bytes(DAY.performance), storage.read_bytes(DAY.performance_profile)))
    assert written[0] == written[1]


def test_day_without_labels_has_no_verdict_and_leaves_no_profile_of_an_earlier_run(monitor: MonitorConfig) -> None:
    storage = Storage(monitor.storage.uri)
    write_day(storage, monitor)
    evaluate_day(storage, DAY, monitor, HOLDOUT)
    write_day(storage, monitor, answered=0)
    found = evaluate_day(storage, DAY, monitor, HOLDOUT)
    assert (found["verdict"], found["labels"], found["unanswered"]) == ("not_enough_evidence", 0, 60)
    assert found["accuracy"]["value"] is None
    assert not storage.exists(DAY.performance_profile)


def test_label_without_a_prediction_is_refused(monitor: MonitorConfig) -> None:
    storage = Storage(monitor.storage.uri)
    write_day(storage, monitor)
    storage.write_table(DAY.predictions, storage.read_table(DAY.predictions).iloc[1:])
    with pytest.raises(DriftwatchError, match=r"1 labelled image.* the first is i000"):
        evaluate_day(storage, DAY, monitor, HOLDOUT)
