"""What one day's artifacts say of each line of episodes: what alarms, what is as usual, and how large the change is."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.artifacts.episodes import (
    CONTENT,
    CRITICAL,
    IMAGE_QUALITY,
    MODEL,
    PREDICTIONS,
    TREND,
    WHYLABS,
    EpisodeLine,
)

if TYPE_CHECKING:
    from datetime import date

    from driftwatch.artifacts.accuracy import Performance, WhyLabsAnalysis
    from driftwatch.artifacts.drift import ContentDrift, DayDrift
    from driftwatch.artifacts.segment_accuracy import SegmentAccuracy
    from driftwatch.artifacts.segments import SegmentDrift

DRIFTED, OK, ALERT = "drifted", "ok", "alert"
# A segment that alarms on the day, and one of which the day says that it does not.
_ALARMING, _QUIET = ("drifted", "missing"), ("usual", "muted", "new")


@dataclass(frozen=True)
class DaySigns:
    """What a day says of one line.

    `alarms`: the names of what alarms; `is_usual`: whether the day says of a name that it does not alarm; `features`, `size` and `model_version`:
    as in an episode. `lasting`: those of `alarms` that are no news: they continue an episode that has them, and open none. `states`: the accepted states that the day is like, each with its days.
    """

    line: EpisodeLine
    day: date
    alarms: tuple[str, ...]
    is_usual: Callable[[str], bool]
    size: float
    model_version: str
    features: int = 0
    states: Mapping[str, tuple[date, ...]] | None = None
    lasting: tuple[str, ...] = ()

    @property
    def has_evidence(self) -> bool:
        """Without it the day neither opens nor continues nor ends an episode."""
        return bool(self.alarms) or any(map(self.is_usual, (IMAGE_QUALITY, CONTENT, PREDICTIONS, MODEL)))


def segment_name(row: SegmentDrift | SegmentAccuracy) -> str:
    return f"{row.by}={row.name}"


def of_images(
    day: date, drift: DayDrift | None, answers: ContentDrift | None, accepted: Mapping[str, tuple[date, ...]]
) -> DaySigns | None:
    """What a day says of its images; None before anything was judged. `accepted`: the days of each state that was ever accepted."""
    either = drift or answers
    if either is None:
        return None
    verdicts = _verdicts(drift, answers)
    rows: dict[str, list[str]] = {}
    for row in (*(drift.segments if drift else ()), *(answers.segments if answers else ())):
        rows.setdefault(segment_name(row), []).append(row.status)
    kinds = [name for name, verdict in verdicts.items() if verdict == DRIFTED]
    segments = [name for name, found in rows.items() if any(status in _ALARMING for status in found)]
    tests = [*([drift] if drift else []), *((answers.content, answers.predictions) if answers else ())]
    like = [test.like for test in tests if test.like is not None]

    def is_usual(name: str) -> bool:
        if "=" not in name:
            return verdicts.get(name) == OK
        found = rows.get(name)
        if found is None:  # gone for longer than it is missed, or not divided so any more
            return verdicts.get(IMAGE_QUALITY) == OK or bool(rows)
        return not any(status in _ALARMING for status in found) and any(status in _QUIET for status in found)

    return DaySigns(
        "images",
        day,
        (*kinds, *sorted(segments)),
        is_usual,
        round(max(_effects(drift, answers), default=0.0), 4),
        either.reference_version,
        features=len(drift.drifted_features) if drift else 0,
        states={name: accepted[name] for name in like if name in accepted},
        # A chart stays alarmed until it is back at 0, and each state has charts of its own: days that are like this state or that in turn
        # would open the same change again and again.
        lasting=() if drift is None or drift.trend is None or drift.trend.crossed else (TREND,),
    )


def _verdicts(drift: DayDrift | None, answers: ContentDrift | None) -> dict[str, str]:
    found: dict[str, str] = {}
    if drift:
        slow = drift.trend is not None and drift.trend.verdict == DRIFTED
        found = {IMAGE_QUALITY: drift.whole, TREND: DRIFTED if slow else OK if drift.whole == OK else ""}
    if answers:
        found |= {CONTENT: answers.content.verdict, PREDICTIONS: answers.predictions.verdict}
    return found


def _effects(drift: DayDrift | None, answers: ContentDrift | None) -> Iterator[float]:
    """The size of each difference that alarms."""
    if drift:
        yield from (row.effect or 0.0 for row in drift.features if row.verdict == DRIFTED)
        yield from (row.effect or 0.0 for row in drift.segments_that("drifted"))
    if answers:
        yield from (row.effect or 0.0 for row in answers.content.features if row.verdict == DRIFTED)
        yield from (row.effect or 0.0 for row in answers.segments_that("drifted"))
        if answers.predictions.verdict == DRIFTED:
            yield answers.predictions.effect or 0.0


def of_answers_alone(drift: DayDrift | None, answers: ContentDrift) -> bool:
    """Whether content, predictions or segments of these alarm, and nothing is to be said of the image quality."""
    if drift is None:
        return True
    slow = drift.trend is not None and drift.trend.verdict == DRIFTED
    return answers.drifted and not (drift.verdict == DRIFTED or slow or drift.came_or_went)


def of_model(day: date, found: Performance | None, analysis: WhyLabsAnalysis | None) -> DaySigns | None:
    """What a day says of the model; None before its labels are in."""
    if found is None:
        return None
    whole = found.own_verdict or found.verdict
    verdicts = {segment_name(row): row.verdict for row in found.segments}
    alarms = [MODEL] if whole == ALERT else []
    if whole == ALERT and found.severity == CRITICAL:
        alarms.append(CRITICAL)
    alarms += sorted(name for name, verdict in verdicts.items() if verdict == ALERT)
    if analysis and analysis.verdict == ALERT:
        alarms.append(WHYLABS)
    # A rule that fired without an alert, as with performance.persistence, is no usual day.
    usual = whole == OK and not found.fired

    def is_usual(name: str) -> bool:
        if name == CRITICAL:
            return usual or (whole == ALERT and found.severity != CRITICAL)
        if "=" in name:
            return verdicts.get(name, OK if usual else "") == OK
        return usual and name not in alarms

    return DaySigns(
        "performance", day, tuple(alarms), is_usual, _size(found), found.serving_version or found.model_version
    )


def _size(found: Performance) -> float:
    """1 less the accuracy. A day without a label of its own is judged by days before it, and has theirs; 0 where there is none, and no alarm."""
    known = (share.value for share in (found.accuracy, found.judged) if share is not None)
    accuracy = next((value for value in known if value is not None), 1.0)
    return round(1 - accuracy, 4)
