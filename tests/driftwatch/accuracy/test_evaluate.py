"""One day's evaluation: the right images are scored, counts add up, and the same artifacts give the same bytes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from pathlib import Path

import pandas as pd
import pytest
from tests.stores import day_store, monitor_store

from driftwatch.accuracy.evaluate import evaluate_day
from driftwatch.accuracy.history import verdict_changed
from driftwatch.accuracy.later_days import outdated, outdated_after
from driftwatch.artifacts.keys import DayKeys, MonitorKeys
from driftwatch.config import MonitorConfig
from driftwatch.drift.whylogs_profiles import confusion_counts, read_profile
from driftwatch.errors import DriftwatchError
from driftwatch.labels.consensus import merge_day
from driftwatch.storage import Storage, open_storage

DAY = DayKeys("demo", date(2026, 1, 5))
HOLDOUT = {"accuracy": {"value": 0.9, "low": 0.88, "high": 0.92}, "n": 500}
SAMPLE = [f"i{index:03d}" for index in range(60)]


@pytest.fixture
def monitor(small_monitor: Callable[..., MonitorConfig], tmp_path: Path) -> MonitorConfig:
    return small_monitor(f"file://{tmp_path}")


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


def test_scores_the_labelled_sample_only_and_every_image_is_accounted_for(monitor: MonitorConfig) -> None:
    storage = open_storage(monitor.storage.uri)
    write_day(storage, monitor, answered=58)
    found = evaluate_day(day_store(storage, DAY, monitor), HOLDOUT)
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
    storage = open_storage(monitor.storage.uri)
    write_day(storage, monitor)
    found = evaluate_day(day_store(storage, DAY, monitor), HOLDOUT)
    counts = confusion_counts(read_profile(storage.read_bytes(DAY.performance_profile)))
    assert counts is not None
    assert counts["labels"] == ["cat", "dog"]
    assert counts["counts"] == found["confusion_matrix"]["rows"]


def test_evaluated_twice_gives_the_same_bytes(monitor: MonitorConfig) -> None:
    storage = open_storage(monitor.storage.uri)
    write_day(storage, monitor)
    written = []
    for _ in range(2):
        evaluate_day(day_store(storage, DAY, monitor), HOLDOUT)
        written.append((storage.read_bytes(DAY.performance), storage.read_bytes(DAY.performance_profile)))
    assert written[0] == written[1]


def test_day_without_labels_has_no_verdict_and_leaves_no_profile_of_an_earlier_run(monitor: MonitorConfig) -> None:
    storage = open_storage(monitor.storage.uri)
    write_day(storage, monitor)
    evaluate_day(day_store(storage, DAY, monitor), HOLDOUT)
    write_day(storage, monitor, answered=0)
    found = evaluate_day(day_store(storage, DAY, monitor), HOLDOUT)
    assert (found["verdict"], found["labels"], found["unanswered"]) == ("not_enough_evidence", 0, 60)
    assert found["accuracy"]["value"] is None
    assert not storage.exists(DAY.performance_profile)


def test_label_without_a_prediction_is_refused(monitor: MonitorConfig) -> None:
    storage = open_storage(monitor.storage.uri)
    write_day(storage, monitor)
    storage.write_table(DAY.predictions, storage.read_table(DAY.predictions).iloc[1:])
    with pytest.raises(DriftwatchError, match=r"1 labelled image.* the first is i000"):
        evaluate_day(day_store(storage, DAY, monitor), HOLDOUT)


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


def test_days_with_few_labels_are_judged_together_as_far_as_the_same_model_answered(monitor: MonitorConfig) -> None:
    storage = open_storage(monitor.storage.uri)
    found = {}
    for number, version in ((5, "v0"), (6, "v1"), (7, "v1"), (8, "v1"), (9, "v1")):
        day = write_small_day(storage, monitor, number, labels=12, wrong=6, version=version)
        found[number] = evaluate_day(day_store(storage, day, monitor), HOLDOUT)
    assert found[7]["verdict"] == "not_enough_evidence"
    assert found[7]["reasons"] == [
        "24 labels on the 2 days that may be judged together; a verdict needs 30 (performance.min_labels)."
    ]
    assert found[8]["pooled_days"] == ["2026-01-06", "2026-01-07", "2026-01-08"]
    assert (found[8]["verdict"], found[8]["judged"]["n"]) == ("alert", 36)
    assert "on 36 labels of 3 days" in found[8]["reasons"][0]
    assert found[9]["pooled_days"] == ["2026-01-07", "2026-01-08", "2026-01-09"]  # no more days than are needed
    alone = monitor.model_copy(update={"performance": monitor.performance.model_copy(update={"pool_days": 1})})
    assert (
        evaluate_day(day_store(storage, DayKeys("demo", date(2026, 1, 9)), alone), HOLDOUT)["verdict"]
        == "not_enough_evidence"
    )


def test_the_verdict_rests_on_the_days_up_to_it_and_a_backfill_repeats_it(monitor: MonitorConfig) -> None:
    storage = open_storage(monitor.storage.uri)
    days = [write_small_day(storage, monitor, number, labels=12, wrong=6) for number in range(5, 12)]
    for day in days:
        evaluate_day(day_store(storage, day, monitor), HOLDOUT)
    first = [storage.read_bytes(day.performance) for day in days]
    for day in days:
        evaluate_day(day_store(storage, day, monitor), HOLDOUT)
    assert [storage.read_bytes(day.performance) for day in days] == first


def test_late_labels_score_the_day_again_and_its_earlier_verdict_is_kept(monitor: MonitorConfig) -> None:
    storage = open_storage(monitor.storage.uri)
    day = write_small_day(storage, monitor, 5, labels=20, wrong=0)
    assert evaluate_day(day_store(storage, day, monitor), HOLDOUT)["revisions"] == []
    write_small_day(storage, monitor, 5, labels=60, wrong=0)
    late = evaluate_day(day_store(storage, day, monitor), HOLDOUT)
    assert late["verdict"] == "ok"
    assert late["revisions"] == [
        {"revision": 1, "verdict": "not_enough_evidence", "accuracy": 1.0, "labels": 20, "model_version": "v1"}
    ]
    assert evaluate_day(day_store(storage, day, monitor), HOLDOUT) == late
    write_small_day(storage, monitor, 5, labels=60, wrong=40)
    worse = evaluate_day(day_store(storage, day, monitor), HOLDOUT)
    assert [earlier["verdict"] for earlier in worse["revisions"]] == ["not_enough_evidence", "ok"]
    assert verdict_changed(worse)


def test_late_labels_name_the_later_days_that_rest_on_them_and_have_another_verdict_now(monitor: MonitorConfig) -> None:
    storage, layout = open_storage(monitor.storage.uri), MonitorKeys("demo")
    storage.write_json(layout.model_card("v1"), {"metrics": {"holdout": HOLDOUT}})
    days = [write_small_day(storage, monitor, number, labels=18, wrong=0) for number in (5, 6, 20)]
    verdicts = [evaluate_day(day_store(storage, day, monitor), HOLDOUT)["verdict"] for day in days]
    assert verdicts == ["not_enough_evidence", "ok", "not_enough_evidence"]
    assert outdated_after(monitor_store(storage, layout, monitor), days[0].day) == []
    write_small_day(storage, monitor, 5, labels=18, wrong=18)
    evaluate_day(day_store(storage, days[0], monitor), HOLDOUT)
    late = [{"day": "2026-01-06", "verdict": "ok", "now": "alert"}]  # the 20th is too far to be pooled with the 5th
    stored = [storage.read_json(day.performance) for day in days]
    assert (
        outdated(monitor_store(storage, layout, monitor), stored)
        == outdated_after(monitor_store(storage, layout, monitor), days[0].day)
        == late
    )
    assert outdated_after(monitor_store(storage, layout, monitor), days[1].day) == []
    assert evaluate_day(day_store(storage, days[1], monitor), HOLDOUT)["verdict"] == "alert"
    assert outdated_after(monitor_store(storage, layout, monitor), days[0].day) == []


def test_accuracy_is_corrected_by_control_tasks_and_measured_beside_it(monitor: MonitorConfig) -> None:
    storage = open_storage(monitor.storage.uri)
    day = write_small_day(storage, monitor, 5, labels=60, wrong=6)
    found = evaluate_day(day_store(storage, day, monitor), HOLDOUT)
    assert found["accuracy"]["value"] == pytest.approx(0.9)
    assert found["judged"]["kind"] == "corrected"
    assert found["label_error"]["value"] < 0.01  # 60 control answers, all right, and no disagreement
    assert abs(found["corrected"]["value"] - 0.9) < 0.02
    assert found["effective_labels"] == 60  # the model is as sure of its mistakes: its scores help nothing


def test_late_images_have_no_part_in_the_accuracy(monitor: MonitorConfig) -> None:
    """Neither could the sample be drawn from them, nor do their scores sharpen it."""
    storage = open_storage(monitor.storage.uri)
    write_day(storage, monitor)
    on_time = [*SAMPLE, *(f"x{index}" for index in range(70))]
    for key, ids in ((DAY.sampled_manifest, on_time), (DAY.manifest, [*on_time, *(f"x{i}" for i in range(70, 100))])):
        storage.write_table(key, pd.DataFrame({"image_id": ids, "status": "accepted"}))
    with_late = evaluate_day(day_store(storage, DAY, monitor), HOLDOUT)
    assert with_late["evidence"]["scores"]["rest_n"] == 70
    predictions = storage.read_table(DAY.predictions)
    storage.write_table(DAY.predictions, predictions[predictions["image_id"].isin(on_time)])
    without = evaluate_day(day_store(storage, DAY, monitor), HOLDOUT)
    assert {**with_late, "revisions": []} == {**without, "revisions": []}


def test_control_tasks_that_annotators_agreed_on_before_tell_nothing_of_label_errors(monitor: MonitorConfig) -> None:
    """They were chosen for being easy: only those of the training set count."""
    storage, layout = open_storage(monitor.storage.uri), MonitorKeys("demo")
    write_day(storage, monitor)
    assignments = storage.read_table(DAY.assignments)
    known = assignments.head(40).assign(
        image_id=[f"{'set' if number % 4 == 0 else 'agreed'}{number}" for number in range(40)], control=True, known_label="cat",
        answer=["dog" if number % 4 == 0 else "cat" for number in range(40)],
    )  # fmt: skip
    storage.write_table(DAY.assignments, pd.concat([assignments, known], ignore_index=True))
    storage.write_table(layout.training_set, pd.DataFrame({"image_id": [f"set{number}" for number in range(0, 40, 4)]}))
    votes = evaluate_day(day_store(storage, DAY, monitor), HOLDOUT)["evidence"]["votes"]
    assert (votes["control_right"], votes["control_wrong"]) == ([0, 0], [10, 0])
