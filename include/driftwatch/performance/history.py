"""The days before a day, from their stored performance.json, and the days whose verdict changed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftwatch.layout import MonitorLayout
    from driftwatch.storage import Storage

# The trend looks back so far; a model that serves longer has its oldest days left out.
MOST_DAYS = 400


def performances(storage: Storage, layout: MonitorLayout, first: date, last: date) -> list[dict[str, Any]]:
    """The performance.json of the days from `first` to `last`, in order; days without one are left out."""
    names = [name for name in storage.folders(layout.days) if first.isoformat() <= name <= last.isoformat()]
    keys = [key for name in names if storage.exists(key := layout.day(date.fromisoformat(name)).performance)]
    found = []
    for key, data in storage.iter_bytes(keys):
        if isinstance(data, Exception):
            raise data
        found.append(storage.parse_json(key, data))
    return found


def days_before(storage: Storage, layout: MonitorLayout, day: date) -> list[dict[str, Any]]:
    """The performance.json of the MOST_DAYS days before `day`, in order, where they hold evidence."""
    earlier = performances(storage, layout, day - timedelta(days=MOST_DAYS), day - timedelta(days=1))
    return [found for found in earlier if "evidence" in found]


def revisions(before: Mapping[str, Any] | None, now: Mapping[str, Any]) -> list[dict[str, Any]]:
    """The earlier results of a day, oldest first, for its new performance.json: `before`'s own, and `before` where it differs.

    Nothing is added where the day is scored again with the same labels and the same outcome.
    """
    if before is None:
        return []
    kept = list(before.get("revisions", []))
    last, new = _outcome(before), _outcome(now)
    return kept if last == new else [*kept, {"revision": len(kept) + 1, **last}]


def _outcome(found: Mapping[str, Any]) -> dict[str, Any]:
    return {
        "verdict": found["verdict"],
        "accuracy": found["accuracy"]["value"],
        "labels": found["labels"],
        "model_version": found["model_version"],
    }


def verdict_changed(found: Mapping[str, Any]) -> bool:
    """Whether the day had another verdict at some time."""
    return any(earlier["verdict"] != found["verdict"] for earlier in found.get("revisions", []))


def days_of_data_since(storage: Storage, layout: MonitorLayout, since: date, day: date) -> int:
    """Days after `since`, up to `day` and with it, on which images were taken in: a gap in the data does not count."""
    names = [name for name in storage.folders(layout.days) if since.isoformat() < name < day.isoformat()]
    return 1 + sum(storage.exists(layout.day(date.fromisoformat(name)).ingest) for name in names)
