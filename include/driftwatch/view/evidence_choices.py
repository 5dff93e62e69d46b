"""What the pairs of a day can be narrowed down to."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.view.day_images import RIGHT, SEGMENT, WRONG, lists_a_sample, segmentations
from driftwatch.view.words import direction, feature_name

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.drift import DayDrift
    from driftwatch.view.artifacts import Artifacts

MOST_SEGMENTS = 300


@dataclass(frozen=True)
class Choices:
    """What can be asked for: (value, words) of features, the moved ones first, of classes and of segments."""

    features: list[tuple[str, str]]
    classes: list[tuple[str, str]]
    segments: list[tuple[str, str]]
    answers: list[tuple[str, str]]


def choices(artifacts: Artifacts, drift: DayDrift, table: pd.DataFrame) -> Choices:
    """What the images of the day can be narrowed down to."""
    features = [
        (row.feature, f"{feature_name(row.feature)}: {direction(row)}" if row.verdict == "drifted" else feature_name(row.feature))
        for row in drift.features
    ]  # fmt: skip
    changed = [f"{row.by}={row.name}" for row in drift.segments_that("drifted")]
    named = [
        f"{by}={name}" for by in segmentations(table) for name in table[f"{SEGMENT}{by}"].value_counts().index.astype(str)
    ]  # fmt: skip
    segments = list(dict.fromkeys([*changed, *named]))[:MOST_SEGMENTS]
    judged = table["answer"].notna().any() or lists_a_sample(artifacts, drift.day)
    answers = [(RIGHT, "right"), (WRONG, "wrong")] if judged else []
    return Choices(
        features,
        [(name, name) for name in artifacts.config.classes],
        [(value, f"{value.replace('=', ' ')}{' (changed)' if value in changed else ''}") for value in segments],
        answers,
    )
