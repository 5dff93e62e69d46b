"""Which images show nearly the same: the frames of one burst, or a picture that was saved again, resized or recompressed.

The perceptual hash is Zauner's pHash (C. Zauner, Implementation and Benchmarking of Perceptual Image Hash Functions, 2010):
the signs of the 64 lowest frequencies of a 32 x 32 grey picture about their median. The 32 x 32 are averages over equal areas of the
picture, halved while both sides keep 128 pixels.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import combinations, pairwise

import numpy as np
import pandas as pd

from driftwatch.images.kernels import grey_kernels
from driftwatch.images.resize import Halvings

MAX_DISTANCE = 6
_AVERAGED = 4  # each of the 32 x 32 is an average of at least as many pixels a side
# Nanoseconds to sort a hash, for each doubling of their number, and to compare two; measured by `python -m bench.near_duplicates`.
_SORTED, _COMPARED = 4.5, 1.0
_MOST_STRETCHES = 4
HASHED_SIDE = 32 * _AVERAGED  # rows and columns of averages over equal squares that are enough


def perceptual_hash(picture: np.ndarray | Halvings) -> str:
    """The hash of one upright image, uint8 [height, width, 3], as 16 hex digits."""
    kernels = grey_kernels()
    halvings = picture if isinstance(picture, Halvings) else Halvings(picture)
    return f"{kernels.signs_of_frequencies(halvings.squashed(kernels.HASH_SIDE, kernels.HASH_SIDE, _AVERAGED)):016x}"


def distances(ours: Sequence[str], others: Sequence[str]) -> np.ndarray:
    """How many of the 64 bits differ, uint8 [ours, others]."""
    return np.bitwise_count(_numbers(ours)[:, None] ^ _numbers(others)[None, :])


def near_duplicate_clusters(hashes: Sequence[str], max_distance: int = MAX_DISTANCE) -> np.ndarray:
    """The cluster of each hash, numbered from 0 in the order of first appearance: int [n].

    Two hashes that differ in at most `max_distance` bits are in one cluster, and so is everything linked to them. Measured on 1,999
    photos of cats and dogs, different photos lie 12 bits apart or more, 32 in the median; copies re-saved at two thirds of the size 0 to 4.

    Not all pairs are compared, and none is missed. The 64 bits are cut into more stretches than two near hashes can differ in. So two near
    hashes have some stretches that are equal. For each choice of stretches the hashes are sorted by them, and equal ones are compared (Manku,
    Jain and Das Sarma, Detecting Near-Duplicates for Web Crawling, 2007, section 3).
    """
    from driftwatch.images.kernels.hamming import join_near

    different, place = np.unique(_numbers(hashes), return_inverse=True)
    forest = np.arange(len(different))
    for mask in _masks(max_distance, _stretches(len(different), max_distance)):
        join_near(different, np.argsort(different & mask), mask, max_distance, forest)
    while (forest[forest] != forest).any():
        forest = forest[forest]
    return pd.factorize(forest[place])[0]


def _masks(max_distance: int, agreeing: int) -> Iterator[np.uint64]:
    """The choices of `agreeing` stretches of bits, where the 64 are cut into `max_distance` more."""
    edges = np.linspace(0, 64, max_distance + agreeing + 1).astype(int).tolist()
    for chosen in combinations(pairwise(edges), agreeing):
        yield np.uint64(sum((1 << high) - (1 << low) for low, high in chosen))


def _stretches(n: int, max_distance: int) -> int:
    """On how many stretches two hashes have to agree. With more stretches there are more choices to sort by, and fewer hashes to compare in each."""
    return min(range(1, _MOST_STRETCHES + 1), key=lambda agreeing: cost(n, max_distance, agreeing))


def cost(n: int, max_distance: int, agreeing: int) -> float:
    """What the search takes for each of `n` different hashes that have nothing to do with each other, in ns."""
    alike = n / 2 ** (64 * agreeing / (max_distance + agreeing))
    return math.comb(max_distance + agreeing, agreeing) * (_SORTED * math.log2(n + 2) + _COMPARED * alike / 2)


def _numbers(hashes: Sequence[str]) -> np.ndarray:
    return np.array([int(value, 16) for value in hashes], np.uint64)
