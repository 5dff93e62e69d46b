"""The rows with the smallest keys of each group, of rows that pass by."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pyarrow as pa

_ROOM = 65_536


class Smallest:
    """Keeps the rows with the smallest keys of each group, as many as `most` [groups] says; equal keys go by the id. At most about three times as
    many rows are held at once.

    `end`: a key that is at least as large as any; its type is that of the keys.
    """

    def __init__(self, most: np.ndarray, end: np.generic) -> None:
        self._most = most
        self._limit = np.full(len(most), end)
        self._parts: list[tuple[np.ndarray, np.ndarray, np.ndarray]] = []
        self._rows = 0
        self._room = 2 * int(most.sum()) + _ROOM

    def add(self, group: np.ndarray, key: np.ndarray, ids: pa.ChunkedArray) -> None:
        """The next rows: the group of each by its place, its key and its id."""
        kept = (key <= self._limit[group]) & (self._most[group] > 0)
        self._parts.append((group[kept], key[kept], np.array(ids.filter(pa.array(kept)).to_pylist(), dtype=str)))
        self._rows += int(kept.sum())
        if self._rows > self._room:
            self._cut()

    def _cut(self) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        group, key, ids = (np.concatenate(part) for part in zip(*self._parts, strict=True))
        order = np.lexsort((ids, key, group))
        group, key, ids = group[order], key[order], ids[order]
        rank = np.arange(len(group)) - np.searchsorted(group, group)
        full = rank == self._most[group] - 1
        self._limit[group[full]] = key[full]
        kept = rank < self._most[group]
        found = group[kept], key[kept], ids[kept]
        self._parts, self._rows = [found], int(kept.sum())
        return found

    def ids(self) -> list[list[str]]:
        """The ids of each group, by their keys."""
        if not self._parts:
            return [[] for _ in self._most]
        group, _, ids = self._cut()
        ends = np.searchsorted(group, np.arange(len(self._most) + 1))
        return [ids[start:stop].tolist() for start, stop in pairwise(ends)]
