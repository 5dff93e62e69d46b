"""The day's pool, from the plan to the open pool, by one process at a time."""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.store import MonitorStore
from driftwatch.labels.backends.toloka.pool import Campaign
from driftwatch.labels.links import ImageLinks, ImageServer
from driftwatch.labels.plan import describe, plan_labelling
from driftwatch.labels.shown import ShownImages
from driftwatch.storage import Storage
from driftwatch.storage.lock import exclusive

if TYPE_CHECKING:
    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

log = logging.getLogger(__name__)


def create_day_pool(
    store: MonitorStore,
    day: date,
    client: DriftwatchTolokaClient,
    server: ImageServer | None,
    now: datetime,
    signer: Storage | None = None,
) -> dict[str, Any]:
    """Ends with the day's pool open; returns its plan. Says the price before it is spent. `now` (aware): when this run began.
    `server` and `signer` make the image links, see `ImageLinks`.

    Holds the monitor's annotation lock from the first look to the end: the days share the project, the exam and the month's
    limit, so that no two of them look and then create at once. That the lock is still held is asked before each change.
    """
    key = store.keys.day(day).annotation
    with exclusive(store.storage, store.keys.annotation_lock) as lock:

        def record(plan: dict[str, Any]) -> None:
            lock.check()
            store.storage.write_json(key, plan)

        client.before_change = lock.check
        # Copied before anything is planned or paid: what becomes of the files later is all the same.
        shown = ShownImages(store.storage, store.keys.day(day).shown)
        plan = plan_labelling(store, day, now, shown.copied)
        log.info("Plan: %s", describe(plan, store.config))
        links = links_of(plan, store, now, server, signer)
        return Campaign(client, store.config, plan, record, now).carry_out(links)


def links_of(
    plan: dict[str, Any],
    store: MonitorStore,
    now: datetime,
    server: ImageServer | None,
    signer: Storage | None,
) -> ImageLinks:
    """The links of the plan's images; refused where those of a pool that is still to be opened would end before it does."""
    keys, ends = store.keys.day(date.fromisoformat(plan["day"])), datetime.fromisoformat(plan["links_expire"])
    links = ImageLinks(store.storage, keys.shown, now, ends, server, signer)
    if plan["state"] not in ("opened", "closed"):
        links.check(datetime.fromisoformat(plan["exam"]["links_end"]) if plan["exam"] else None)
    return links


def note_in_plan(store: MonitorStore, day: date, **facts: Any) -> None:
    """Adds to the day's plan what was learnt of its pool, without losing what another run has noted meanwhile."""
    key = store.keys.day(day).annotation
    with exclusive(store.storage, store.keys.annotation_lock) as lock:
        plan = store.storage.read_json(key)
        lock.check()
        store.storage.write_json(key, {**plan, **facts})
