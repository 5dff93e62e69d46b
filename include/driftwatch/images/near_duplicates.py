"""Which images show nearly the same: frames of one burst, the same picture saved again, resized or recompressed.

The perceptual hash is Zauner's pHash (C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010):
the signs of the 64 lowest frequencies of a 32 x 32 grey picture about their median.
"""

from __future__ import annotations

from collections.abc import Sequence

import cv2
import numpy as np
from scipy.sparse import coo_array
from scipy.sparse.csgraph import connected_components

MAX_DISTANCE = 6
_SIDE, _KEPT = 32, 8
_ROWS_AT_ONCE = 512


def perceptual_hash(rgb: np.ndarray) -> str:
    """The hash of one upright image, uint8 [height, width, 3], as 16 hex digits."""
    # Bilinear first: averaging a whole photo costs four times as much, and the lowest frequencies hardly see the difference.
    grey = cv2.cvtColor(cv2.resize(rgb, (4 * _SIDE, 4 * _SIDE)), cv2.COLOR_RGB2GRAY)
    small = cv2.resize(grey, (_SIDE, _SIDE), interpolation=cv2.INTER_AREA).astype(np.float32)
    frequencies = np.asarray(cv2.dct(small)[:_KEPT, :_KEPT], np.float32)
    middle = np.sort(frequencies, axis=None)[_KEPT * _KEPT // 2 - 1 :][:2]  # np.median takes ten times as long
    return np.packbits(frequencies > middle.mean()).tobytes().hex()


def distances(ours: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """How many of the 64 bits differ, uint8 [ours, others]."""
    return np.bitwise_count(_numbers(ours)[:, None] ^ _numbers(others)[None, :])


def near_duplicate_clusters(hashes: Sequence[str], max_distance: int = MAX_DISTANCE) -> np.ndarray:
    """The cluster of each hash, numbered from 0 in the order of first appearance: int [n].

    Two hashes that differ in at most `max_distance` bits are in one cluster, and so is everything linked to them. Compares all
    pairs: a minute for 100,000 images (docs/scaling.md). Measured on 1,999 photos of cats and dogs, different photos lie 12 bits apart or more, 32 in the median
    copies re-saved at two thirds of the size 0 to 4.
    """
    numbers = _numbers(hashes)
    links: list[np.ndarray] = [np.empty((2, 0), int)]
    for start in range(0, len(numbers), _ROWS_AT_ONCE):
        near = np.bitwise_count(numbers[start : start + _ROWS_AT_ONCE, None] ^ numbers[None, :]) <= max_distance
        row, column = np.nonzero(near)
        links.append(np.stack([row + start, column]))
    row, column = np.concatenate(links, axis=1)
    graph = coo_array((np.ones(len(row), bool), (row, column)), shape=(len(numbers), len(numbers)))
    return connected_components(graph, directed=False)[1]


def _numbers(hashes: Sequence[str]) -> np.ndarray:
    return np.array([int(value, 16) for value in hashes], np.uint64)
