"""Training's checkpoints, in storage: a killed task goes on from its last epoch on whichever machine it is tried again.

One checkpoint is the model with its optimizer (three times the model's size). Kept are the last one and the best one, and they go
when the model is registered.
"""

from __future__ import annotations

import tempfile
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple

import keras

from driftwatch.artifacts.nested_keys import CheckpointKeys
from driftwatch.models.archive import DamagedModel

if TYPE_CHECKING:
    from driftwatch.storage import Storage


class Progress(NamedTuple):
    """Where a training stands: the model with its optimizer after the last epoch, a row for each epoch, and the weights of the
    best one."""

    model: keras.Model
    history: list[dict[str, Any]]
    best: list[Any]


class Checkpoints:
    """The checkpoints of one training below `folder`, a storage key."""

    def __init__(self, storage: Storage, folder: str) -> None:
        self._storage, self._keys = storage, CheckpointKeys(folder)

    def save(self, task: dict[str, Any], model: keras.Model, history: list[dict[str, Any]], best: int) -> None:
        """Writes the model first, under the epoch's own name; then, in one step, the note that points to it and to that of the
        epoch `best`, which was saved before or is the last; then what no note points to is deleted."""
        last = self._keys.epoch(len(history))
        with tempfile.TemporaryDirectory(prefix="driftwatch-checkpoint-") as folder:
            path = Path(folder) / "model.keras"
            model.save(path)
            self._storage.write_bytes(self._keys.file(last), path.read_bytes())
        note = {"task": task, "last": last, "best": self._keys.epoch(best), "history": history}
        self._storage.write_json(self._keys.note, note)
        kept = {self._keys.note, self._keys.file(last), self._keys.file(self._keys.epoch(best))}
        for item in self._storage.list(self._keys.folder):
            if item.key not in kept:
                self._storage.delete(item.key)

    def restore(self, task: dict[str, Any]) -> Progress | None:
        """The last finished epoch of the same recipe on the same data, if there is one."""
        if not self._storage.exists(self._keys.note):
            return None
        note = self._storage.read_json(self._keys.note)
        if note["task"] != task:
            return None
        model = self._load(note["last"])
        best = model if note["best"] == note["last"] else self._load(note["best"])
        return Progress(model, note["history"], best.get_weights())

    def clear(self) -> None:
        """Deletes them all, the note first."""
        self._storage.delete(self._keys.note)
        for item in self._storage.list(self._keys.folder):
            self._storage.delete(item.key)

    def _load(self, name: str) -> keras.Model:
        key = self._keys.file(name)
        with tempfile.TemporaryDirectory(prefix="driftwatch-checkpoint-") as folder:
            path = Path(folder) / "model.keras"
            path.write_bytes(self._storage.read_bytes(key))
            try:
                return keras.models.load_model(path, safe_mode=True)
            except Exception as error:  # Keras raises what its layers and zip raise
                raise DamagedModel(
                    f"{self._storage.url(key)} is no whole checkpoint: {error}. Delete {self._storage.url(self._keys.folder)}: the training "
                    "starts anew"
                ) from error
