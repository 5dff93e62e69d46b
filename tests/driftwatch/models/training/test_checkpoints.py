"""What of a training is kept in storage, and what goes."""

from __future__ import annotations

import pytest

from driftwatch.artifacts.models import TimedEpochRow, TrainingTask
from driftwatch.models.training.base import Recipe
from driftwatch.models.training.checkpoints import Checkpoints
from driftwatch.storage import Storage, open_storage

TASK = TrainingTask(recipe=Recipe(epochs=4).noted, data="a digest")


def epoch(number: int) -> TimedEpochRow:
    return TimedEpochRow(epoch=number, loss=1 / number, accuracy=0.5, seconds=1.25)


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def names(storage: Storage) -> list[str]:
    return sorted(item.key for item in storage.list("c"))


def test_the_last_and_the_best_are_kept_and_come_back(storage) -> None:
    kept, history = Checkpoints(storage, "c"), []
    for number, best in ((1, 1), (2, 2), (3, 2), (4, 2)):
        history.append(epoch(number))
        kept.save(TASK, b"model %d" % number, tuple(history), best)
    assert names(storage) == ["c/epoch-0002.keras", "c/epoch-0004.keras", "c/progress.json"]
    found = kept.restore(TASK)
    assert found is not None
    assert ([*found.history], found.last.data, found.best.data) == (history, b"model 4", b"model 2")
    assert found.best.url == storage.url("c/epoch-0002.keras")


def test_another_task_has_none(storage) -> None:
    kept = Checkpoints(storage, "c")
    assert kept.restore(TASK) is None
    kept.save(TASK, b"model", (epoch(1),), 1)
    assert kept.restore(TASK.model_copy(update={"data": "another"})) is None


def test_clearing_takes_the_note_first_and_leaves_nothing(storage, monkeypatch) -> None:
    kept = Checkpoints(storage, "c")
    kept.save(TASK, b"model", (epoch(1),), 1)
    deleted: list[str] = []
    delete = Storage.delete
    monkeypatch.setattr(Storage, "delete", lambda self, key: (deleted.append(key), delete(self, key)))
    kept.clear()
    assert deleted[0] == "c/progress.json"
    assert names(storage) == []
