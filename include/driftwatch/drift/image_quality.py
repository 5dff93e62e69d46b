"""Drift of image quality: the day's features against those of the images that the model was made from, and the trend over days.

It is judged in the morning, from the features alone. Content and predictions follow as soon as the model has predicted
(driftwatch.drift.content_and_predictions). Each kind has its own verdict, at its share of the day's false-alarm rate.
"""

from __future__ import annotations

import logging
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.base import find_sound_each
from driftwatch.artifacts.drift import TRAILING, TRAINING, DayDrift, DriftTrend
from driftwatch.drift.against_reference import (
    examples,
    features_test,
    kind_rate,
    load_reference,
    set_fields,
    with_clusters,
)
from driftwatch.drift.baseline import baseline_images
from driftwatch.drift.cusum import MOST_DAYS, ScoredDay, day_scores, trend
from driftwatch.drift.decoding import decoding_where_large, features_of
from driftwatch.drift.dependence import PHASH
from driftwatch.drift.mutes import muted_features, muted_segments
from driftwatch.drift.reference import DRIFTED, IMAGE_QUALITY, OK, Reference
from driftwatch.drift.segment_kinds import segments_of_images
from driftwatch.drift.states import Compared, compare, nearest, places_of_states, told
from driftwatch.images.judged import sampled_from
from driftwatch.images.picture import DECODING

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.store import DayStore, MonitorStore

logger = logging.getLogger(__name__)


def build_image_reference(
    store: MonitorStore, version: str, features: pd.DataFrame, decoding: int = DECODING
) -> Reference:
    """Writes the reference of model `version`, and where whylogs is installed its profile, from the features of the images that it was
    trained on.

    `decoding`: how the features of large images were made (`OfFeatures`). If `features` has a column `phash`, the reference keeps only the first
    of near-duplicates. A reference has no day of its own: its profile carries the monitor's first day.
    """
    from driftwatch.drift.whylogs_profiles import makes_profiles

    profiled = makes_profiles(store.config.publish.sinks)
    settings = store.config.profiling
    table = features.drop(columns="image_id", errors="ignore")
    reference = Reference.build(table, kind_rate(settings, IMAGE_QUALITY), settings.seed, settings.min_images)
    reference.decoding = decoding_where_large(reference.features, decoding)
    reference.save(store, version)
    if profiled:
        _write_reference_profile(store, version, table.drop(columns=PHASH, errors="ignore"))
    return reference


def reference_profile(store: MonitorStore, version: str) -> bytes:
    """The whylogs profile of the reference of model `version`; made now if whylogs was not installed when the reference was built."""
    key = store.keys.reference_profile(version)
    if store.storage.exists(key):
        return store.storage.read_bytes(key)
    features = store.storage.read_table(store.keys.reference_features(version))
    return _write_reference_profile(store, version, features.drop(columns=["image_id", PHASH], errors="ignore"))


def _write_reference_profile(store: MonitorStore, version: str, numbers: pd.DataFrame) -> bytes:
    from driftwatch.drift.whylogs_profiles import feature_profile

    profile = feature_profile(numbers, store.config.schedule.start_date)
    store.storage.write_bytes(store.keys.reference_profile(version), profile)
    return profile


