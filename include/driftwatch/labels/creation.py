"""The day's pool, from the plan to the open pool, by one process at a time."""

from __future__ import annotations

import logging
from datetime import date, datetime
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.keys import MonitorLayout
from driftwatch.config import MonitorConfig
from driftwatch.labels.backends.toloka.pool import Campaign
from driftwatch.labels.links import ImageLinks, ImageServer
from driftwatch.labels.plan import describe, plan_day
from driftwatch.labels.shown import ShownImages
from driftwatch.lock import exclusive
from driftwatch.storage import Storage

if TYPE_CHECKING:
    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

log = logging.getLogger(__name__)


def create_day_pool(
    storage: Storage,
    layout: MonitorLayout,
    config: MonitorConfig,
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
    key = layout.day(day).annotation
    with exclusive(storage, layout.annotation_lock) as lock:

        def record(plan: dict[str, Any]) -> None:
            lock.check()
            storage.write_json(key, plan)

        client.before_change = lock.check
        # Copied before anything is planned or paid: what becomes of the files later is all the same.
        shown = ShownImages(storage, layout.day(day).shown)
        plan = plan_day(storage, layout, config, day, now, shown.copied)
        log.info("Plan: %s", describe(plan, config))
        links = links_of(plan, storage, layout, now, server, signer)
        return Campaign(client, config, plan, record, now).carry_out(links)


def links_of(
    plan: dict[str, Any],
    storage: Storage,
    layout: MonitorLayout,
    now: datetime,
    server: ImageServer | None,
    signer: Storage | None,
) -> ImageLinks:
    """The links of the plan's images; refused where those of a pool that is still to be opened would end before it does."""
    keys, ends = layout.day(date.fromisoformat(plan["day"])), datetime.fromisoformat(plan["links_expire"])
    links = ImageLinks(storage, keys.shown, now, ends, server, signer)
    if plan["state"] not in ("opened", "closed"):
        links.check(datetime.fromisoformat(plan["exam"]["links_end"]) if plan["exam"] else None)
    return links


def note_in_plan(storage: Storage, layout: MonitorLayout, day: date, **facts: Any) -> None:
    """Adds to the day's plan what was learnt of its pool, without losing what another run has noted meanwhile."""
    key = layout.day(day).annotation
    with exclusive(storage, layout.annotation_lock) as lock:
        plan = storage.read_json(key)
        lock.check()
        storage.write_json(key, {**plan, **facts})
