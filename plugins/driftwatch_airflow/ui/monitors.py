"""The monitors that the pages show, each with the cache of its artifacts, and the files that were refused."""

from __future__ import annotations

import threading
import time
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as TooLate
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.config.loader import load_monitors, load_or_refuse
from driftwatch.config.refusals import shown
from driftwatch.errors import ConfigError, DriftwatchError
from driftwatch.view.artifacts import Artifacts
from driftwatch_airflow.refused import refused_dag_id
from driftwatch_airflow.stores import images_elsewhere, storage_of

if TYPE_CHECKING:
    from collections.abc import Callable

_TABLES_KEPT = 24
PATIENCE = 20.0  # seconds in which a storage must answer, if a page shows other monitors too


@dataclass(frozen=True)
class Site:
    """One monitor, for as long as its file stays as it is.

    `readers`: the threads that read in the background, for all sites. `drawn`: what was last made of the days, for the charts. `asked`:
    the readings that still go on.
    """

    config: MonitorConfig
    readers: ThreadPoolExecutor
    drawn: dict[str, tuple[Any, str]] = field(default_factory=dict)
    asked: dict[str, Future[Any]] = field(default_factory=dict)
    caches: dict[str, Artifacts] = field(default_factory=dict)

    # No cached_property: before Python 3.12 all instances share its lock, and one storage that hangs would hold the others up.
    @property
    def artifacts(self) -> Artifacts:
        """Reads what the days left. Made when it is needed, since the storage's connection may be missing."""
        if "artifacts" not in self.caches:
            elsewhere = images_elsewhere(self.config)
            store = MonitorStore(storage_of(self.config), self.config, elsewhere=elsewhere)
            self.caches.setdefault("artifacts", Artifacts(store))
        return self.caches["artifacts"]

    @property
    def tables(self) -> Artifacts:
        """The small cache of large things, such as the features of a day."""
        if "tables" not in self.caches:
            self.caches.setdefault("tables", Artifacts(self.artifacts.store, _TABLES_KEPT))
        return self.caches["tables"]

    def start_reading(self, read: Callable[[Site], Any]) -> Future[Any]:
        """Starts `read(self)` in the background. If an earlier one still hangs, gives that one and starts none."""
        asked = self.asked.get(read.__qualname__)
        if asked is None or asked.done():
            asked = self.asked[read.__qualname__] = self.readers.submit(read, self)
        return asked

    def has_read(self, asked: Future[Any], deadline: float) -> Any:
        """What `start_reading` found. Raises DriftwatchError if the storage has not answered by `deadline` (in time.monotonic)."""
        try:
            return asked.result(max(0.0, deadline - time.monotonic()))
        except TooLate as error:
            raise DriftwatchError(
                f"{self.config.storage.uri} has not answered within {PATIENCE:.0f} s: see whether it is up, then load this page again"
            ) from error


@dataclass(frozen=True)
class RefusedFile:
    """A monitor file that was refused: its name, why, and the DAG that says so too."""

    name: str
    reason: str
    dag_id: str


class Sites:
    """The monitors of this process, each with what was read of it.

    The application of the pages makes it and keeps it in `app.state.sites`. A monitor's site is made when its file is first asked for. When
    the file has changed, a new site with empty caches takes its place. When the file is gone, its site goes too.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._known: dict[Path, tuple[Any, Site | ConfigError]] = {}
        self._readers = ThreadPoolExecutor(max_workers=16, thread_name_prefix="driftwatch-pages")

    def valid(self) -> dict[str, Site]:
        """Every monitor whose file is valid, by name."""
        return {site.config.name: site for _, site in self._files() if isinstance(site, Site)}

    def refused(self) -> list[RefusedFile]:
        """Every monitor file that was refused, by name."""
        return [
            RefusedFile(shown(path.name), str(error), refused_dag_id(path))
            for path, error in self._files()
            if isinstance(error, ConfigError)
        ]

    def _files(self) -> list[tuple[Path, Site | ConfigError]]:
        def load(path: Path) -> MonitorConfig | ConfigError:
            held = self._read(path)
            return held.config if isinstance(held, Site) else held

        with self._lock:
            found = [
                # A file that is valid by itself is refused if another file has the same monitor name.
                (path, self._read(path) if isinstance(monitor, MonitorConfig) else monitor)
                for path, monitor in load_monitors(load=load)
            ]
            for gone in self._known.keys() - {path for path, _ in found}:
                del self._known[gone]
        return found

    def _read(self, path: Path) -> Site | ConfigError:
        """The file's site or refusal, kept until the file changes."""
        try:
            stat = path.stat()
            changed: Any = (stat.st_mtime_ns, stat.st_size, stat.st_ino)
        except OSError as error:  # a link that leads nowhere; reading the file says so
            changed = str(error)
        held = self._known.get(path)
        if held is None or held[0] != changed:
            monitor = load_or_refuse(path)
            site = Site(monitor, self._readers) if isinstance(monitor, MonitorConfig) else monitor
            held = self._known[path] = (changed, site)
        return held[1]
