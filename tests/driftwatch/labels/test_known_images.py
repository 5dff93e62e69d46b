"""Control tasks: known from the holdout or from what all annotators of an earlier day agreed on, never from today."""

from __future__ import annotations

from datetime import date, datetime, timezone

import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import ExamConfig
from driftwatch.config.loader import load_monitor
from driftwatch.errors import DriftwatchError
from driftwatch.labels.known_images import control_tasks, plan_exam
from driftwatch.storage import Storage, open_storage

DAY = date(2026, 11, 20)
LINKS_END = datetime(2026, 11, 27, tzinfo=timezone.utc)


@pytest.fixture
def monitor(root):
    return load_monitor(root / "include/monitors/cats_vs_dogs.yaml")


@pytest.fixture
def storage(tmp_path, monitor):
    """A holdout of six images, and a day before on which two images had one answer throughout."""
    storage, layout = open_storage(f"file://{tmp_path}"), MonitorKeys(monitor.name)
    known = pd.DataFrame(
        {
            "image_id": [f"known{number}" for number in range(8)],
            "label": ["cat", "dog"] * 4,
            "split": ["train"] * 2 + ["evaluation"] * 6,
            "key": [f"t/{number}.jpg" for number in range(8)],
        }
    )
    storage.write_table(layout.training_set, known)
    labelled(storage, layout, date(2026, 11, 19))
    for number in range(8):
        storage.write_bytes(f"t/{number}.jpg", b"known")
    return storage


def labelled(storage: Storage, layout: MonitorKeys, day: date) -> None:
    rows = [
        ("all-cat", "cat", "consensus", 1.0, 3, 0, 0),
        ("all-dog", "dog", "consensus", 0.98, 0, 3, 0),
        # What Dawid-Skene is sure of is not yet what everybody said.
        ("two-of-three", "dog", "consensus", 1.0, 1, 2, 0),
        ("one-vote", "dog", "consensus", 1.0, 0, 1, 0),
        ("nobody-knows", None, "unclear", float("nan"), 0, 0, 3),
    ]
    columns = ["image_id", "label", "status", "confidence", "votes.cat", "votes.dog", "votes.unclear"]
    labels = pd.DataFrame(rows, columns=columns)
    labels["votes"] = labels[["votes.cat", "votes.dog", "votes.unclear"]].sum(axis=1)
    labels["image_id"] = f"{day}-" + labels["image_id"]
    manifest = pd.DataFrame({"key": "in/" + labels["image_id"], "image_id": labels["image_id"], "status": "accepted"})
    storage.write_table(layout.day(day).labels, labels)
    storage.write_table(layout.day(day).manifest, manifest)
    for key in manifest["key"]:
        storage.write_bytes(key, b"seen")


def chosen(storage, monitor, day=DAY, exclude=(), **annotation) -> list[dict[str, str]]:
    changed = monitor.model_copy(update={"labels": monitor.labels.model_copy(update=annotation)})
    return control_tasks(monitor_store(storage, MonitorKeys(monitor.name), changed).day(day), set(exclude).intersection)


def test_only_unanimous_labels_of_enough_annotators_and_the_holdout_are_known(storage, monitor):
    ids = {entry.image_id for entry in chosen(storage, monitor)}
    assert ids == {f"known{number}" for number in range(2, 8)} | {"2026-11-19-all-cat", "2026-11-19-all-dog"}


def test_labels_can_be_left_out(storage, monitor):
    ids = {entry.image_id for entry in chosen(storage, monitor, control_from_labels=False)}
    assert ids == {f"known{number}" for number in range(2, 8)}


@pytest.mark.parametrize("other", [date(2026, 11, 20), date(2026, 11, 21), date(2026, 10, 20)])
def test_labels_of_the_day_itself_of_later_days_and_of_long_ago_are_not_used(storage, monitor, other):
    labelled(storage, MonitorKeys(monitor.name), other)
    assert not [entry for entry in chosen(storage, monitor) if entry.image_id.startswith(str(other))]


def test_an_image_that_was_cleared_away_since_is_left_out(storage, monitor):
    storage.delete("in/2026-11-19-all-cat")
    assert "2026-11-19-all-cat" not in {entry.image_id for entry in chosen(storage, monitor)}


def test_what_is_asked_about_today_is_no_control_task(storage, monitor):
    ids = {entry.image_id for entry in chosen(storage, monitor, exclude={"known2", "2026-11-19-all-dog"})}
    assert not ids & {"known2", "2026-11-19-all-dog"}


def test_the_exam_is_the_same_every_day_and_refused_where_the_holdout_is_too_small(storage, monitor):
    layout = MonitorKeys(monitor.name)

    def planned(tasks: int):
        annotation = monitor.labels.model_copy(update={"exam": ExamConfig(tasks=tasks)})
        return plan_exam(monitor_store(storage, layout, monitor.model_copy(update={"labels": annotation})), LINKS_END)

    assert planned(4) == planned(4)
    assert sorted(entry.label for entry in planned(4).tasks) == ["cat", "cat", "dog", "dog"]
    assert plan_exam(monitor_store(storage, layout, monitor), LINKS_END) is None
    with pytest.raises(DriftwatchError, match=r"has 6 images .* exam of 10 \(labels\.exam\.tasks\)"):
        planned(10)


def test_half_are_of_known_truth_however_many_images_people_agreed_on(storage, monitor):
    """What people agreed on is easy, so it says nothing of how often labels are wrong."""
    for number in range(1, 12):
        labelled(storage, MonitorKeys(monitor.name), date(2026, 11, number))
    found = [entry.image_id for entry in chosen(storage, monitor, control_tasks=9)]
    assert (len(found), sum(name.startswith("known") for name in found)) == (9, 5)
