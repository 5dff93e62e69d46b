"""The confusion matrix for people: how often the model answered which class for images of which class. If there are too many classes to take
in at a glance, the pairs that were confused most often are shown instead."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date

import numpy as np

from driftwatch.artifacts.accuracy import ConfusionMatrix
from driftwatch.models.metrics import top_confusions
from driftwatch.view.days import Day
from driftwatch.view.numbers import percent
from driftwatch.view.shares import whole_percent
from driftwatch.view.words import count, listing

# With more classes than this, the most frequent confusions are shown instead of the matrix.
MOST_CLASSES, MOST_PAIRS = 15, 20
# Up to this many classes the cells have this size. With more classes they are smaller.
_SIZES = ((4, "large"), (8, "middle"), (MOST_CLASSES, "small"))


@dataclass(frozen=True)
class Cell:
    """Images of a class that the model answered so. `share`: of the class, empty without an image; `heat`: the same in tenths; `said`:
    the cell in words."""

    n: int
    share: str
    heat: int
    right: bool
    said: str


@dataclass(frozen=True)
class Row:
    """One class."""

    name: str
    cells: tuple[Cell, ...]


@dataclass(frozen=True)
class Pair:
    """Two classes that were confused. `share`: of the images of `truth`."""

    truth: str
    predicted: str
    n: int
    share: str


@dataclass(frozen=True)
class ConfusionTable:
    """`rows` of the matrix, with the `size` of its cells; or, of many classes, `pairs`, the most frequent first.

    `title` stands above it. `about` is for screen readers. `rest` stands below it: what is not shown. It may be empty.
    """

    title: str
    about: str
    labels: tuple[str, ...]
    size: str
    rows: tuple[Row, ...]
    pairs: tuple[Pair, ...]
    rest: str


def confusions(matrix: ConfusionMatrix) -> ConfusionTable:
    """The matrix as it is shown: its cells shaded by their share of the row."""
    labels = matrix.labels
    if len(labels) > MOST_CLASSES:
        found = top_confusions(matrix, len(labels) ** 2)
        pairs = [Pair(truth, said, n, whole_percent(share)) for truth, said, n, share in found[:MOST_PAIRS]]
        about = "Confused most often"
        return ConfusionTable(about, about, labels, "", (), tuple(pairs), _rest(len(found)))
    size = next(name for most, name in _SIZES if len(labels) <= most)
    rows = tuple(_row(labels, place, row) for place, row in enumerate(matrix.rows))
    title = "The labels say (rows), the model said (columns)"
    return ConfusionTable(title, "Confusion matrix", labels, size, rows, (), "")


def _rest(pairs: int) -> str:
    if not pairs:
        return "No labelled image was taken for another class."
    more = pairs - MOST_PAIRS
    return f"and {more} more pairs, each as rare as the last one here or rarer." if more > 0 else ""


def _row(labels: Sequence[str], place: int, row: Sequence[int]) -> Row:
    total = sum(row)
    cells = []
    for column, n in enumerate(row):
        share = whole_percent(n / total) if n else ""
        said = f"{labels[place]}, the model said {labels[column]}: {n}, {share}" if n else ""
        cells.append(Cell(n, share, round(10 * round(n / total, 2)) if n else 0, place == column, said))
    return Row(labels[place], tuple(cells))


@dataclass(frozen=True)
class Confused:
    """The confusions of some days together. `note`: how many images, of how many days, how many are right, and which models answered them."""

    table: ConfusionTable
    note: str


def of_days(
    days: Sequence[Day], classes: tuple[str, ...], first: date, last: date, model: str | None = None
) -> Confused:
    """The days from `first` to `last` that were measured with these classes, added up. `model`: only the days that it answered."""
    counts = np.zeros((len(classes), len(classes)), dtype="int64")
    models: list[str] = []
    for row in days:
        found = row.performance if first <= row.day <= last and model in (None, row.model) else None
        if found and found.confusion_matrix.labels == classes:
            counts += np.asarray(found.confusion_matrix.rows, dtype="int64")
            models.append(row.model or "an unknown model")
    rows = tuple(tuple(row) for row in counts.tolist())
    return Confused(confusions(ConfusionMatrix(labels=classes, rows=rows)), _note(counts, models))


def _note(counts: np.ndarray, models: Sequence[str]) -> str:
    """`models`: who answered each day that was added up."""
    images, names = int(counts.sum()), list(dict.fromkeys(models))
    if not images:
        return "No labelled image in this range."
    right = percent(int(np.trace(counts)) / images)
    said = f"{images} labelled images of {count(len(models), 'day')}; {right} right. "
    if len(names) == 1:
        return f"{said}Answered by {names[0]}."
    return f"{said}Answered by {len(names)} models, whose mistakes are mixed here: {listing(names)}."
