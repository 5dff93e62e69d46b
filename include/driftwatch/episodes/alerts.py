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
    from driftwatch.artifacts.store import DayStore


def about_images(day: DayStore, episodes: DayEpisodes) -> DayAlert | None:
    """The alert about the day's images. Segments that are new on the day are told by themselves where nothing else is."""
    episode = episodes.of("images")
    if episode and episode.ended:
        return ImagesUsualAgain(day.date, episode)
    drift, answers = day.find(DayDrift), day.find(ContentDrift)
    told = episode if episode and episode.event else None
    if told and answers and of_answers_alone(drift, answers):
        return AnswersDrifted(day.date, answers, told)
    if drift is None or (told is None and not _has_new_segments(drift)):
        return None
    return ImagesDrifted(day.date, drift, answers if answers and answers.drifted else None, told)


def _has_new_segments(drift: DayDrift) -> bool:
    return any(segment.since == drift.day for segment in drift.segments_that("new"))


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
