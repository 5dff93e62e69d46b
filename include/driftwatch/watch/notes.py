"""What people are told of findings: each once when it begins, again each week, and when it is over."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING

from driftwatch.artifacts.watch import OpenFinding, WatchNotes
from driftwatch.storage.lock import exclusive
from driftwatch.watch.findings import FINDINGS, Finding

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore
    from driftwatch.watch.look import Looked


@dataclass(frozen=True)
class Told:
    """`notes`: how the findings stand after a look. `news`: what there is to tell of it."""

    notes: WatchNotes
    news: tuple[Finding, ...]


def after_look(before: WatchNotes, looked: Looked, at: datetime, remind_days: int) -> Told:
    """The notes after a look at the moment `at`. A finding of a kind that was not looked at stays as it is. `remind_days`: as
    `episodes.remind_days`."""
    known = {note.kind: note for note in before.findings}
    found = {finding.kind: finding for finding in looked.findings}
    notes: list[OpenFinding] = []
    news: list[Finding] = []
    for each in FINDINGS:
        note, finding = known.get(each.kind), found.get(each.kind)
        if each.kind not in looked.kinds:
            notes += [note] if note else []
        elif finding and note:
            if remind_days and (at - note.told).days >= remind_days:
                note = note.model_copy(update={"told": at, "reminders": note.reminders + 1})
                news.append(replace(finding, since=note.since, event="reminder", reminder=note.reminders))
            notes.append(note)
        elif finding:
            since = finding.since.replace(microsecond=0)
            notes.append(OpenFinding(kind=each.kind, since=since, told=at, reminders=0))
            news.append(replace(finding, since=since))
        elif note:
            news.append(each(since=note.since, event="closed"))
    return Told(before.model_copy(update={"findings": tuple(notes)}), tuple(news))


@contextmanager
def noted(store: MonitorStore, at: datetime) -> Iterator[WatchNotes]:
    """The monitor's notes, or the first ones. Until the block ends no other process changes them. Write the new ones with `write_notes`,
    after what is to be told lies in the outbox: who is killed between the two finds the same news again."""
    with exclusive(store.storage, store.keys.watch_lock):
        yield store.find(store.keys.watch, WatchNotes) or WatchNotes(first=at.date(), findings=())


def write_notes(store: MonitorStore, before: WatchNotes, after: WatchNotes) -> None:
    """Replaces the notes where they have changed, or were never written."""
    if after != before or not store.storage.exists(store.keys.watch):
        store.write(store.keys.watch, after)
