"""Training's checkpoints, in storage: a killed task goes on from its last epoch on whichever machine it is tried again.

One checkpoint is what the trainer wants of its model to go on; Keras' is the model with its optimizer, three times the model's size.
Kept are the last one and the best one, and they go when the model is registered.
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
    """What was saved after an epoch, and its address for errors."""

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
        """Writes the model first, under the epoch's own name; then, in one step, the note that points to it and to that of the
        epoch `best`, which was saved before or is the last; then what no note points to is deleted. `task` says of what
        this is the training."""
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
