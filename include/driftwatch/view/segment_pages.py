"""One segment over time: its accuracy by day, the labels that it rests on, and images that were answered wrongly."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING

from markupsafe import Markup

from driftwatch.artifacts.segment_accuracy import SegmentAccuracy
from driftwatch.view import charts
from driftwatch.view.days import Day
from driftwatch.view.segment_accuracy import SegmentRow, segment_row, segment_title
from driftwatch.view.series import series

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig

MOST_DAYS, MOST_EXAMPLES = 60, 12


@dataclass(frozen=True)
class SegmentPage:
    """A segment over time. `days`: the days that have labels of it, the newest first; `alerts`: on how many it is one; `examples`: day and id
    of wrongly answered images of these, the newest first; `more`: how many older days are not shown."""

    title: str
    days: list[tuple[date, SegmentRow]]
    alerts: int
    examples: list[tuple[date, str]]
    chart: Markup
    more: int


def segment_page(days: Sequence[Day], config: MonitorConfig, by: str, name: str) -> SegmentPage | None:
    """The segment's days, of all days in order; None where no day has a label of it."""
    found = [(row, segment) for row in days if (segment := _of(row, by, name)) is not None]
    if not found:
        return None
    shown = found[-MOST_DAYS:]
    examples = [(row.day, image) for row, segment in reversed(shown) for image in segment.examples]
    columns = series([_as_its_own(row, segment) for row, segment in shown], config, ())
    return SegmentPage(
        title=segment_title(by, name),
        days=[(row.day, segment_row(segment)) for row, segment in reversed(shown)],
        alerts=sum(segment.verdict == "alert" for _, segment in shown),
        examples=examples[:MOST_EXAMPLES],
        chart=charts.history(columns, config.performance.floor),
        more=len(found) - len(shown),
    )


def _of(row: Day, by: str, name: str) -> SegmentAccuracy | None:
    segments = row.performance.segments if row.performance else ()
    return next((each for each in segments if (each.by, each.name) == (by, name)), None)


def _as_its_own(row: Day, segment: SegmentAccuracy) -> Day:
    """The day as if the segment were all of it, for the chart of the accuracy. Drift of the whole day is none of the segment's."""
    assert row.performance is not None
    fields = {"accuracy": segment.accuracy, "verdict": segment.verdict, "labels": segment.labels}
    own = row.performance.model_copy(update={**fields, "corrected": None, "estimated": None, "classes": {}})
    return replace(row, performance=own, drift=None, content_drift=None, estimate=None)
