"""The monitors that the pages show, each with the cache of its artifacts."""

from __future__ import annotations

import threading
from dataclasses import dataclass, field
from typing import Any

from driftwatch.config import MonitorConfig
from driftwatch.dashboard.artifacts import Artifacts
from driftwatch.errors import ConfigError
from driftwatch.layout import MonitorLayout
from driftwatch.monitor_files import load_monitor, monitor_files
from driftwatch_airflow.monitor import storage_of

_TABLES_KEPT = 24
_lock = threading.Lock()
_known: dict[str, tuple[Any, Site]] = {}


@dataclass(frozen=True)
class Site:
    """One monitor. `tables` is the small cache of large things, such as the features of a day; `drawn`, what was made of the days last."""

    config: MonitorConfig
    layout: MonitorLayout
    artifacts: Artifacts
    tables: Artifacts
    drawn: dict[str, tuple[Any, str]] = field(default_factory=dict)


def sites() -> dict[str, Site]:
    """Every monitor whose file is valid, by name; a file that changed is read anew. A refused one has its DAG to say so."""
    found = {}
    with _lock:
        for path in monitor_files():
            changed = (path.stat().st_mtime_ns, path.stat().st_size)
            held = _known.get(str(path))
            if held is None or held[0] != changed:
                try:
                    held = (changed, _site(load_monitor(path)))
                except ConfigError:
                    continue
                _known[str(path)] = held
            found[held[1].config.name] = held[1]
    return found


def _site(config: MonitorConfig) -> Site:
    storage = storage_of(config)
    return Site(config, MonitorLayout(config.name), Artifacts(storage), Artifacts(storage, _TABLES_KEPT))
