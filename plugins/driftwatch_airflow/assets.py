"""What a monitor gives to other DAGs, as Airflow Assets: the day's labels, the champion, the reference in
use, and a training set for a team that trains elsewhere.

An Asset is a thing whose changes Airflow announces, so that other DAGs can start. A task that writes one has it as an outlet, and the
event's `extra` says what is new. A repeated task makes the event again with the same `extra`: an event says that something was written,
not that it is different.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

GROUP = "driftwatch"


def _asset(monitor: str, what: str) -> Asset:
    # With a scheme that does not begin with x-, Airflow imports every provider, such as Amazon's, when it parses the DAG file.
    return Asset(name=f"{monitor}_{what}", uri=f"x-driftwatch://{monitor}/{what}", group=GROUP)


def labels_asset(monitor: str) -> Asset:
    """The merged labels of a day. `extra`: day, url (labels.parquet), labels (how many images have one)."""
    return _asset(monitor, "labels")


def champion_asset(monitor: str) -> Asset:
    """The model that serves. `extra`: version, previous, url (the model card in its folder), promoted_by."""
    return _asset(monitor, "champion")


def reference_asset(monitor: str) -> Asset:
    """The features that the next days are compared with. `extra`: version, url (the features)."""
    return _asset(monitor, "reference")


def handover_asset(monitor: str) -> Asset:
    """A training set that was handed over. `extra`: run_key, url (its folder), first_day, last_day, images."""
    return _asset(monitor, "handover")


def tell_followers(context: Context, outlets: list[Any], **extra: Any) -> None:
    """Adds `extra` to the events that Airflow makes for the task's outlets when the task succeeds."""
    for outlet in outlets:
        context["outlet_events"][outlet].extra = extra
