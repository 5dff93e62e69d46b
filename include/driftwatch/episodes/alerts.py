"""Which alert a day has, by its episodes: what opens, what is new in it, a reminder, or its end; None where there is nothing new."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.alerts import (
    AnswersDrifted,
    DayAlert,
    ImagesDrifted,
    ModelGotWorse,
    SegmentsGotWorse,
)
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.ended_alerts import ImagesUsualAgain, ModelHoldsAgain
from driftwatch.episodes.signs import of_answers_alone

if TYPE_CHECKING:
    from driftwatch.artifacts.episodes import DayEpisodes
    from driftwatch.artifacts.segments import SegmentDrift
    from driftwatch.artifacts.store import DayStore


def about_images(day: DayStore, episodes: DayEpisodes) -> DayAlert | None:
    """The alert about the day's images."""
    return of_drift(episodes, day.find(DayDrift), day.find(ContentDrift))


def of_drift(episodes: DayEpisodes, drift: DayDrift | None, answers: ContentDrift | None) -> DayAlert | None:
    """The alert about the images of a day of which this was found. Segments that are new on the day are told also where nothing else is."""
    episode = episodes.of("images")
    new = _new_segments(drift) if drift else ()
    if episode and episode.ended:
        return ImagesUsualAgain(episodes.day, episode, new)
    told = episode is not None and episode.event is not None
    if told and answers and of_answers_alone(drift, answers):
        return AnswersDrifted(episodes.day, answers, episode)
    if drift is None or not (told or new):
        return None
    return ImagesDrifted(episodes.day, drift, answers if told and answers and answers.drifted else None, episode)


def _new_segments(drift: DayDrift) -> tuple[SegmentDrift, ...]:
    return tuple(segment for segment in drift.segments_that("new") if segment.since == drift.day)


def about_model(day: DayStore, episodes: DayEpisodes) -> DayAlert | None:
    """The alert about the model by the day's labels."""
    episode = episodes.of("performance")
    if episode and episode.ended:
        return ModelHoldsAgain(day.date, episode)
    performance = day.find(Performance)
    if performance is None or episode is None or episode.event is None:
        return None
    if performance.verdict == "alert":
        return ModelGotWorse(day.date, performance, performance.reasons, episode)
    if any(segment.verdict == "alert" for segment in performance.segments):
        return SegmentsGotWorse(day.date, performance, episode)
    return None
