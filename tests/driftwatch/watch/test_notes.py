"""A finding is told when it begins, each week, and when it is over; and not in between."""

from __future__ import annotations

from datetime import date, datetime, timedelta, timezone

import pytest
from tests.driftwatch.watch.findings import one_of_each
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.watch import WatchNotes
from driftwatch.publish.outbox import alert_id
from driftwatch.storage import open_storage
from driftwatch.watch.findings import FINDINGS, DagsPaused
from driftwatch.watch.look import Looked
from driftwatch.watch.notes import after_look, noted, write_notes

AT = datetime(2026, 1, 21, 12, tzinfo=timezone.utc)
NONE = WatchNotes(first=date(2026, 1, 1), findings=())
ALL = frozenset(each.kind for each in FINDINGS)


def paused(at: datetime, *dags: str) -> Looked:
    found = (DagsPaused(since=at, dags=dags),) if dags else ()
    return Looked(found, frozenset({"dag_paused"}))


def events(hours: list[bool], remind_days: int = 7) -> dict[int, str]:
    """What is told in which hour, of a DAG that is paused in some of them."""
    notes, told = NONE, {}
    for hour, is_paused in enumerate(hours):
        at = AT + timedelta(hours=hour)
        after = after_look(notes, paused(at, *(["m"] if is_paused else [])), at, remind_days)
        notes = after.notes
        for finding in after.news:
            told[hour] = finding.event
    return told


def test_it_is_told_once_when_it_begins_and_once_when_it_is_over():
    assert events([False, True, True, True, False, False]) == {1: "opened", 4: "closed"}


def test_it_is_told_again_after_a_week_and_never_where_reminders_are_off():
    assert events([True] * 24 * 15) == {0: "opened", 168: "reminder", 336: "reminder"}
    assert events([True] * 24 * 15, remind_days=0) == {0: "opened"}


def test_each_message_has_an_id_of_its_own_and_the_same_when_a_killed_task_looks_again():
    ids, notes = [], NONE
    for day in (0, 7, 14, 15, 16):
        at = AT + timedelta(days=day)
        looked = paused(at, *(["m"] if day != 15 else []))
        again, after = after_look(notes, looked, at, 7), after_look(notes, looked, at, 7)
        assert [alert_id("m", news) for news in again.news] == [alert_id("m", news) for news in after.news]
        ids += [alert_id("m", news) for news in after.news]
        notes = after.notes
    assert len(ids) == len(set(ids)) == 5


def test_what_was_not_looked_at_stays_open_and_what_it_says_does_not_change_since():
    opened = after_look(NONE, paused(AT, "m"), AT, 7).notes
    later = AT + timedelta(hours=1)
    unknown = after_look(opened, Looked((), ALL - {"dag_paused"}), later, 7)
    assert (unknown.notes, unknown.news) == (opened, ())
    (over,) = after_look(opened, paused(later), later, 7).news
    assert (over.event, over.since, over.dags) == ("closed", AT, ())


@pytest.mark.parametrize("finding", one_of_each(), ids=lambda finding: finding.kind)
def test_every_kind_is_noted_and_closed(finding):
    opened = after_look(NONE, Looked((finding,), ALL), AT, 7)
    assert [note.kind for note in opened.notes.findings] == [finding.kind]
    (closed,) = after_look(opened.notes, Looked((), ALL), AT, 7).news
    assert (type(closed), closed.event) == (type(finding), "closed")


def test_the_notes_are_stored_and_name_the_day_of_the_first_look(tmp_path):
    store = monitor_store(open_storage(f"file://{tmp_path}"), MonitorKeys("demo"))
    with noted(store, AT) as before:
        write_notes(store, before, after_look(before, paused(AT, "m"), AT, 7).notes)
    with noted(store, AT + timedelta(days=3)) as found:
        assert found.first == AT.date()
        assert [(note.kind, note.since) for note in found.findings] == [("dag_paused", AT)]
