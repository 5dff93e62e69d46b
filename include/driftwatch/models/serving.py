"""Which model versions answered a day, and which of them serves: the verdict is about that one."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.errors import NeedsAttention
from driftwatch.images.judged import is_sampled
from driftwatch.storage.tables import pieces

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.store import DayStore
    from driftwatch.config import MonitorConfig

# More values than this are no versions: the column has something else in it.
MOST_VERSIONS = 50
_MOST_NAMED = 10


@dataclass(frozen=True)
class AnsweredBy:
    """`images`: how many each version answered; the serving one first, then by number and name. Empty for a day without answers."""

    images: dict[str, int]

    @property
    def serving(self) -> str | None:
        return next(iter(self.images), None)

    @property
    def several(self) -> bool:
        return len(self.images) > 1


def answered_on(day: DayStore, answers: pd.DataFrame | None = None) -> AnsweredBy:
    """Who answered the day's images. `answers`: those that it is judged by, where they were read already. Of a day that is judged by a sample all
    answers count: a version that a canary gives few images may have none in the sample. Raises as `answered_in`."""
    found = _counted(day) if answers is None or is_sampled(day) else Counter(map(str, answers["model_version"]))
    return answered_in(found, day.config, day.storage.url(day.keys.predictions))


def _counted(day: DayStore) -> Counter[str]:
    import pyarrow.compute as pc

    found: Counter[str] = Counter()
    for piece in pieces(day.storage, day.keys.predictions, ["model_version"]):
        found.update({str(of["values"]): of["counts"] for of in pc.value_counts(piece["model_version"]).to_pylist()})
    return found


def answered_in(found: Mapping[str, int], config: MonitorConfig, where: str) -> AnsweredBy:
    """The versions of a day's answers, by how many images each answered.

    The serving version is `model.serving_version`, or else the one with the most answers; if several have as many, the first of them by
    name. `where` is what an error names. Raises NeedsAttention where `model.serving_version` answered nothing, and for more than
    MOST_VERSIONS versions.
    """
    if len(found) > MOST_VERSIONS:
        raise NeedsAttention(
            f"{where}: model_version has {len(found)} values, and a day may have {MOST_VERSIONS}: let production write the version "
            "of the model there, not a value of each request"
        )
    named = config.model.serving_version
    if named is not None and found and named not in found:
        known = sorted(found)[:_MOST_NAMED]
        raise NeedsAttention(
            f"{where}: model.serving_version is {named}, which answered no image of the day; versions that did: {known}. Name one "
            "of them, or take model.serving_version out: then the verdict is about the one with the most answers"
        )
    return serving_first(found, config)


def serving_first(images: Mapping[str, int], config: MonitorConfig) -> AnsweredBy:
    """The versions in their order, by how many images each answered."""
    named = config.model.serving_version
    order = sorted(images, key=lambda version: (version != named, -images[version], version))
    return AnsweredBy({version: images[version] for version in order})
