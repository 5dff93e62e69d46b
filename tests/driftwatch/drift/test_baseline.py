"""What a day is compared with beside the accepted states: the training data, the last usual days, or days that are named."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from pydantic import ValidationError
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.reference import AcceptedState, BaselineDecision
from driftwatch.artifacts.store import DayStore
from driftwatch.config import MonitorConfig
from driftwatch.drift.baseline import baseline_content, baseline_days, baseline_usual
from driftwatch.drift.image_quality import build_image_reference, profile_day
from driftwatch.storage import Storage, open_storage

from .days import features_of, monitor, put_features, put_held_out, put_predictions, seen

FIRST = date(2026, 3, 1)
TREND = {**samples.DAY_DRIFT["trend"], "verdict": "drifted", "since": "2026-03-04"}


def on(number: int) -> date:
    return FIRST + timedelta(days=number - 1)


def a_day(storage: Storage, number: int, **reference: Any) -> DayStore:
    store = monitor(storage)
    changed = {**store.config.model_dump(exclude_unset=True), "reference": reference}
    return store.with_config(MonitorConfig.model_validate(changed)).day(on(number))


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def put_drift(storage: Storage, number: int, verdict: str = "ok", **more: Any) -> None:
    day = a_day(storage, number)
    drift = {**samples.DAY_DRIFT, "day": str(day.date), "verdict": verdict, "reference_version": "v1", **more}
    storage.write_json(day.keys.drift, drift)
    storage.write_json(day.keys.features, {})


def numbers(days: tuple[date, ...]) -> list[int]:
    return [day.day for day in days]


def test_the_last_usual_days_are_the_baseline_once_there_are_enough_and_drifted_ones_are_none_of_them(storage):
    for number in range(1, 6):
        put_drift(storage, number, "drifted" if number == 3 else "ok", state=None if number == 3 else "training")
    trailing = {"baseline": "trailing", "trailing_days": 3}
    assert numbers(baseline_days(a_day(storage, 4, **trailing))) == []
    assert numbers(baseline_days(a_day(storage, 5, **trailing))) == [1, 2, 4]
    assert numbers(baseline_days(a_day(storage, 6, **trailing))) == [2, 4, 5]
    assert baseline_days(a_day(storage, 6)) == ()


def test_while_the_trend_tells_a_slow_change_the_days_since_it_began_are_none_of_the_window(storage):
    for number in range(1, 9):
        put_drift(storage, number, state="trailing", trend=TREND if number == 8 else samples.DAY_DRIFT["trend"])
    assert numbers(baseline_days(a_day(storage, 8, baseline="trailing", trailing_days=3))) == [5, 6, 7]
    assert numbers(baseline_days(a_day(storage, 9, baseline="trailing", trailing_days=3))) == [1, 2, 3]


def test_an_accepted_state_starts_the_window_anew_with_its_own_days(storage):
    for number in range(1, 9):
        put_drift(storage, number, "drifted" if number == 5 else "ok", state=None if number == 5 else "trailing")
    decision = {"what": "accepted", "by": "ann", "at": datetime(2026, 3, 5, tzinfo=timezone.utc), "reason": "lens"}
    history = (BaselineDecision.model_validate(decision),)
    state = AcceptedState(name="lens", days=(on(5),), images=80, history=history)
    storage.write_json(monitor(storage).keys.state("lens"), state.stored())
    put_drift(storage, 6, state="lens")
    put_drift(storage, 7, state="training")  # the old lens for a day: usual, and not of the window's kind
    assert numbers(baseline_days(a_day(storage, 9, baseline="trailing", trailing_days=3))) == [5, 6, 8]


def test_named_days_are_the_baseline_of_every_other_day(storage):
    for number in (1, 2, 3, 5):
        put_drift(storage, number)
    named = {"baseline": "days", "days": [{"first": "2026-03-02", "last": "2026-03-04"}]}
    assert numbers(baseline_days(a_day(storage, 9, **named))) == [2, 3]
    assert numbers(baseline_days(a_day(storage, 2, **named))) == [3]


def test_days_that_are_never_like_the_training_data_are_usual_by_the_days_before_them(storage):
    build_image_reference(monitor(storage), "v1", features_of(200, 0))
    named = {"baseline": "days", "days": [{"first": "2026-03-01", "last": "2026-03-02"}]}
    for number in (1, 2, 3):
        put_features(a_day(storage, number), features_of(80, number, blurred=80))
    drift = profile_day(a_day(storage, 3, **named), "v1")
    assert (drift.verdict, drift.state, numbers(drift.baseline_days)) == ("ok", "days", [1, 2])
    put_features(a_day(storage, 3), features_of(80, 3))
    assert profile_day(a_day(storage, 3, **named), "v1").verdict == "drifted"


def test_content_and_predictions_have_the_same_days_where_the_same_model_answered_them(storage):
    put_held_out(storage)
    for number in (1, 2):
        put_predictions(a_day(storage, number), *seen(60, number, dogs=0.9))
        put_drift_less(storage, number, "v1")
    named = {"baseline": "days", "days": [{"first": "2026-03-01", "last": "2026-03-02"}]}
    day = a_day(storage, 3, **named)
    (content,) = baseline_content(day, "v1").items()
    assert (content[0], len(content[1].features)) == ("days", 120)
    training = day.monitor.storage.read_json(day.monitor.keys.reference_predictions("v1"))
    assert baseline_usual(day, "v1", training)["days"].images == 120
    put_drift_less(storage, 2, "v0")
    assert baseline_content(day, "v1")["days"].features.shape[0] == 60
    put_drift_less(storage, 1, "v0")
    assert baseline_content(day, "v1") == {"training": "v1"}


def put_drift_less(storage: Storage, number: int, version: str) -> None:
    storage.write_json(a_day(storage, number).keys.ingest, {**samples.INGEST, "model_version": version})


@pytest.mark.parametrize(
    ("reference", "said"),
    [
        ({"baseline": "days"}, "baseline days needs reference.days"),
        ({"days": [{"first": "2026-03-01", "last": "2026-03-02"}]}, "the other baselines take none"),
        ({"baseline": "days", "days": [{"first": "2026-03-02", "last": "2026-03-01"}]}, "is before first"),
        ({"baseline": "trailing", "trailing_days": 2}, "greater than or equal to 3"),
    ],
)
def test_a_baseline_that_cannot_be_is_refused(storage, reference, said):
    with pytest.raises(ValidationError, match=said):
        a_day(storage, 1, **reference)
