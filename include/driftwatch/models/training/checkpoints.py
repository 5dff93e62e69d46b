"""Training's checkpoints, in storage: a killed task goes on from its last epoch on whichever machine it is tried again.

One checkpoint is what the trainer wants of its model to go on; Keras' is the model with its optimizer, three times the model's size.
Kept are the last one and the best one, and they go when the model is registered.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

if TYPE_CHECKING:
    from driftwatch.models.training.base import Epoch
    from driftwatch.storage import Storage

_NOTE = "progress.json"


class Checkpoint(NamedTuple):
    """What was saved after an epoch, and its address for errors."""

    data: bytes
    url: str


class Progress(NamedTuple):
    """Where a training stands: its epochs, and the checkpoints of the last one and the best one."""

    history: list[Epoch]
    last: Checkpoint
    best: Checkpoint


class Checkpoints:
    """The checkpoints of one training below `folder`, a storage key."""

    def __init__(self, storage: Storage, folder: str) -> None:
        self._storage, self._folder = storage, folder

    @property
    def url(self) -> str:
        return self._storage.url(self._folder)

    def save(self, task: dict[str, Any], model: bytes, history: list[Epoch], best: int) -> None:
        """Writes the model first, under the epoch's own name; then, in one step, the note that points to it and to that of the
        epoch `best`, which was saved before or is the last; then what no note points to is deleted. `task` is JSON that says
        of what this is the training."""
        last = self._name(len(history))
        self._storage.write_bytes(f"{self._folder}/{last}", model)
        note = {"task": task, "last": last, "best": self._name(best), "history": history}
        self._storage.write_json(f"{self._folder}/{_NOTE}", note)
        for item in self._storage.list(self._folder):
            if item.key.rsplit("/", 1)[-1] not in (last, note["best"], _NOTE):
                self._storage.delete(item.key)

    def restore(self, task: dict[str, Any]) -> Progress | None:
        """The last finished epoch of the same `task`, if there is one."""
        if not self._storage.exists(f"{self._folder}/{_NOTE}"):
            return None
        note = self._storage.read_json(f"{self._folder}/{_NOTE}")
        if note["task"] != task:
            return None
        last = self._read(note["last"])
        return Progress(note["history"], last, last if note["best"] == note["last"] else self._read(note["best"]))

    def clear(self) -> None:
        """Deletes them all, the note first."""
        self._storage.delete(f"{self._folder}/{_NOTE}")
        for item in self._storage.list(self._folder):
            self._storage.delete(item.key)

    def _read(self, name: str) -> Checkpoint:
        key = f"{self._folder}/{name}"
        return Checkpoint(self._storage.read_bytes(key), self._storage.url(key))

    @staticmethod
    def _name(epoch: int) -> str:
        return f"epoch-{epoch:04d}.keras"
