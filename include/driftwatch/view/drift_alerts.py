"""The words of an alert about the day's images: what changed in them, and since when."""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.artifacts.drift import TRAINING
from driftwatch.view import advice, tones
from driftwatch.view.alert_words import Words
from driftwatch.view.drift_words import content_finding, of_mix, sample, shares, trend_evidence, trend_finding
from driftwatch.view.episodes import of_alert, said
from driftwatch.view.numbers import p_text, percent
from driftwatch.view.segments import changed_lines, coming_lines, numbers_of_segments
from driftwatch.view.states import state_name
from driftwatch.view.versions import moved_line
from driftwatch.view.words import capital, direction, feature_name, listing

if TYPE_CHECKING:
    from driftwatch.artifacts.alerts import AnswersDrifted, ImagesDrifted
    from driftwatch.artifacts.drift import ContentDrift, DayDrift


def images_drifted(alert: ImagesDrifted) -> Words:
    """What changed in the quality of the images, and what else changed on the day."""
    drift, episode = alert.drift, alert.episode
    # A reminder says again which segments are missing; at other times only the day on which they went does.
    since = None if episode and episode.event == "reminder" else drift.day
    coming = coming_lines(drift.segments, since)
    only_new = coming and (episode is None or episode.event is None)
    what = capital(coming[0]) if only_new else _change_of_images(drift, coming)
    numbers = _numbers_of_images(drift, coming)
    if alert.answers:
        what = f"{what}; {listing(_changes_of_answers(alert.answers))}"
        numbers |= _numbers_of_answers(alert.answers, [])
    return Words(said(what, episode, alert.day), {**of_alert(episode, alert.day), **numbers}, advice.IMAGES_DRIFTED)


def _change_of_images(drift: DayDrift, coming: list[str]) -> str:
    segments, trend = changed_lines(drift.segments), drift.trend
    if drift.verdict == "drifted":
        moved = dict.fromkeys(direction(row) for row in drift.features if row.feature in drift.drifted_features)
        return ": ".join(["The images changed", *(segments[:1] or [listing(list(moved))] * bool(moved))])
    if trend is not None and trend.verdict == "drifted":
        return f"The images change slowly: {trend_finding(trend)}"
    return capital(coming[0]) if coming else "The images changed"


def _numbers_of_images(drift: DayDrift, coming: list[str]) -> dict[str, str]:
    numbers, trend = numbers_of_segments(drift, changed_lines(drift.segments), coming), drift.trend
    numbers["features that moved"] = f"{len(drift.drifted_features)} of {len(drift.features)}, " + listing(
        [feature_name(column) for column in drift.drifted_features], 6
    )
    numbers["evidence"] = (
        f"{p_text(drift.p_value) if drift.p_value is not None else 'not enough evidence'} on {sample(drift)}, against {state_name(drift.nearest or TRAINING)} of model {drift.reference_version}; "
        f"a day without drift is called drifted with a chance of {percent(drift.day_false_alarm_rate)}"
    )
    if trend is not None and trend.verdict == "drifted":
        numbers["trend"] = f"{trend_finding(trend)}; {trend_evidence(trend)}"
    return numbers


def answers_drifted(alert: AnswersDrifted) -> Words:
    """What changed in what is photographed, and in what the model answers."""
    drift, coming = alert.drift, coming_lines(alert.drift.segments, alert.drift.day)
    first = listing(_changes_of_answers(drift) or coming)
    numbers = _numbers_of_answers(drift, coming) | {
        "evidence": f"against {drift.reference_images} held-out images of model {drift.reference_version}; "
        f"a day without drift is called drifted with a chance of {percent(drift.day_false_alarm_rate)}"
    }
    what = said(capital(first), alert.episode, alert.day)
    return Words(what, {**of_alert(alert.episode, alert.day), **numbers}, advice.IMAGES_DRIFTED)


def _changes_of_answers(drift: ContentDrift) -> list[str]:
    found = []
    if drift.content.verdict == "drifted":
        found.append(f"the content changed ({content_finding(drift.content)})")
    if drift.predictions.verdict == "drifted":
        found.append(f"the model's answers shifted ({shares(drift.predictions)})")
    return found or changed_lines(drift.segments)[:1]


def _numbers_of_answers(drift: ContentDrift, coming: list[str]) -> dict[str, str]:
    numbers = numbers_of_segments(drift, changed_lines(drift.segments), coming) | {
        kind: f"{tones.name(found.verdict)}, {p_text(found.p_value)} on {sample(found)}{of_mix(found)}"
        if found.p_value is not None
        else f"not enough evidence: {found.reason}"
        for kind, found in (("content", drift.content), ("predictions", drift.predictions))
    }
    if drift.versions:
        numbers["versions"] = f"predictions of {moved_line(drift)}"
    return numbers
