"""Writes the monitors at WhyLabs (tests that WhyLabs itself runs on the profiles) as the monitor files describe them. `make monitors`
runs this.

The address and the key come from the Airflow connection that the file names (publish.connection). Airflow looks for it in the
environment (AIRFLOW_CONN_<ID>), its secrets backend and its database.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

from driftwatch_airflow.outside_tasks import as_a_server

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig
    from driftwatch.errors import ConfigError


def main(arguments: Sequence[str] | None = None) -> int:
    """Returns 0; or 1, with a message on standard error, if something is wrong."""
    parser = argparse.ArgumentParser(prog="python -m driftwatch_airflow.put_monitors", description=__doc__)
    parser.add_argument(
        "files", nargs="*", type=Path, metavar="MONITOR.yaml", help="by default every file in $DRIFTWATCH_MONITORS"
    )
    files = parser.parse_args(arguments).files
    from driftwatch.config.loader import load_monitors, load_or_refuse

    loaded = [(path, load_or_refuse(path)) for path in files] or load_monitors()
    done = [_put_or_tell(path, monitor) for path, monitor in loaded]  # a mistake in one file does not stop the others
    return 0 if all(done) else 1


def _put_or_tell(path: Path, monitor: MonitorConfig | ConfigError) -> bool:
    """Whether it went well."""
    from driftwatch.config.refusals import shown
    from driftwatch.errors import DriftwatchError

    try:
        if isinstance(monitor, Exception):
            raise monitor
        if "whylabs" in monitor.publish.sinks:
            _put(monitor)
        else:
            print(f"{monitor.name} does not publish to WhyLabs (publish.sinks)")
    except DriftwatchError as error:
        print(f"{shown(path)}: {error}", file=sys.stderr)
        return False
    return True


def _put(monitor: MonitorConfig) -> None:
    from driftwatch.models.registry import champion_version
    from driftwatch.publish.whylabs.monitors import keep_monitors
    from driftwatch_airflow.sinks import open_whylabs_sink
    from driftwatch_airflow.stores import store_of

    store = store_of(monitor)
    sink, version = open_whylabs_sink(monitor), champion_version(store)
    written = keep_monitors(store, sink, version)
    print(f"{monitor.name} at {sink.api.endpoint}, {sink.organisation}/{sink.dataset}, compared with {version}")
    for name, new in written.items():
        print(f"  {'written' if new else 'same   '}  {name}")


if __name__ == "__main__":
    as_a_server()
    sys.exit(main())
