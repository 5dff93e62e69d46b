"""The days before are read as they were judged; a day that is scored again keeps its earlier results."""

from __future__ import annotations

import re
from datetime import date, timedelta

from tests.driftwatch.artifacts import samples
from tests.driftwatch.artifacts.checks import read_whole

from driftwatch.accuracy.history import MOST_DAYS, days_before, performances, scored_day, verdict_changed
from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage

from .days import evaluated, with_settings, write_small_day


def test_late_labels_score_the_day_again_and_its_earlier_verdict_is_kept(
    storage: Storage, monitor: MonitorConfig
) -> None:
    day = write_small_day(storage, monitor, 5, labels=20, wrong=0)
    assert evaluated(storage, day, monitor).revisions == ()
    write_small_day(storage, monitor, 5, labels=60, wrong=0)
    late = evaluated(storage, day, monitor)
    assert late.verdict == "ok"
    (first,) = late.revisions
    assert (first.revision, first.verdict, first.accuracy, first.labels) == (1, "not_enough_evidence", 1.0, 20)
    assert evaluated(storage, day, monitor) == late
    write_small_day(storage, monitor, 5, labels=60, wrong=40)
    worse = evaluated(storage, day, monitor)
    assert [earlier.verdict for earlier in worse.revisions] == ["not_enough_evidence", "ok"]
    assert verdict_changed(worse)


def test_an_outcome_that_is_the_same_again_is_no_revision_and_no_change(
    storage: Storage, monitor: MonitorConfig
) -> None:
    day = write_small_day(storage, monitor, 5, labels=60, wrong=0)
    evaluated(storage, day, monitor)
    write_small_day(storage, monitor, 5, labels=55, wrong=0)
    fewer = evaluated(storage, day, monitor)
    assert [(earlier.labels, earlier.verdict) for earlier in fewer.revisions] == [(60, "ok")]
    assert not verdict_changed(fewer)


def test_days_before_are_those_with_evidence_as_far_back_as_the_trend_looks(
    storage: Storage, monitor: MonitorConfig
) -> None:
    store, day = MonitorStore(storage, monitor), date(2026, 1, 10)
    written = {
        day - timedelta(days=MOST_DAYS + 1): samples.PERFORMANCE,
        day - timedelta(days=MOST_DAYS): samples.PERFORMANCE,
        day - timedelta(days=3): samples.EARLY,
        day - timedelta(days=2): samples.PERFORMANCE,
        day: samples.PERFORMANCE,
    }
    for at, found in written.items():
        storage.write_json(store.keys.day(at).performance, found | {"day": at.isoformat()})
    assert [found.day for found in days_before(store, day)] == [
        day - timedelta(days=MOST_DAYS),
        day - timedelta(days=2),
    ]
    assert [found.day for found in performances(store, day - timedelta(days=3), day)] == [*written][2:]


def test_a_past_day_has_what_its_file_says(storage: Storage, monitor: MonitorConfig) -> None:
    day = write_small_day(storage, monitor, 5, labels=60, wrong=40)
    monitor = with_settings(monitor, policy=("floor", "drop"))
    found = evaluated(storage, day, monitor)
    (past,) = days_before(MonitorStore(storage, monitor), date(2026, 1, 6))
    assert (past.day, past.model_version, past.classes, past.fired) == (day.day, "v1", ("cat", "dog"), True)
    assert (past.evidence.labels, past.evidence.right, past.usual) == (60, 20, found.usual)
    assert (past.counted, round(past.counted.agreement, 2), past.counted.labels) == (found.counted, 0.33, 60)
    assert scored_day(read_whole(storage, day.performance, Performance)).evidence.sums() == found.evidence


def test_a_damaged_day_is_left_out_and_named(storage: Storage, monitor: MonitorConfig, caplog) -> None:
    store, day = MonitorStore(storage, monitor), date(2026, 1, 10)
    storage.write_json(store.keys.day(day).performance, samples.PERFORMANCE | {"fired": "yes"})
    assert performances(store, day, day) == []
    assert re.search(r"Left out .*performance\.json fired.*driftwatch migrate file://", caplog.text)
