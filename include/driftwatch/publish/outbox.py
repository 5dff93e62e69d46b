"""Alerts on their way to people: first written down, then told to each recipient once.

Writing one down needs nothing but the storage, so no mail server decides what happens to a day. Who tells them notes each
recipient afterwards. A process that is killed between the two tells again: a message may come twice, and is never lost.
"""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import asdict, dataclass
from typing import Any

from driftwatch.artifacts.nested_keys import OutboxKeys
from driftwatch.config import NotifierConfig
from driftwatch.errors import DamagedArtifact
from driftwatch.remedies import broken
from driftwatch.storage import Storage
from driftwatch.storage.lock import exclusive

SCHEMA_VERSION = 1


@dataclass(frozen=True)
class Alert:
    """What a notifier's templates see as `alert`.

    `id`: the same for the same news of the same day, however often the step that found it runs.
    """

    id: str
    monitor: str
    day: str
    kind: str
    subject: str
    message: str


def alert_id(monitor: str, day: str, kind: str, content: Mapping[str, Any]) -> str:
    """The id of an alert; `content` is what makes it other news than the last of its kind."""
    said = json.dumps([monitor, day, kind, content], sort_keys=True, default=str)
    return f"{kind}-{hashlib.sha256(said.encode()).hexdigest()[:16]}"


def recipient(entry: NotifierConfig) -> str:
    """The name under which a notifier of the monitor file is noted: its class, and a hash of its arguments, which may hold secrets."""
    arguments = json.dumps([entry.notifier, entry.arguments], sort_keys=True, default=str)
    name = re.sub(r"\W", "_", entry.notifier.rsplit(".", 1)[-1])[:60]
    return f"{name}-{hashlib.sha256(arguments.encode()).hexdigest()[:12]}"


class Outbox:
    """The alerts of one day or one retraining, one for each `source` that may have one: `<folder>/<source>.json`."""

    def __init__(self, storage: Storage, folder: str) -> None:
        self.storage = storage
        self.keys = OutboxKeys(folder)

    def put(self, source: str, alert: Alert) -> None:
        """What `source` has to tell from now on, in place of what it had before."""
        self.storage.write_json(self.keys.alert(source), {"schema_version": SCHEMA_VERSION, **asdict(alert)})

    def withdraw(self, source: str) -> None:
        """`source` has nothing to tell, or no longer: what is not told yet never is, and the same news would be new."""
        entry = self.keys.alert(source)
        if not self.storage.exists(entry):
            return
        with suppress(DamagedArtifact):  # of which news it was is not known any more; what decides the day goes on
            told = f"{self.keys.told_of(self._read(entry).id)}/"
            for item in self.storage.list(self.keys.told):
                if item.key.startswith(told):
                    self.storage.delete(item.key)
        self.storage.delete(entry)

    def alerts(self) -> list[Alert]:
        """What there is to tell, told or not, by source."""
        found = [item.key for item in self.storage.list(self.keys.folder)]
        return [self._read(key) for key in self.keys.alerts_among(found)]

    def is_told(self, alert: Alert, to: str) -> bool:
        """Whether `to` was told."""
        return self.storage.exists(self.keys.note(alert.id, to))

    def tell(self, alert: Alert, to: str, send: Callable[[], object]) -> bool:
        """Calls `send` unless `to` was told already, and notes it; whether it did. Of two at once, one waits and finds the note.

        Raises what `send` raises; the alert is then still to be told.
        """
        note = self.keys.note(alert.id, to)
        with exclusive(self.storage, self.keys.lock(alert.id, to)) as lock:
            if self.storage.exists(note):
                return False
            lock.check()
            send()
            self.storage.write_json(note, {"to": to, "subject": alert.subject})
        return True

    def _read(self, key: str) -> Alert:
        found = self.storage.read_json(key)
        try:
            return Alert(**{name: str(found[name]) for name in Alert.__dataclass_fields__})
        except (KeyError, TypeError) as error:
            raise broken(self.storage.url(key), key, f"is no alert ({type(error).__name__}: {error})") from error
