"""One segment over time: its images and their drift, its accuracy by day, and images that were answered wrongly or look different."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import TYPE_CHECKING, TypeVar

from markupsafe import Markup

from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.segment_accuracy import SegmentAccuracy
from driftwatch.view import charts
from driftwatch.view.artifacts import Artifacts, reader
from driftwatch.view.days import Day
from driftwatch.view.segment_accuracy import SegmentRow as AccuracyRow
from driftwatch.view.segment_accuracy import segment_row
from driftwatch.view.segment_names import segment_title
from driftwatch.view.segments import SegmentRow as DriftRow
from driftwatch.view.segments import drift_row, is_sampled
from driftwatch.view.series import series
from driftwatch.view.words import count

if TYPE_CHECKING:
    from driftwatch.artifacts.segments import SegmentDrift
    from driftwatch.config import MonitorConfig

T = TypeVar("T", DayDrift, ContentDrift)
MOST_DAYS, MOST_EXAMPLES = 60, 12


@dataclass(frozen=True)
class SegmentDay:
    """What a day says of the segment. `drift` is None where its images were not tested; `accuracy` where it has no label."""

    day: date
    images: str
    drift: DriftRow | None
    accuracy: AccuracyRow | None


@dataclass(frozen=True)
class Example:
    """An image of an alert, by its id, and what it is an example of."""

    day: date
    image_id: str
    note: str


@dataclass(frozen=True)
class SegmentPage:
    """A segment over time, the newest day first. `said`: on how many of the days it is an alert or has changed; `chart`: empty where it has no
    accuracy; `more`: how many older days were not looked at."""

    title: str
    said: str
    days: list[SegmentDay]
    examples: list[Example]
    chart: Markup
    more: int


def find_page(artifacts: Artifacts, days: Sequence[Day], by: str, name: str) -> SegmentPage | None:
    """The segment on the newest MOST_DAYS of the days, or up to the last that told of it; None where neither knows it. `days`: as `read_days`
    has them, in order. They leave out segments as usual, so what each day says of this one is read here."""
    told = [place for place, row in enumerate(days, 1) if _drift_of(row, by, name) or _accuracy_of(row, by, name)]
    for end in (len(days), *told[-1:]):
        first = max(0, end - MOST_DAYS)
        page = segment_page(_whole(artifacts, days[first:end], by, name), artifacts.config, by, name)
        if page is not None:
            return replace(page, more=first)
    return None


def _whole(artifacts: Artifacts, days: Sequence[Day], by: str, name: str) -> list[Day]:
    """The days with all that their tests say of this segment, and nothing of the others."""

    def alone(found: T) -> T:
        return found.model_copy(
            update={"segments": tuple(row for row in found.segments if (row.by, row.name) == (by, name))}
        )

    alone.__qualname__ = f"{by}={name}"
    keys = [artifacts.keys.day(row.day) for row in days]
    drifts = artifacts.look_at_each([(key.drift, reader(DayDrift, alone)) for key in keys])
    answers = artifacts.look_at_each([(key.content_drift, reader(ContentDrift, alone)) for key in keys])
    return [
        replace(row, drift=drift.value, content_drift=answer.value)
        for row, drift, answer in zip(days, drifts, answers, strict=True)
    ]


def segment_page(days: Sequence[Day], config: MonitorConfig, by: str, name: str) -> SegmentPage | None:
    """The segment's days, of all days in order; None where no day knows it."""
    found = [(row, _drift_of(row, by, name), _accuracy_of(row, by, name)) for row in days]
    known = [each for each in found if each[1] or each[2]]
    if not known:
        return None
    shown = known[-MOST_DAYS:]
    labelled = [(row, accuracy) for row, _, accuracy in shown if accuracy]
    alerts = sum(accuracy.verdict == "alert" for _, accuracy in labelled)
    drifted = sum(any(part.status == "drifted" for part in drift) for _, drift, _ in shown)
    chart = (
        charts.history(series([_as_its_own(*each) for each in labelled], config, ()), config.performance.floor)
        if labelled
        else Markup("")
    )
    return SegmentPage(
        title=segment_title(by, name),
        said=f"Of {count(len(shown), 'day')}, its images changed on {drifted}, and the model is worse there than elsewhere or than the floor on {alerts}.",
        days=[_day(row, by, name, drift, accuracy) for row, drift, accuracy in reversed(shown)],
        examples=[each for row, drift, accuracy in reversed(shown) for each in _examples(row.day, drift, accuracy)][
            :MOST_EXAMPLES
        ],
        chart=chart,
        more=len(known) - len(shown),
    )


def _drift_of(row: Day, by: str, name: str) -> list[SegmentDrift]:
    parts = [*(row.drift.segments if row.drift else ()), *(row.content_drift.segments if row.content_drift else ())]
    return [each for each in parts if (each.by, each.name) == (by, name)]


def _accuracy_of(row: Day, by: str, name: str) -> SegmentAccuracy | None:
    segments = row.performance.segments if row.performance else ()
    return next((each for each in segments if (each.by, each.name) == (by, name)), None)


def _day(row: Day, by: str, name: str, drift: list[SegmentDrift], accuracy: SegmentAccuracy | None) -> SegmentDay:
    tested = drift_row(by, name, drift, "", is_sampled(row.drift, row.content_drift)) if drift else None
    judged = segment_row(accuracy) if accuracy else None
    images = tested.images if tested else judged.images if judged else "–"
    return SegmentDay(row.day, images, tested, judged)


def _examples(day: date, drift: list[SegmentDrift], accuracy: SegmentAccuracy | None) -> list[Example]:
    wrong = [Example(day, image, "answered wrongly") for image in (accuracy.examples if accuracy else ())]
    return wrong + [Example(day, image, "looks different") for part in drift for image in part.examples]


def _as_its_own(row: Day, segment: SegmentAccuracy) -> Day:
    """The day as if the segment were all of it, for the chart of the accuracy. Drift of the whole day is none of the segment's."""
    assert row.performance is not None
    fields = {"accuracy": segment.accuracy, "verdict": segment.verdict, "labels": segment.labels}
    own = row.performance.model_copy(update={**fields, "corrected": None, "estimated": None, "classes": {}})
    return replace(row, performance=own, drift=None, content_drift=None, estimate=None)
