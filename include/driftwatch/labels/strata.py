"""Strata for a sample that serves the accuracy and each class's recall: by predicted class, and by how unsure the model is.

If labels were told by the scores, an image of which the model says q would add q_own (1 - q_own) to the variance of the accuracy, and
q_c (right_c - R_c)^2 / T_c^2 to that of the recall R_c of a class of T_c images. An image's *size* is the root of a mixture of both, and of a
constant part that bounds how rarely a sure image is asked about. Images of like size make a stratum, and the labels go to the strata by
their images times their size (Neyman, 1934; Cochran, Sampling Techniques, 1977, chapter 5). Scores that are wrong cost width, and never
make an estimate biased: the chances are known whatever they rest on.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

# Parts of the mixture: the same for all images, by the accuracy, and by the recalls.
_SAME, _OF_ACCURACY, _OF_RECALL = 0.2, 0.4, 0.4
# Classes of fewer images than this are taken to have so many: nobody can measure a class of one image.
_LEAST_OF_CLASS = 5.0
# A stratum has so many labels at least, as far as it has images, and so many on average.
_LEAST_ASKED, _MEAN_ASKED = 2, 5
_MOST_BANDS = 4
# What an answer without a score is taken to be worth.
_SURE = 0.9


@dataclass(frozen=True)
class Strata:
    """`names`: of the strata; `of_image` [n]: each image's, by its place in `names`; `images`, `asked` [strata]: how many are in each, and how
    many of those are to be asked about."""

    names: tuple[str, ...]
    of_image: np.ndarray
    images: np.ndarray
    asked: np.ndarray


def stratify(answers: np.ndarray, scores: np.ndarray | None, classes: Sequence[str], wanted: int) -> Strata:
    """Strata of a day's images and how many of `wanted` images to take from each.

    `answers` [n]: the predicted class of each image, by its place in `classes`; `scores` [n, classes], None where there are none.
    The same arguments give the same strata. Images with equal sizes are in one stratum or in neighbouring ones by their order.
    """
    size = sizes(answers, scores, len(classes))
    groups = group_classes(
        np.bincount(answers, minlength=len(classes)), np.bincount(answers, size, len(classes)), wanted
    )
    bands = bands_of(groups, wanted)
    cells = np.zeros(len(answers), dtype="int64")
    for group in range(groups.max() + 1):
        rows = np.flatnonzero(groups[answers] == group)
        cells[rows] = group * bands + _equal_parts(size[rows], bands)
    kept, of_image = np.unique(cells, return_inverse=True)
    names = tuple(name_of(*divmod(int(cell), bands), bands, groups, classes) for cell in kept)
    images = np.bincount(of_image, minlength=len(kept))
    return Strata(names, of_image, images, allocate(images, np.bincount(of_image, size, len(kept)), wanted))


def sizes(answers: np.ndarray, scores: np.ndarray | None, classes: int) -> np.ndarray:
    """How much each image may add to the standard deviation of the estimates, [n], in a unit of their own."""
    if scores is None:
        scores = as_sure(answers, classes)
    accuracy, recalls = Sums.of(answers, scores).parts(answers, scores)
    return _mixed(accuracy, accuracy.mean(), recalls, recalls.mean())


def as_sure(answers: np.ndarray, classes: int) -> np.ndarray:
    """What stands in for the scores of answers that have none, [n, classes]."""
    scores = np.full((len(answers), classes), (1 - _SURE) / max(classes - 1, 1))
    scores[np.arange(len(answers)), answers] = _SURE
    return scores


def _mixed(accuracy: np.ndarray, mean: float, recalls: np.ndarray, mean_recall: float) -> np.ndarray:
    size: np.ndarray = np.sqrt(_SAME + _OF_ACCURACY * accuracy / mean + _OF_RECALL * recalls / max(mean_recall, 1e-12))
    return size


@dataclass(frozen=True)
class Sums:
    """What the size of each image rests on, over all images of a day: those of its parts are added.

    `scores` [classes]: the scores of each class; `hits` [classes]: those of the images that are answered as the class; `doubt`: what the images
    add to the accuracy's variance.
    """

    images: int
    scores: np.ndarray
    hits: np.ndarray
    doubt: float

    @classmethod
    def of(cls, answers: np.ndarray, scores: np.ndarray) -> Sums:
        own = scores[np.arange(len(answers)), answers]
        return cls(len(own), scores.sum(axis=0), np.bincount(answers, own, scores.shape[1]), float(_doubt(own).sum()))

    def __add__(self, other: Sums) -> Sums:
        return Sums(
            self.images + other.images, self.scores + other.scores, self.hits + other.hits, self.doubt + other.doubt
        )

    def parts(self, answers: np.ndarray, scores: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """What each image adds to the variance of the accuracy, and to those of the recalls, [n] and [n]."""
        own = scores[np.arange(len(answers)), answers]
        of_any, of_own = self._of_recall()
        return _doubt(own), scores @ of_any + own * of_own[answers]

    def sizes(self, answers: np.ndarray, scores: np.ndarray) -> np.ndarray:
        """As `sizes`, of a part of the day's images."""
        accuracy, recalls = self.parts(answers, scores)
        of_any, of_own = self._of_recall()
        mean = float(self.scores @ of_any + self.hits @ of_own) / self.images
        return _mixed(accuracy, self.doubt / self.images, recalls, mean)

    def _of_recall(self) -> tuple[np.ndarray, np.ndarray]:
        """What a score adds to the variance of its class's recall, [classes]; and what it adds beside where the class is the answer."""
        of_class = np.maximum(self.scores, _LEAST_OF_CLASS)
        recall = np.clip(self.hits / np.maximum(self.scores, 1e-12), 0.05, 0.95)
        # Of an image that is not answered as class c, q_c R_c^2 / T_c^2; of one that is, q_c (1 - R_c)^2 / T_c^2.
        return recall**2 / of_class**2, (1 - 2 * recall) / of_class**2


