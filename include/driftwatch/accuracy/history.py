"""The days before a day, from their stored performance.json, and the days whose verdict changed."""

from __future__ import annotations

from datetime import date, timedelta
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.store import MonitorStore

if TYPE_CHECKING:
    from collections.abc import Mapping


# The trend looks back so far; a model that serves longer has its oldest days left out.
MOST_DAYS = 400


def performances(store: MonitorStore, first: date, last: date) -> list[dict[str, Any]]:
    """The performance.json of the days from `first` to `last`, in order; days without one are left out."""
    days = [day for day in store.days() if first <= day <= last]
    keys = [key for day in days if store.storage.exists(key := store.keys.day(day).performance)]
    return [store.storage.parsed_json(fetched.key, fetched.data) for fetched in store.storage.iter_bytes(keys)]


def days_before(store: MonitorStore, day: date) -> list[dict[str, Any]]:
    """The performance.json of the MOST_DAYS days before `day`, in order, where they hold evidence."""
    earlier = performances(store, day - timedelta(days=MOST_DAYS), day - timedelta(days=1))
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
