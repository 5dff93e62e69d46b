"""The monitor file that every command takes, and what follows from it."""

from __future__ import annotations

import argparse
from pathlib import Path

from driftwatch.artifacts.store import MonitorStore
from driftwatch.cli.failures import explain
from driftwatch.config.loader import load_monitor
from driftwatch.errors import StorageFailed
from driftwatch.storage import open_storage


def monitor_argument(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("monitor", type=Path, metavar="MONITOR.yaml", help="the monitor file")


def monitor_of(options: argparse.Namespace) -> MonitorStore:
    """Raises ConfigError for a bad file, and StorageFailed for a storage that cannot be read: it would look like an empty one."""
    config = load_monitor(options.monitor)
    storage = open_storage(config.storage.uri)
    try:
        storage.reach()
    except Exception as error:
        # At a terminal what the object store said helps more than advice for tasks.
        error = error.__cause__ if isinstance(error.__cause__, Exception) else error
        raise StorageFailed(f"{storage.uri} (storage.uri of {options.monitor}): {explain(error)}") from error
    return MonitorStore(storage, config)