def profile_day(day: DayStore, version: str) -> DayDrift:
    """Tests the day's features against each accepted state, the training data of model `version` among them; writes drift.json and the
    day's whylogs profile.

    Beside the day's own verdict drift.json has the trend over the reference's days up to this one, and the distances that
    WhyLabs would show. Profile and distances need whylogs; the verdict does not. Raises MissingArtifact where the day was not taken in or
    the reference not built, and ConfigError where `publish.sinks` needs whylogs.
    """
    from driftwatch.drift.day_profile import day_profile, remove_parts
    from driftwatch.drift.whylogs_profiles import hellinger, makes_profiles, read_profile

    profiled = makes_profiles(day.config.publish.sinks)
    features, decoding = features_of(day)
    muted = muted_features(day.monitor, day.date)
    usual_images, usual_days = baseline_images(day, version, decoding)
    states = {**usual_images, **places_of_states(day, version, IMAGE_QUALITY)}
    clustered = with_clusters(day, features)
    compared = compare(day.monitor, states, IMAGE_QUALITY, clustered, muted, decoding)
    best = compared[nearest([found.outcome for found in compared])]
    profile = day_profile(day, features) if profiled else None
    drift = DayDrift(
        **_of_the_states(compared),
        day=day.date,
        reference_version=version,
        day_false_alarm_rate=day.config.profiling.false_alarm_rate,
        examples=examples(features, best.reference, best.report),
        hellinger=hellinger(read_profile(profile.payload), read_profile(reference_profile(day.monitor, version)))
        if profile
        else {},
        day_scores=_scores(day.monitor, version, features, best),
    )
    later: dict[str, Any] = {"trend": _trend(day.monitor, drift, muted)}
    if mutes := {**muted, **muted_segments(day.monitor, day.date)}:
        later["mutes"] = tuple(mutes.values())
    if usual_days:
        later["baseline_days"] = usual_days
    if (images := sampled_from(day)) is not None:
        later["of_images"] = images
    if profile and profile.content_hash:
        later["content_hash"] = profile.content_hash
    drift = with_segments(drift.model_copy(update=later), segments_of_images(day, clustered, decoding))
    if profile:
        day.storage.write_bytes(day.keys.feature_profile, profile.payload)
    day.write(drift)
    if profile:
        remove_parts(day, drift.n)
    _log(drift)
    return drift


def _scores(store: MonitorStore, version: str, features: pd.DataFrame, best: Compared) -> dict[str, float] | None:
    """What the trend adds up; None for a day that has drifted. A trailing baseline moves, so its days are on the training data's scale."""
    if best.report.verdict != OK:
        return None
    scale = load_reference(store, version, IMAGE_QUALITY) if best.name == TRAILING else best.reference
    return day_scores(features, scale.features, best.report.weights)


def with_segments(drift: DayDrift, found: dict[str, Any]) -> DayDrift:
    """The day's drift with what was `found` of its segments. A day has drifted if it has as a whole, or if any segment has."""
    if not found:
        return drift
    drifted = any(segment.status == DRIFTED for segment in found["segments"])
    return drift.model_copy(update={**found, "whole": drift.verdict, "verdict": DRIFTED if drifted else drift.verdict})


def _of_the_states(compared: Sequence[Compared]) -> dict[str, Any]:
    """The fields of a `FeaturesTest`: the test against the nearest state, and which state the day is like."""
    outcomes = [found.outcome for found in compared]
    test = features_test(compared[nearest(outcomes)].report)
    return {**set_fields(test), **told([found.name for found in compared], outcomes)}


def _log(drift: DayDrift) -> None:
    logger.info(
        "%s: %s, like %s, p = %s, drifted: %s; trend over %s days: %s",
        drift.day,
        drift.verdict,
        drift.state,
        drift.p_value,
        list(drift.drifted_features),
        drift.trend.days if drift.trend else 0,
        drift.trend.verdict if drift.trend else None,
    )


def _trend(store: MonitorStore, today: DayDrift, muted: Collection[str] = ()) -> DriftTrend:
    """The trend over the days before `today` and today, of those with the same reference and the same state.

    A day that has drifted is told already, and it would hide a slow change before or after it. A day that is like another state is no
    slow change.
    """
    before = [store.keys.day(day).drift for day in store.days() if day < today.day][-MOST_DAYS:]
    days = [*(drift for _, drift in find_sound_each(store.storage, before, DayDrift)), today]
    scored = [
        ScoredDay(drift.day, drift.effective_n, drift.day_scores)
        for drift in days
        if drift.reference_version == today.reference_version and _line(drift) == _line(today) and drift.day_scores
    ]
    found = trend(scored, store.config.profiling.trend_false_alarms_per_year, muted)
    return found if today.day_scores else found.model_copy(update={"crossed": False})


def _line(drift: DayDrift) -> str:
    """The state whose days the day's trend adds up. A trailing baseline begins as the training data, and has its scale."""
    return TRAINING if drift.like in (None, TRAILING) else drift.like
