"""Among which images those that a page of pairs is asked for are looked for, and in words how many were found."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.view.day_images import MOST_LISTED, day_images, labelled_images, lists_a_sample
from driftwatch.view.words import count

if TYPE_CHECKING:
    from datetime import date

    import pandas as pd

    from driftwatch.artifacts.drift import DayDrift
    from driftwatch.view.artifacts import Artifacts
    from driftwatch.view.evidence import Asked, Pairs


def found_text(found: Pairs, drift: DayDrift, asked: Asked) -> str:
    """How many images fit, what they are ordered by, and of a very large day among which ones was searched."""
    said = f"{count(found.found, 'image')}, {_ordered_by(drift, asked)}."
    if drift.of_images is None or drift.of_images <= MOST_LISTED:
        return said
    searched = "the labelled ones" if asked.answer else f"a random sample of {drift.n:,}"
    return f"{said} Searched: {searched} of the day's {drift.of_images:,} images."


def _ordered_by(drift: DayDrift, asked: Asked) -> str:
    segments = [f"{row.by}={row.name}" for row in drift.segments_that("drifted")]
    if drift.drifted_features or asked.segment in segments:
        return "the most changed first"
    if segments:
        return (
            f"the most unusual first: of the day as a whole nothing changed, only in {count(len(segments), 'segment')}"
        )
    return "the most unusual first: nothing changed on this day"


def searched_images(artifacts: Artifacts, day: date, asked: Asked) -> pd.DataFrame | None:
    """The images among which those that are `asked` for are looked for: `day_images`. If the answer matters and the pages list a sample, they are the
    images with a label: the sample hardly has any of these."""
    if asked.answer and lists_a_sample(artifacts, day):
        return labelled_images(artifacts, day)
    return day_images(artifacts, day, light=True)
