"""One value with all that a function needs of a monitor, or of one of its days: the storage, the keys, and the monitor file."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from functools import cache
from typing import TYPE_CHECKING, TypeVar

from driftwatch.artifacts import base
from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.days import stored_days
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.credentials import Access, ReadAccess, server_access
from driftwatch.storage import open_storage
from driftwatch.storage.elsewhere import Elsewhere

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig
    from driftwatch.storage import Storage

A = TypeVar("A", bound=base.Artifact)
D = TypeVar("D", bound=base.DayArtifact)


@dataclass(frozen=True)
class MonitorStore:
    """One monitor's storage and monitor file; `keys` says where each artifact of it lives. `read_access` reads the Airflow connections of
    the team's own servers, such as a model server. `elsewhere` opens the storage of images that lie apart (`images.layout`)."""

    storage: Storage
    config: MonitorConfig
    read_access: ReadAccess = server_access
    elsewhere: Elsewhere = field(default_factory=lambda: cache(open_storage))

    @property
    def keys(self) -> MonitorKeys:
        return MonitorKeys(self.config.name)

    def with_config(self, config: MonitorConfig) -> MonitorStore:
        """The same storage, for a monitor file with other settings."""
        return replace(self, config=config)

    def access(self, connection: str, needed_by: str) -> Access:
        """How the team's own server behind an Airflow connection is reached. `needed_by`: the setting that names it."""
        return self.read_access(connection, needed_by)

    def day(self, day: date) -> DayStore:
        return DayStore(self, day)

    def days(self) -> list[date]:
        """The days that have a folder, in order."""
        return stored_days(self.storage, self.keys)

    def read(self, key: str, kind: type[A]) -> A:
        """The artifact at `key`. Raises the errors of `artifacts.base.read`."""
        return base.read(self.storage, key, kind)

    def find(self, key: str, kind: type[A]) -> A | None:
        """The artifact at `key`, or None where there is none."""
        return base.find(self.storage, key, kind)

    def write(self, key: str, artifact: base.Artifact) -> None:
        """Replaces the artifact at `key` whole."""
        base.write(self.storage, key, artifact)


@dataclass(frozen=True)
class DayStore:
    """One day of a monitor. `date` is the run's own date, UTC."""

    monitor: MonitorStore
    date: date

    @property
    def storage(self) -> Storage:
        return self.monitor.storage

    @property
    def config(self) -> MonitorConfig:
        return self.monitor.config

    @property
    def keys(self) -> DayKeys:
        return DayKeys(self.config.name, self.date)

    def with_config(self, config: MonitorConfig) -> DayStore:
        """The same day, for a monitor file with other settings."""
        return replace(self, monitor=self.monitor.with_config(config))

    def key(self, kind: type[base.DayArtifact]) -> str:
        return self.keys.file(kind.file)

    def read(self, kind: type[D]) -> D:
        """The day's artifact of this kind. Raises the errors of `artifacts.base.read`."""
        return base.read(self.storage, self.key(kind), kind)

    def find(self, kind: type[D]) -> D | None:
        """The day's artifact of this kind, or None where no step has written it."""
        return base.find(self.storage, self.key(kind), kind)

    def has(self, kind: type[base.DayArtifact]) -> bool:
        return self.storage.exists(self.key(kind))

    def write(self, artifact: base.DayArtifact) -> None:
        """Replaces the day's artifact of this kind whole."""
        base.write(self.storage, self.key(type(artifact)), artifact)
