"""The strata of a day whose answers pass by instead of being held (`driftwatch.labels.strata` has those of a smaller day).

One look at the answers adds up what an image's size rests on. A second look counts images by class and size. Sizes that differ by less than
a 4,000th (with more than 64 classes: by the number of classes / 260,000) count as one. So images of one class and one such size are never cut
apart. Otherwise the strata are those of all images at once.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

import numpy as np

from driftwatch.labels.strata import Sums, allocate, as_sure, bands_of, group_classes, name_of, parts_in_order

# Sizes from and to; beyond them lie few images or none.
_LEAST, _MOST = 0.01, 1e5
_CELLS, _ALL_CELLS = 65_536, 4_194_304  # of a class at most, and of all together

# Answers of the next images: the place of each in the classes [n], and scores [n, classes], None where not all images of the day have some.
Answers = tuple[np.ndarray, np.ndarray | None]


@dataclass(frozen=True)
class PassingStrata:
    """`names`; `images`, `asked` [strata]: as of `Strata`. `_of_cell` [classes, cells]: the stratum of each class and size."""

    names: tuple[str, ...]
    images: np.ndarray
    asked: np.ndarray
    _sums: Sums
    _of_cell: np.ndarray

    def of(self, answers: np.ndarray, scores: np.ndarray | None) -> np.ndarray:
        """The stratum of each of some images of the day, [n], by its place in `names`."""
        size = _size_of(self._sums, answers, scores)
        found: np.ndarray = self._of_cell[answers, _cells(size, self._of_cell.shape[1])]
        return found


def stratify_passing(look: Callable[[], Iterator[Answers]], classes: Sequence[str], wanted: int) -> PassingStrata:
    """As `strata.stratify`. `look` gives the answers to all images, each time."""
    sums = _summed(look(), len(classes))
    images, sizes = _counted(look(), sums, len(classes))
    groups = group_classes(images.sum(axis=1), sizes.sum(axis=1), wanted)
    bands = bands_of(groups, wanted)
    of_cell = np.zeros(images.shape, dtype="int32")
    names: list[str] = []
    for group in range(groups.max() + 1):
        ours = groups == group
        there = np.flatnonzero(images[ours].sum(axis=0))
        if not len(there):
            continue
        band = parts_in_order(sizes[ours].sum(axis=0)[there], bands)
        kept, band = np.unique(band, return_inverse=True)
        # A size that no image has goes with the one before it.
        before = np.searchsorted(there, np.arange(images.shape[1]), side="right") - 1
        of_cell[ours] = len(names) + band[np.maximum(before, 0)]
        names += [name_of(group, place, len(kept), groups, classes) for place in range(len(kept))]
    of_stratum, size_of = np.zeros(len(names), dtype="int64"), np.zeros(len(names))
    full = images.nonzero()
    np.add.at(of_stratum, of_cell[full], images[full])
    np.add.at(size_of, of_cell[full], sizes[full])
    return PassingStrata(tuple(names), of_stratum, allocate(of_stratum, size_of, wanted), sums, of_cell)


def _summed(look: Iterator[Answers], classes: int) -> Sums:
    found = Sums(0, np.zeros(classes), np.zeros(classes), 0.0)
    for answers, scores in look:
        found += Sums.of(answers, as_sure(answers, classes) if scores is None else scores)
    return found


def _counted(look: Iterator[Answers], sums: Sums, classes: int) -> tuple[np.ndarray, np.ndarray]:
    """How many images there are of each class and size, and their sizes added up, both [classes, cells]."""
    cells = min(_CELLS, _ALL_CELLS // classes)
    images, sizes = np.zeros((classes, cells), dtype="int64"), np.zeros((classes, cells))
    for answers, scores in look:
        size = _size_of(sums, answers, scores)
        place = answers, _cells(size, cells)
        np.add.at(images, place, 1)
        np.add.at(sizes, place, size)
    return images, sizes


def _size_of(sums: Sums, answers: np.ndarray, scores: np.ndarray | None) -> np.ndarray:
    return sums.sizes(answers, as_sure(answers, len(sums.scores)) if scores is None else scores)


def _cells(size: np.ndarray, cells: int) -> np.ndarray:
    place = np.log(size / _LEAST) / np.log(_MOST / _LEAST) * cells
    return np.clip(place, 0, cells - 1).astype("int64")
