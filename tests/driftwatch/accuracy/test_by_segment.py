"""A day's evaluation with segments: which are judged, on which days' labels, what is written, and what an alert of a segment does."""

from __future__ import annotations

import pytest
from tests.stores import day_store

from driftwatch.accuracy.evaluate import evaluate_day
from driftwatch.accuracy.later_days import outdated
from driftwatch.artifacts.accuracy import Performance
from driftwatch.config import MonitorConfig
from driftwatch.config.segment_accuracy import SegmentAccuracyConfig
from driftwatch.config.segments import SegmentConfig
from driftwatch.storage import Storage
from driftwatch.view.segment_accuracy import segment_reasons
from driftwatch.view.verdicts import reasons

from .days import CARD, HOLDOUT, evaluated, with_settings, write_small_day
from .segment_days import with_cameras, write_days


@pytest.fixture
def divided(monitor: MonitorConfig) -> MonitorConfig:
    return monitor.model_copy(update={"segments": {"camera": SegmentConfig(key="^([^/]+)/")}})


def by_name(found: Performance) -> dict[str, tuple]:
    return {each.name: (each.by, each.verdict, each.labels, each.days, each.images) for each in found.segments}


def test_a_bad_camera_is_named_by_its_labels_of_some_days_and_the_day_stays_as_it_is(
    storage: Storage, divided: MonitorConfig
) -> None:
    days = [evaluated(storage, day, divided) for day in write_days(storage, divided, 3)]
    assert by_name(days[0])["door-2"] == ("camera", "alert", 10, 1, 10)
    assert by_name(days[2]) == {
        "door-2": ("camera", "alert", 30, 3, 10),
        "dog": ("predicted_class", "alert", 24, 3, 8),
        "door-1": ("camera", "ok", 30, 1, 70),
        "cat": ("predicted_class", "ok", 32, 1, 72),
    }
    assert [day.verdict for day in days] == ["ok", "ok", "ok"]
    assert days[0].own_verdict is None
    worst = days[2].segments[0]
    assert set(worst.examples) <= {f"d{day}-{number:03d}" for day in (5, 6, 7) for number in range(8)}
    (found,) = days[2].slices
    assert [(each.by, each.name) for each in found.where] == [("predicted_class", "dog")]
    assert (found.labels, found.accuracy.value, found.days) == (24, 0.0, 3)


def test_a_day_evaluated_twice_has_the_same_bytes_and_the_table_that_later_days_read(
    storage: Storage, divided: MonitorConfig
) -> None:
    days = write_days(storage, divided, 2)
    written = []
    for _ in range(2):
        for day in days:
            evaluated(storage, day, divided)
        written.append([storage.read_bytes(key) for day in days for key in (day.performance, day.labelled)])
    assert written[0] == written[1]
    table = storage.read_table(days[0].labelled)
    assert list(table.columns)[:6] == ["image_id", "label", "prediction", "weight", "stratum", "segment.camera"]
    assert (len(table), set(table["weight"])) == (40, {1.0})


def test_without_segments_nothing_is_judged_searched_or_written(storage: Storage, monitor: MonitorConfig) -> None:
    (day,) = write_days(storage, monitor, 1)
    found = evaluated(storage, day, monitor)
    assert {"segments", "slices", "own_verdict"}.isdisjoint(found.model_dump(exclude_unset=True))
    assert not storage.exists(day.labelled)


def test_slices_may_be_searched_without_segments_and_left_out_with_them(
    storage: Storage, monitor: MonitorConfig, divided: MonitorConfig
) -> None:
    (day,) = write_days(storage, monitor, 1)
    always = with_settings(monitor, segments=SegmentAccuracyConfig(slices="always", min_labels=5))
    found = evaluated(storage, day, always)
    assert (found.segments, [each.where[0].name for each in found.slices]) == ((), ["dog"])
    never = with_settings(divided, segments=SegmentAccuracyConfig(slices="never"))
    assert evaluated(storage, day, never).slices == ()


def test_an_alert_of_a_segment_makes_the_day_one_where_the_monitor_says_so(
    storage: Storage, divided: MonitorConfig
) -> None:
    alerting = with_settings(divided, segments=SegmentAccuracyConfig(alerts="alert"))
    (day,) = write_days(storage, alerting, 1)
    found = evaluate_day(day_store(storage, day, alerting), HOLDOUT, reasons, segment_reasons)
    assert (found.verdict, found.severity, found.own_verdict, found.fired) == ("alert", "warning", "ok", False)
    assert found.reasons[0].startswith("Camera door-2: 20 % [")
    assert "lower than the 100 % [89, 100] of the other images (p < 0.0001, all segments together)." in found.reasons[0]
    assert "no rule of the policy fires" in found.reasons[-1]
    storage.write_json("demo/models/v1/card.json", CARD)
    store = day_store(storage, day, alerting).monitor
    assert outdated(store, [found]) == []


def test_days_without_a_table_or_without_the_segmentation_in_it_are_not_pooled(
    storage: Storage, divided: MonitorConfig
) -> None:
    first, second, third = write_days(storage, divided, 3)
    evaluated(storage, first, divided)
    storage.delete(first.labelled)
    evaluated(storage, second, divided)
    table = storage.read_table(second.labelled)
    storage.write_table(second.labelled, table.drop(columns="segment.camera"))
    assert by_name(evaluated(storage, third, divided))["door-2"][2:4] == (10, 2)


def test_days_of_another_model_are_not_pooled(storage: Storage, divided: MonitorConfig) -> None:
    other, first = write_days(storage, divided, 2)
    with_cameras(storage, write_small_day(storage, divided, 5, labels=40, wrong=8, version="v2"))
    evaluated(storage, other, divided)
    assert storage.exists(other.labelled)
    assert by_name(evaluated(storage, first, divided))["door-2"][2:4] == (10, 1)


def test_a_day_that_is_scored_again_without_a_label_leaves_none_of_its_old_ones_to_later_days(
    storage: Storage, divided: MonitorConfig
) -> None:
    first, second = write_days(storage, divided, 2)
    evaluated(storage, first, divided)
    write_small_day(storage, divided, 5, labels=0, wrong=8)
    assert evaluated(storage, first, divided).segments == ()
    assert by_name(evaluated(storage, second, divided))["door-2"][2:4] == (10, 1)
    assert not storage.exists(first.labelled)
