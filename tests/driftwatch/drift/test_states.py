"""A day is usual if it is like any accepted state."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import numpy as np
import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.reference import BaselineDecision, StateOfModel, UsualPredictions
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.drift.accepted import accept, prepare_states, withdraw
from driftwatch.drift.content_and_predictions import judge_content_and_predictions
from driftwatch.drift.image_quality import build_image_reference, profile_day
from driftwatch.drift.states import Outcome, nearest, told
from driftwatch.errors import NeedsAttention
from driftwatch.storage import Storage, open_storage

from .days import DAY, a_day, features_of, monitor, put_features, put_held_out, put_predictions, seen

LATER = DAY + timedelta(days=1)
ACCEPTED = BaselineDecision(
    what="accepted", by="ann", at=datetime(2026, 3, 5, 9, tzinfo=timezone.utc), reason="a new lens"
)
WITHDRAWN = ACCEPTED.model_copy(update={"what": "withdrawn", "reason": "it was dirt"})


@pytest.fixture
def storage(tmp_path) -> Storage:
    storage = open_storage(f"file://{tmp_path}")
    build_image_reference(monitor(storage), "v1", features_of(400, 0))
    put_features(a_day(storage), features_of(200, 1, blurred=200))
    return storage


def judged(storage: Storage, features: pd.DataFrame, day: date = LATER, **profiling: object) -> DayDrift:
    put_features(a_day(storage, day), features)
    return profile_day(a_day(storage, day, **profiling), "v1")


def darker(rows: int, seed: int) -> pd.DataFrame:
    features = features_of(rows, seed)
    return features.assign(**{"image.Brightness.mean": features["image.Brightness.mean"] - 3})


def test_after_acceptance_such_days_are_usual_and_so_are_clean_ones_and_a_third_kind_alarms(storage):
    assert judged(storage, features_of(150, 2, blurred=150)).verdict == "drifted"
    state = accept(monitor(storage), [DAY], ACCEPTED)
    blurred = judged(storage, features_of(150, 2, blurred=150))
    assert (blurred.verdict, blurred.state, blurred.nearest) == ("ok", state.name, state.name)
    assert [(row.name, row.verdict) for row in blurred.states] == [("training", "drifted"), (state.name, "ok")]
    repaired = judged(storage, features_of(150, 3))
    assert (repaired.verdict, repaired.state) == ("ok", "training")
    third = judged(storage, darker(150, 4))
    assert (third.verdict, third.state, third.nearest) == ("drifted", None, "training")
    assert third.drifted_features == ("image.Brightness.mean",)
    half = judged(storage, features_of(150, 5, blurred=75))
    assert (half.verdict, half.state) == ("drifted", None)  # like neither: half of the cameras are repaired


def test_its_own_days_and_those_before_keep_their_verdict_when_they_run_again(storage):
    state = accept(monitor(storage), [DAY], ACCEPTED)
    before = judged(storage, features_of(150, 2, blurred=150), DAY - timedelta(days=1))
    assert (before.verdict, before.states) == ("drifted", ())
    assert profile_day(a_day(storage), "v1").verdict == "drifted"
    assert state.history == (ACCEPTED,)


def test_the_same_day_judged_twice_gives_the_same_bytes(storage):
    accept(monitor(storage), [DAY], ACCEPTED)
    files = []
    for _ in range(2):
        judged(storage, features_of(150, 2, blurred=150))
        files.append(storage.read_bytes(a_day(storage, LATER).keys.drift))
    assert files[0] == files[1]


def test_withdrawn_it_is_usual_no_more_and_accepted_again_it_is(storage):
    state = accept(monitor(storage), [DAY], ACCEPTED)
    assert accept(monitor(storage), [DAY], ACCEPTED).history == (ACCEPTED,)  # the same again changes nothing
    assert [withdraw(monitor(storage), state.name, WITHDRAWN).history[-1].reason for _ in range(2)] == [
        "it was dirt"
    ] * 2
    assert judged(storage, features_of(150, 2, blurred=150)).verdict == "drifted"
    again = accept(monitor(storage), [DAY], ACCEPTED)
    assert [decision.what for decision in again.history] == ["accepted", "withdrawn", "accepted"]
    assert judged(storage, features_of(150, 2, blurred=150)).state == state.name


def test_what_cannot_be_accepted_is_said(storage):
    with pytest.raises(NeedsAttention, match=r"2026-03-09: no images were taken in"):
        accept(monitor(storage), [date(2026, 3, 9)], ACCEPTED)
    put_features(a_day(storage, LATER), features_of(20, 9))
    with pytest.raises(NeedsAttention, match="20 images are too few for a state; 50 are needed"):
        accept(monitor(storage), [LATER], ACCEPTED)
    with pytest.raises(NeedsAttention, match="no day is named"):
        accept(monitor(storage), [], ACCEPTED)
    with pytest.raises(NeedsAttention, match="'training' cannot be the name of a state"):
        accept(monitor(storage), [DAY], ACCEPTED, "training")
    accept(monitor(storage), [DAY], ACCEPTED, "lens")
    with pytest.raises(NeedsAttention, match=r"the state lens is made of other days already \(2026-03-04\)"):
        accept(monitor(storage), [DAY, LATER], ACCEPTED, "lens")
    with pytest.raises(NeedsAttention, match="nothing is no accepted state; these are: lens"):
        withdraw(monitor(storage), "nothing", WITHDRAWN)


def answered_by(day: DayStore, version: str) -> None:
    day.storage.write_json(day.keys.ingest, {**samples.INGEST, "model_version": version})


def other(n: int, seed: int) -> tuple[np.ndarray, np.ndarray]:
    """Other content, and more dogs."""
    embeddings, predictions = seen(n, seed, dogs=0.9)
    return (embeddings + 4 * np.random.default_rng(7).normal(size=embeddings.shape[1])).astype("float16"), predictions


def test_content_and_predictions_are_usual_too_where_the_model_has_answered_the_accepted_days(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    put_held_out(storage)
    put_predictions(a_day(storage), *other(300, 5))
    answered_by(a_day(storage), "v1")
    features = features_of(300, 1).assign(image_id=storage.read_table(a_day(storage).keys.features)["image_id"])
    storage.write_table(a_day(storage).keys.features, features)
    state = accept(monitor(storage), [DAY], ACCEPTED)
    (made,) = prepare_states(monitor(storage), "v1")
    assert made == StateOfModel(images=300, left_out={})
    put_predictions(a_day(storage, LATER), *other(200, 6))
    drift = judge_content_and_predictions(a_day(storage, LATER), "v1")
    assert (drift.content.verdict, drift.content.state) == ("ok", state.name)
    assert (drift.predictions.verdict, drift.predictions.state) == ("ok", state.name)
    assert drift.predictions.classes[1].reference > 0.8
    put_predictions(a_day(storage, LATER), *seen(200, 8))
    drift = judge_content_and_predictions(a_day(storage, LATER), "v1")
    assert (drift.content.state, drift.predictions.state) == ("training", "training")
    assert a_day(storage, LATER).read(ContentDrift) == drift


def test_a_day_without_answers_is_in_the_state_when_it_is_accepted_again_with_them(storage):
    put_held_out(storage)
    before = accept(monitor(storage), [DAY], ACCEPTED)
    (made,) = prepare_states(monitor(storage), "v1")
    assert (made.images, set(made.left_out)) == (0, {"2026-03-04"})
    features = storage.read_table(a_day(storage).keys.features)
    put_predictions(a_day(storage), *other(200, 5))
    answered_by(a_day(storage), "v1")
    storage.write_table(a_day(storage).keys.features, features.assign(image_id=[f"{n:064x}" for n in range(200)]))
    assert accept(monitor(storage), [DAY], ACCEPTED) == before
    (made,) = prepare_states(monitor(storage), "v1")
    assert made == StateOfModel(images=200, left_out={})
    put_predictions(a_day(storage, LATER), *other(200, 6))
    drift = judge_content_and_predictions(a_day(storage, LATER), "v1")
    assert (drift.content.state, drift.predictions.state) == (before.name, before.name)


def test_what_a_state_has_of_a_day_stays_when_the_day_is_gone_and_another_comes(storage):
    put_held_out(storage)
    days = [DAY, LATER]
    put_features(a_day(storage, LATER), features_of(200, 2, blurred=200))
    put_predictions(a_day(storage), *other(200, 5))
    answered_by(a_day(storage), "v1")
    storage.write_table(
        a_day(storage).keys.features, features_of(200, 1).assign(image_id=[f"{n:064x}" for n in range(200)])
    )
    accept(monitor(storage), days, ACCEPTED)
    (made,) = prepare_states(monitor(storage), "v1")
    assert (made.images, set(made.left_out)) == (200, {str(LATER)})
    storage.delete(a_day(storage).keys.predictions)
    put_predictions(a_day(storage, LATER), *other(200, 6))
    answered_by(a_day(storage, LATER), "v1")
    assert prepare_states(monitor(storage), "v1") == [made]


def test_answers_of_production_with_a_class_that_is_gone_are_none_of_a_state(storage):
    put_held_out(storage)
    logged = {"path": "answers/{day}/*", "columns": {"key": "file", "prediction": "class"}}
    config = monitor(storage).config.model_dump(exclude_unset=True)
    store = MonitorStore(
        storage, MonitorConfig.model_validate({**config, "model": {"predictions": "logged", "logged": logged}})
    )
    embeddings, predictions = other(300, 5)
    put_predictions(store.day(DAY), embeddings, np.where(np.arange(300) < 20, "ferret", predictions))
    features = features_of(300, 1).assign(image_id=[f"{number:064x}" for number in range(300)])
    storage.write_table(store.day(DAY).keys.features, features)
    state = accept(store, [DAY], ACCEPTED)
    assert prepare_states(store, "v1") == [StateOfModel(images=280, left_out={})]
    usual = store.read(store.keys.reference_predictions(store.keys.state_place(state.name, "v1")), UsualPredictions)
    assert sum(usual.counts.values()) == 280


def test_where_the_inputs_are_gone_the_state_says_so_and_keeps_what_can_be_kept(storage):
    usual = UsualPredictions(images=300, counts={"cat": 150, "dog": 150})
    storage.write_json(monitor(storage).keys.reference_predictions("v2"), usual.stored())
    state = accept(monitor(storage), [DAY], ACCEPTED)
    (made,) = prepare_states(monitor(storage), "v2")
    assert made.images == 0
    assert "inputs" in made.left_out["2026-03-04"]
    assert judged(storage, features_of(150, 2, blurred=150)).state == state.name


def test_the_nearest_state_is_the_one_that_the_day_is_like_then_by_p_then_by_the_size_of_the_difference():
    like, unlike = Outcome("ok", 0.004, 0.5), Outcome("drifted", 0.9, 0.1)
    assert nearest([unlike, like]) == 1
    assert nearest([Outcome("ok", 0.3, 0.1), Outcome("ok", 0.7, 0.4)]) == 1
    assert nearest([Outcome("drifted", 0.0002, 0.5), Outcome("drifted", 0.0002, 0.4)]) == 1
    untested = Outcome("not_enough_evidence", None, float("nan"))
    assert told(["training", "lens"], [untested, untested])["state"] is None
    assert told(["training"], [like]) == {"state": "training"}
