"""Opens a monitor's sinks (the places that it publishes to) by its Airflow connections."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

from driftwatch_airflow.connections import access_of
from driftwatch_airflow.hooks.whylabs import WhyLabsHook
from driftwatch_airflow.stores import store_of

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig
    from driftwatch.publish.base import Sink
    from driftwatch.publish.whylabs.sink import WhyLabsSink


def open_sinks(monitor: MonitorConfig) -> list[Sink]:
    """The sinks of `publish.sinks`, in its order."""
    from driftwatch.publish import sinks
    from driftwatch.publish.base import SinkSite

    access = partial(access_of, needed_by="publish.connection")
    return sinks.sinks_of(SinkSite(store_of(monitor), access))


def open_whylabs_sink(monitor: MonitorConfig) -> WhyLabsSink:
    """The monitor's dataset at WhyLabs, by its Airflow connection."""
    from driftwatch.publish.whylabs.sink import WhyLabsSink

    return WhyLabsSink(WhyLabsHook(monitor.publish.connection, monitor.publish.dataset).get_conn())


def keep_whylabs_monitors(monitor: MonitorConfig) -> None:
    """Makes the monitors at WhyLabs agree with the monitor file and the present champion, if `publish.monitors.managed` says so."""
    from driftwatch.models.registry import champion_version
    from driftwatch.publish.whylabs.monitors import keep_monitors

    if "whylabs" in monitor.publish.sinks and monitor.publish.monitors.managed:
        store = store_of(monitor)
        keep_monitors(store, open_whylabs_sink(monitor), champion_version(store))
