"""What a monitor gives to other DAGs, as Airflow Assets: the day's labels, the champion, and the reference in use.

A task that writes one has it as outlet; the event's `extra` says what is new. A repeated task makes an event again, with the same
`extra`, since an asset event tells that something was written, not that it differs.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from airflow.sdk import Asset

if TYPE_CHECKING:
    from airflow.sdk.definitions.context import Context

GROUP = "driftwatch"


def _asset(monitor: str, what: str) -> Asset:
    # Any scheme without x- makes Airflow import every provider, such as Amazon's, when the DAG file is parsed.
    return Asset(name=f"{monitor}_{what}", uri=f"x-driftwatch://{monitor}/{what}", group=GROUP)


def labels_asset(monitor: str) -> Asset:
    """The merged labels of a day. `extra`: day, url (labels.parquet), labels (how many images have one)."""
    return _asset(monitor, "labels")


def champion_asset(monitor: str) -> Asset:
    """The model that serves. `extra`: version, previous, url (its folder's model card), promoted_by."""
    return _asset(monitor, "champion")


def reference_asset(monitor: str) -> Asset:
    """What the next days are compared with. `extra`: version, url (the features)."""
    return _asset(monitor, "reference")


def tell_followers(context: Context, outlets: list[Any], **extra: Any) -> None:
    """Puts `extra` on the events that Airflow makes of the task's outlets when it ends well."""
    for outlet in outlets:
        context["outlet_events"][outlet].extra = extra
