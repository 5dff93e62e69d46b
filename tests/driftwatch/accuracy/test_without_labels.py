"""The estimate from scores: the mean of calibrated scores, moved by what the holdout shows, and a warning where answers moved."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.artifacts.checks import read_whole

from driftwatch.accuracy.without_labels import estimate, estimate_day, predictions_moved
from driftwatch.artifacts.accuracy import ConfusionMatrix, Estimate
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.models.metrics import share
from driftwatch.storage import Storage

HOLDOUT = share(360, 400, 0.95)
HELD = samples.CARD["metrics"]["holdout"] | {
    "n": 400, "mean_score": 0.83, "accuracy": HOLDOUT.model_dump(exclude_unset=True),
    "confusion_matrix": {"labels": ["cat", "dog"], "rows": [[180, 20], [20, 180]]},
}  # fmt: skip
MATRIX = ConfusionMatrix(labels=("cat", "dog"), rows=((180, 20), (20, 180)))


def test_what_the_scores_overstate_on_the_holdout_is_taken_off() -> None:
    assert estimate(np.full(300, 0.93), HOLDOUT, 0.93, 0.95).value == pytest.approx(0.9)
    assert estimate(np.full(300, 0.83), HOLDOUT, 0.93, 0.95).value == pytest.approx(0.8)
    assert estimate(np.full(300, 0.83), HOLDOUT, None, 0.95).value == 0.83


@pytest.mark.parametrize("overstated", [0, 0.15])
def test_interval_covers_the_days_accuracy_while_scores_keep_their_meaning(overstated: float) -> None:
    rng = np.random.default_rng(0)
    inside = []
    for _ in range(1000):
        held, day = rng.beta(8, 1, 400), rng.beta(6, 1, 300)
        right = rng.random(400) < held - overstated
        found = estimate(day, share(int(right.sum()), 400, 0.95), float(held.mean()), 0.95)
        inside.append(found.low <= (rng.random(300) < day - overstated).mean() <= found.high)
    assert 0.93 < np.mean(inside) < 0.97


def test_nothing_to_estimate_from_is_null_with_a_reason() -> None:
    assert estimate(np.zeros(0), HOLDOUT, 0.93, 0.95).reason == "the day has no image"
    blind = estimate(np.full(10, 0.9), share(0, 0, 0.95), None, 0.95)
    assert (blind.numbers, blind.n) == (None, 10)
    assert "names no holdout" in blind.reason


def test_a_model_that_answers_one_class_only_is_told() -> None:
    found = predictions_moved(["cat"] * 90 + ["dog"] * 10, MATRIX)
    assert found is not None
    assert found.moved
    assert found.day == {"cat": 0.9, "dog": 0.1}
    usual = predictions_moved(["cat"] * 52 + ["dog"] * 48, MATRIX)
    assert usual is not None
    assert not usual.moved
    assert predictions_moved([], MATRIX) is None
    assert predictions_moved(["cat"], ConfusionMatrix(labels=("cat", "dog"), rows=((0, 0), (0, 0)))) is None


def write_day(store: MonitorStore, holdout: dict, images: int) -> DayStore:
    day = store.day(date(2026, 1, 5))
    said = ["cat", "dog"] * (images // 2)
    scores = {f"score.{name}": [0.8 if answer == name else 0.2 for answer in said] for name in ("cat", "dog")}
    ids = [str(number) for number in range(images)]
    table = pd.DataFrame({"image_id": ids, "prediction": said, **scores, "model_version": "v1"})
    day.storage.write_table(day.keys.predictions, table)
    day.storage.write_json(day.keys.ingest, samples.INGEST | {"model_version": "v1"})
    card = samples.CARD | {
        "version": "v1",
        "classes": ["cat", "dog"],
        "input_size": 96,
        "metrics": {"holdout": holdout},
    }
    day.storage.write_json(store.keys.model_card("v1"), card)
    return day


@pytest.mark.parametrize("images", [0, 40])
@pytest.mark.parametrize("held_out", [0, 400])
def test_a_days_estimate_is_written_with_and_without_images_and_holdout(
    storage: Storage, monitor: MonitorConfig, images: int, held_out: int
) -> None:
    rows = [[180, 20], [20, 180]] if held_out else [[0, 0], [0, 0]]
    accuracy = share(360 if held_out else 0, held_out, 0.95).model_dump(exclude_unset=True)
    found = {"n": held_out, "mean_score": 0.83 if held_out else None, "accuracy": accuracy}
    matrix = {"labels": ["cat", "dog"], "rows": rows}
    day = write_day(
        MonitorStore(storage, monitor),
        samples.CARD["metrics"]["holdout"] | found | {"confusion_matrix": matrix},
        images,
    )
    estimated = estimate_day(day)
    assert read_whole(storage, day.keys.estimate, Estimate) == estimated
    both = bool(images and held_out)
    assert (estimated.accuracy.value is not None, estimated.answers is not None) == (both, both)
    assert estimated.mean_score == (0.8 if images else None)
    if both:
        assert estimated.accuracy.value == pytest.approx(0.87)


def test_the_estimate_is_the_serving_versions_and_each_has_its_own(storage: Storage, monitor: MonitorConfig) -> None:
    day = write_day(MonitorStore(storage, monitor), HELD, 40)
    table = storage.read_table(day.keys.predictions).assign(model_version=["8"] * 10 + ["7"] * 30)
    table.loc[:9, ["score.cat", "score.dog"]] = [0.95, 0.05]
    table.loc[:9, "prediction"] = "cat"
    storage.write_table(day.keys.predictions, table)
    estimate_day(day)
    found = read_whole(storage, day.keys.estimate, Estimate)
    assert (found.model_version, found.serving_version) == ("v1", "7")
    assert [(row.version, row.accuracy.n, row.mean_score) for row in found.versions] == [
        ("7", 30, 0.8),
        ("8", 10, 0.95),
    ]
    assert (found.accuracy, found.mean_score) == (found.versions[0].accuracy, 0.8)
    assert found.accuracy.value == pytest.approx(0.87)
    assert found.answers.day == {"cat": 0.5, "dog": 0.5}  # without those of the other version


def test_one_version_of_production_is_named(storage: Storage, monitor: MonitorConfig) -> None:
    day = write_day(MonitorStore(storage, monitor), HELD, 40)
    estimate_day(day)
    assert {"serving_version", "versions"}.isdisjoint(storage.read_json(day.keys.estimate))
    table = storage.read_table(day.keys.predictions).assign(model_version="7")
    storage.write_table(day.keys.predictions, table)
    found = estimate_day(day)
    assert (found.serving_version, found.versions) == ("7", ())


def test_without_scores_there_is_no_estimate_and_the_predictions_are_still_compared(
    storage: Storage, monitor: MonitorConfig
) -> None:
    day = write_day(MonitorStore(storage, monitor), HELD, 40)
    table = storage.read_table(day.keys.predictions).drop(columns=["score.cat", "score.dog"])
    storage.write_table(day.keys.predictions, table)
    found = estimate_day(day)
    assert (found.accuracy.value, found.accuracy.n, found.mean_score) == (None, 40, None)
    assert found.accuracy.reason == "production gave no scores"
    assert found.answers is not None
