"""Alerts on their way to people: first written down, then told to each recipient once.

Writing one down needs nothing but the storage, so no mail server decides what happens to a day. A later step tells them, and notes
each recipient afterwards. A process that is killed between the two tells again: a message may come twice, and is never lost.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable
from contextlib import suppress

from driftwatch.artifacts import base
from driftwatch.artifacts.alerts import Alert
from driftwatch.artifacts.nested_keys import OutboxKeys
from driftwatch.artifacts.publishing import OutboxAlert, ToldNote
from driftwatch.config import NotifierConfig
from driftwatch.errors import DamagedArtifact
from driftwatch.storage import Storage
from driftwatch.storage.lock import exclusive


def alert_id(monitor: str, alert: Alert) -> str:
    """The id of an alert: the same for the same news of the same day, however often the step that found it runs."""
    said = json.dumps([monitor, alert.about_day, alert.kind, alert.news], sort_keys=True)
    return f"{alert.kind}-{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def recipient(entry: NotifierConfig) -> str:
    """The name under which a notifier of the monitor file is noted: its class, and a hash of its arguments, which may hold secrets."""
    arguments = json.dumps([entry.notifier, entry.arguments], sort_keys=True, default=str)
    name = re.sub(r"\W", "_", entry.notifier.rsplit(".", 1)[-1])[:60]
    return f"{name}-{hashlib.sha256(arguments.encode()).hexdigest()[:12]}"


class Outbox:
    """The alerts of one day, of one retraining or of the models, one for each `source` that may have one: `<folder>/<source>.json`."""

    def __init__(self, storage: Storage, folder: str) -> None:
        self.storage = storage
        self.keys = OutboxKeys(folder)

    def put(self, source: str, alert: OutboxAlert) -> None:
        """What `source` has to tell from now on, in place of what it had before."""
        base.write(self.storage, self.keys.alert(source), alert)

    def withdraw(self, source: str, forget: bool = True) -> None:
        """`source` has nothing to tell, or nothing any more. What is not told yet is never told. The same news, when it comes again, is new,
        unless `forget` is off: then who was told of it is not told again."""
        entry = self.keys.alert(source)
        if not self.storage.exists(entry):
            return
        # Of a damaged alert nobody knows which news it was; the step that decides the day goes on.
        with suppress(DamagedArtifact):
            for note in self._notes(self._read(entry).id) if forget else ():
                self.storage.delete(note)
        self.storage.delete(entry)

    def told_already(self, alert_id: str, later: Outbox, source: str) -> None:
        """Whoever was told what `source` of the outbox `later` has is not told of the alert `alert_id` of this one: it is the same news."""
        entry = later.keys.alert(source)
        with suppress(DamagedArtifact):
            for note in later._notes(later._read(entry).id) if self.storage.exists(entry) else ():
                told = base.read(self.storage, note, ToldNote)
                base.write(self.storage, self.keys.note(alert_id, told.to), told)

    def _notes(self, alert_id: str) -> list[str]:
        """The keys of the notes of who was told of the alert."""
        told = f"{self.keys.told_of(alert_id)}/"
        return [item.key for item in self.storage.list(self.keys.told) if item.key.startswith(told)]

    def alerts(self) -> list[OutboxAlert]:
        """What there is to tell, told or not, by source."""
        found = [item.key for item in self.storage.list(self.keys.folder)]
        return [self._read(key) for key in self.keys.alerts_among(found)]

    def is_told(self, alert: OutboxAlert, to: str) -> bool:
        """Whether `to` was told."""
        return self.storage.exists(self.keys.note(alert.id, to))

    def tell(self, alert: OutboxAlert, to: str, send: Callable[[], object]) -> bool:
        """Calls `send` unless `to` was told already, and notes it; whether it did. Of two at once, one waits and finds the note.

        Raises what `send` raises; the alert is then still to be told.
        """
        note = self.keys.note(alert.id, to)
        with exclusive(self.storage, self.keys.lock(alert.id, to)) as lock:
            if self.storage.exists(note):
                return False
            lock.check()
            send()
            base.write(self.storage, note, ToldNote(to=to, subject=alert.subject))
        return True

    def _read(self, key: str) -> OutboxAlert:
        return base.read(self.storage, key, OutboxAlert)
