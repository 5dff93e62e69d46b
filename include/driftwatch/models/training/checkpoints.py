"""The checkpoints of a training, in storage. If a task is killed, it can go on from its last epoch, on any machine.

A checkpoint holds what the trainer needs to go on. For Keras this is the model with its optimizer, three times the size of the model.
The last checkpoint and the best one are kept. They are deleted when the model is registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from driftwatch.artifacts import base
from driftwatch.artifacts.models import TrainingCheckpoint, TrainingTask
from driftwatch.artifacts.nested_keys import CheckpointKeys, file_name

if TYPE_CHECKING:
    from driftwatch.artifacts.models import TimedEpochRow
    from driftwatch.storage import Storage


class Checkpoint(NamedTuple):
    """What was saved after an epoch, and where it lies, for errors."""

    data: bytes
    url: str


class Progress(NamedTuple):
    """Where a training stands: its epochs, and the checkpoints of the last one and the best one."""

    history: tuple[TimedEpochRow, ...]
    last: Checkpoint
    best: Checkpoint


class Checkpoints:
    """The checkpoints of one training below `folder`, a storage key."""

    def __init__(self, storage: Storage, folder: str) -> None:
        self._storage, self._keys = storage, CheckpointKeys(folder)

    @property
    def url(self) -> str:
        return self._storage.url(self._keys.folder)

    def save(self, task: TrainingTask, model: bytes, history: tuple[TimedEpochRow, ...], best: int) -> None:
        """Writes the model first, under the epoch's own name. Then it writes, in one step, the note that points to this model and to that
        of the epoch `best`, which is this one or was saved before. Then it deletes what the note does not point to. `task` says
        what is trained."""
        last, of_best = self._keys.epoch(len(history)), self._keys.epoch(best)
        self._storage.write_bytes(self._keys.file(last), model)
        note = TrainingCheckpoint(task=task, last=last, best=of_best, history=history)
        base.write(self._storage, self._keys.note, note)
        kept = (last, of_best, file_name(self._keys.note))
        for item in self._storage.list(self._keys.folder):
            if file_name(item.key) not in kept:
                self._storage.delete(item.key)

    def restore(self, task: TrainingTask) -> Progress | None:
        """The last finished epoch of the same `task`, if there is one."""
        note = base.find(self._storage, self._keys.note, TrainingCheckpoint)
        if note is None or note.task != task:
            return None
        last = self._read(note.last)
        return Progress(note.history, last, last if note.best == note.last else self._read(note.best))

    def clear(self) -> None:
        """Deletes them all, the note first."""
        self._storage.delete(self._keys.note)
        for item in self._storage.list(self._keys.folder):
            self._storage.delete(item.key)

    def _read(self, name: str) -> Checkpoint:
        key = self._keys.file(name)
        return Checkpoint(self._storage.read_bytes(key), self._storage.url(key))