def _doubt(own: np.ndarray) -> np.ndarray:
    found: np.ndarray = np.clip(own * (1 - own), 1e-9, None)
    return found


def allocate(images: np.ndarray, sums: np.ndarray, wanted: int) -> np.ndarray:
    """`wanted` images over the strata in proportion to `sums`, the images' sizes added up: whole numbers, at most the `images` of each, and
    at least _LEAST_ASKED where it has them and `wanted` allows."""
    wanted = min(wanted, int(images.sum()))
    least = np.minimum(images, _LEAST_ASKED)
    if least.sum() > wanted:
        least = np.zeros_like(images)
    # The largest factor with which the shares, within their bounds, do not exceed what is wanted.
    low, high = 0.0, float((images / np.maximum(sums, 1e-12)).max()) + 1
    for _ in range(60):
        middle = (low + high) / 2
        low, high = (middle, high) if np.clip(middle * sums, least, images).sum() <= wanted else (low, middle)
    exact = np.clip(low * sums, least, images)
    asked = np.floor(exact + 1e-9).astype("int64")
    free = np.argsort(-(exact - asked), kind="stable")
    for place in [*free, *free]:
        if asked.sum() < wanted and asked[place] < images[place]:
            asked[place] += 1
    return asked


def group_classes(images: np.ndarray, sums: np.ndarray, wanted: int) -> np.ndarray:
    """The group of each class, [classes], so that no more than `wanted` allows have images: neighbours by their mean size, which the rare ones
    have largest. `images`, `sums` [classes]: how many images are answered as each class, and their sizes added up."""
    classes, most = len(images), _most_groups(wanted)
    order = np.lexsort((np.arange(classes), sums / np.maximum(images, 1)))
    found = np.zeros(classes, dtype="int64")
    found[order] = np.arange(classes) if (images > 0).sum() <= most else parts_in_order(sums[order], most)
    _, found = np.unique(found, return_inverse=True)
    return found


def bands_of(groups: np.ndarray, wanted: int) -> int:
    """Into how many parts by size each of these groups is cut."""
    return int(np.clip(_most_groups(wanted) // (groups.max() + 1), 1, _MOST_BANDS))


def _most_groups(wanted: int) -> int:
    return max(1, wanted // _MEAN_ASKED)


def _equal_parts(size: np.ndarray, parts: int) -> np.ndarray:
    """The part of each image, [n], such that the parts have about the same sum of sizes, the smallest sizes first."""
    order = np.argsort(size, kind="stable")
    found = np.zeros(len(size), dtype="int64")
    found[order] = parts_in_order(size[order], parts)
    return found


def parts_in_order(sums: np.ndarray, parts: int) -> np.ndarray:
    """Which of `parts` parts of about the same sum each of `sums` is in, in order."""
    middle = np.cumsum(sums) - sums / 2
    return np.minimum((parts * middle / sums.sum()).astype("int64"), parts - 1)


def name_of(group: int, band: int, bands: int, groups: np.ndarray, classes: Sequence[str]) -> str:
    """In words, such as "cat, unsure 2 of 3"."""
    members = [name for place, name in enumerate(classes) if groups[place] == group]
    who = members[0] if len(members) == 1 else f"{members[0]} and {len(members) - 1} more"
    return who if bands == 1 else f"{who}, unsure {band + 1} of {bands}"
