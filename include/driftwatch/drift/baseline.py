"""The baseline: what a day is compared with beside the accepted states (`reference.baseline`).

With `trailing` the last usual days are the baseline. A change so slow that no day differs from the days just before it would be
swallowed: each day becomes the usual of the next. Two things keep that from happening. The trend (driftwatch.drift.cusum) rests on a
scale that stays, that of the training data, and tells the slow change. And while it does, the days since the change began are none of the
window: the baseline stays where it was before.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from driftwatch.artifacts.base import find_sound_each
from driftwatch.artifacts.drift import DAYS, TRAILING, TRAINING, DayDrift
from driftwatch.drift.against_reference import whole_rate
from driftwatch.drift.answers import content_reference, own_answers, usual_of
from driftwatch.drift.cusum import MOST_DAYS
from driftwatch.drift.days_features import features_of_days
from driftwatch.drift.decoding import comparable, decoding_of
from driftwatch.drift.reference import DRIFTED, IMAGE_QUALITY, MIN_REFERENCE, OK, Reference
from driftwatch.drift.states import usual_states

if TYPE_CHECKING:
    from datetime import date

    from driftwatch.artifacts.reference import UsualPredictions
    from driftwatch.artifacts.store import DayStore


def baseline_days(day: DayStore) -> tuple[date, ...]:
    """The days that are the day's baseline, in order. Empty where the training data is: by the setting, or as long as there are too few."""
    settings = day.config.reference
    if settings.baseline == DAYS:
        taken_in = [other for other in day.monitor.days() if other != day.date]
        return tuple(
            other
            for other in taken_in
            if any(part.first <= other <= part.last for part in settings.days)
            and day.storage.exists(day.monitor.keys.day(other).features)
        )
    if settings.baseline == TRAILING:
        found = _usual_before(day)
        return found[-settings.trailing_days :] if len(found) >= settings.trailing_days else ()
    return ()


def _usual_before(day: DayStore) -> tuple[date, ...]:
    """The usual days before `day`, of one kind: those like the baseline. An accepted state starts the baseline anew, with its own days."""
    store = day.monitor
    keys = [store.keys.day(other).drift for other in store.days() if other < day.date][-MOST_DAYS:]
    before = [drift for _, drift in find_sound_each(store.storage, keys, DayDrift)]
    states = usual_states(store, day.date)
    newest = states[-1] if states else None
    like = {TRAILING, newest.name} if newest else {TRAILING, TRAINING}
    usual = [
        drift.day
        for drift in before
        if (drift.verdict == OK and drift.like in like and (newest is None or drift.day > newest.days[0]))
        or (newest is not None and drift.day in newest.days)
    ]
    trend = before[-1].trend if before else None
    if trend is not None and trend.verdict == DRIFTED and trend.since is not None:
        usual = [other for other in usual if other < trend.since]
    return tuple(usual)


def baseline_images(
    day: DayStore, version: str, decoding: int | None = None
) -> tuple[dict[str, str | Reference], tuple[date, ...]]:
    """The baseline of image quality by its name, as `states.compare` takes it, and its days. `version`: the day's model, whose training
    data is the baseline where there are no days, or too few images. `decoding`: how the day's features of large images were made; days
    of another way are left out."""
    days = baseline_days(day)
    if decoding is not None:
        days = tuple(other for other in days if comparable(decoding_of(day.monitor.day(other)), decoding))
    if days:
        (features, ways), settings = features_of_days(day.monitor, days), day.config.profiling
        if len(features) >= MIN_REFERENCE:
            rate = whole_rate(day.config, IMAGE_QUALITY)
            made = Reference.build(features, rate, settings.seed, settings.min_images)
            made.decoding = next(iter(ways), None)
            return {day.config.reference.baseline: made}, days
    return {TRAINING: version}, ()


def baseline_content(day: DayStore, version: str) -> dict[str, str | Reference]:
    """Like `baseline_images`, for content. Only days that `version` itself has answered count, or production."""
    found = [own for other in baseline_days(day) if (own := own_answers(day.monitor.day(other), version))]
    made = content_reference(day.monitor, found)
    return {TRAINING: version} if made is None else {day.config.reference.baseline: made}


def baseline_usual(day: DayStore, version: str, training: UsualPredictions) -> dict[str, UsualPredictions]:
    """Like `baseline_content`, for the predictions. `training`: those on the held-out images of the training data."""
    found = [own for other in baseline_days(day) if (own := own_answers(day.monitor.day(other), version))]
    made = usual_of(day.monitor, version, found)
    return {TRAINING: training} if made is None else {day.config.reference.baseline: made}
