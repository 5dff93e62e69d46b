"""The model behind the stand-ins."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import numpy as np

# Scores [n, columns] of a tensor [n, …], by a version.
Scores = Callable[[np.ndarray, str], np.ndarray]
KINDS = {"FP32": np.float32, "FP16": np.float16, "FP64": np.float64, "UINT8": np.uint8, "INT64": np.int64}


@dataclass
class ServedModel:
    """`shape`: of the input, -1 for any number. `outputs`: the datatype of each output by its name; the scores are in the first.
    `versions`: those that are loaded; the last one is served to whoever names none. `binary`: whether the server says that it takes bytes.
    `most_at_once`: how many requests were answered at the same time, at most."""

    name: str
    shape: tuple[int, ...]
    scores: Scores
    datatype: str = "FP32"
    outputs: dict[str, str] = field(default_factory=lambda: {"scores": "FP32"})
    versions: list[str] = field(default_factory=lambda: ["1"])
    binary: bool = False
    loading: bool = False
    requests: list[int] = field(default_factory=list)
    most_at_once: int = 0
    _now: int = 0
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def version(self, wanted: str | None) -> str | None:
        """The version that answers; None where it is not loaded."""
        return wanted if wanted in self.versions else None if wanted else self.versions[-1]

    def answered(self, tensor: np.ndarray, version: str) -> dict[str, np.ndarray]:
        """Each output; those beside the scores are zeros."""
        with self._counted(len(tensor)):
            found = np.asarray(self.scores(tensor, version))
        first, *others = self.outputs
        return {first: found, **{name: np.zeros(len(tensor), KINDS[self.outputs[name]]) for name in others}}

    @contextmanager
    def _counted(self, images: int) -> Iterator[None]:
        with self._lock:
            self.requests.append(images)
            self._now += 1
            self.most_at_once = max(self.most_at_once, self._now)
        try:
            yield
        finally:
            with self._lock:
                self._now -= 1
