"""Features of large images that were made in two ways are never compared (docs/decisions/0092)."""

from __future__ import annotations

import logging
from datetime import date, datetime, timedelta, timezone

import pandas as pd
import pytest

from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.reference import BaselineDecision, ReferenceSettings
from driftwatch.drift.accepted import accept
from driftwatch.drift.decoding import decoding_for
from driftwatch.drift.image_quality import build_image_reference, profile_day
from driftwatch.drift.reference import Reference
from driftwatch.errors import NeedsAttention
from driftwatch.storage import Storage, open_storage

from .days import DAY, a_day, features_of, monitor, put_features

LATER = DAY + timedelta(days=1)
ACCEPTED = BaselineDecision(what="accepted", by="ann", at=datetime(2026, 3, 5, 9, tzinfo=timezone.utc), reason="new")
SIZE = ["image.ImagePixelWidth", "image.ImagePixelHeight"]


def of_size(features: pd.DataFrame, width: int, height: int) -> pd.DataFrame:
    return features.assign(**dict(zip(SIZE, (float(width), float(height)), strict=True)))


def large(rows: int, seed: int, blurred: int = 0) -> pd.DataFrame:
    return of_size(features_of(rows, seed, blurred), 4000, 3000)


def put(storage: Storage, features: pd.DataFrame, decoding: int, day: date = DAY) -> None:
    put_features(a_day(storage, day), features)
    counts = {"day": day, "listed": 200, "accepted": 200, "duplicate": 0, "quarantined": 0, "reasons": {}}
    way = {"decoding": 2} if decoding == 2 else {}
    a_day(storage, day).write(Ingest(**counts, **way, model_version="v1", input_size=96))


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}")


def test_a_day_is_taken_in_as_the_reference_was_that_it_is_compared_with(storage):
    store = monitor(storage)
    assert decoding_for(store, "v1") == 2  # no reference yet
    for version, features, decoding, expected in (
        ("old", large(100, 0), 1, 1),
        ("new", large(100, 0), 2, 2),
        ("small", of_size(features_of(100, 0), 500, 375), 1, 2),
    ):
        build_image_reference(store, version, features, decoding)
        assert decoding_for(store, version) == expected
    stored = store.read(store.keys.reference("small"), ReferenceSettings)
    assert "decoding" not in stored.model_fields_set
    assert Reference.load(store, "small").decoding is None


@pytest.mark.parametrize("of_reference", [1, 2])
@pytest.mark.parametrize("of_day", [1, 2])
def test_only_what_was_made_in_one_way_is_compared(storage, of_reference, of_day):
    build_image_reference(monitor(storage), "v1", large(400, 0), of_reference)
    put(storage, large(150, 1), of_day)
    if of_reference == of_day:
        assert profile_day(a_day(storage), "v1").verdict == "ok"
    else:
        with pytest.raises(NeedsAttention, match="take the day in again"):
            profile_day(a_day(storage), "v1")


def test_where_the_reference_or_the_day_has_no_large_image_there_is_one_way_only(storage):
    build_image_reference(monitor(storage), "v1", of_size(features_of(400, 0), 500, 375), 1)
    for features, decoding in ((large(150, 1), 2), (of_size(features_of(150, 1), 500, 375), 1)):
        put(storage, features, decoding)
        assert profile_day(a_day(storage), "v1").verdict in ("ok", "drifted")


def test_an_accepted_state_of_another_way_is_left_out_with_a_word(storage, caplog):
    store = monitor(storage)
    build_image_reference(store, "v1", large(400, 0), 2)
    put(storage, large(200, 1, blurred=200), 1)
    state = accept(store, [DAY], ACCEPTED)
    put(storage, large(150, 2, blurred=150), 2, LATER)
    with caplog.at_level(logging.WARNING):
        assert profile_day(a_day(storage, LATER), "v1").verdict == "drifted"
    assert state.name in caplog.text
    assert "left out" in caplog.text


def test_days_of_two_ways_are_no_state(storage):
    put(storage, large(200, 1), 1)
    put(storage, large(200, 2), 2, LATER)
    with pytest.raises(NeedsAttention, match=f"{DAY}: 1, {LATER}: 2"):
        accept(monitor(storage), [DAY, LATER], ACCEPTED)


def test_a_trailing_baseline_has_days_of_the_days_own_way_alone(storage):
    settings = {"baseline": "trailing", "trailing_days": 2}
    days = [DAY + timedelta(days=number) for number in range(5)]
    build_image_reference(monitor(storage), "v1", large(400, 0), 2)
    build_image_reference(monitor(storage), "v0", large(400, 0), 1)

    def judged(number: int, decoding: int) -> tuple[date, ...]:
        put(storage, large(150, number), decoding, days[number])
        day = a_day(storage, days[number])
        day = day.with_config(
            day.config.model_copy(update={"reference": day.config.reference.model_copy(update=settings)})
        )
        return profile_day(day, "v0" if decoding == 1 else "v1").baseline_days

    assert [judged(0, 1), judged(1, 1), judged(2, 1)] == [(), (), tuple(days[:2])]
    assert judged(3, 2) == ()
    assert Ingest.model_fields["decoding"].default == 1
