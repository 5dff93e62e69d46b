"""Whether the images can be read where `images.layout` says that they lie, by the decoders that are here, and what of them has to be covered."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, timedelta, timezone
from typing import TYPE_CHECKING

from driftwatch.config.blur import HIDE, SHOW
from driftwatch.doctor.results import CheckResult, Said, looked, not_checked
from driftwatch.doctor.site import Site
from driftwatch.errors import MissingArtifact, NeedsAttention
from driftwatch.images.covered import Covers
from driftwatch.images.inventory import Inventory, inventory_of
from driftwatch.images.layout import Place, place_of_day
from driftwatch.images.table_file import MissingTable, StillWritten
from driftwatch.storage import StoredObject

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore

_TRIES = 50  # listings of a day


def boxes_findings(site: Site) -> Iterator[CheckResult]:
    """Whether the tables of `labels.blur` can be read: that of the last day, and that of the labelled originals."""
    store = site.store()
    covers = Covers.of(store)
    assert covers is not None
    days = store.days()
    if days:
        waited_for = (StillWritten, MissingTable) if site.monitor.images.wait_hours else (StillWritten,)
        yield _boxes_finding(lambda: covers.look(days[-1]), f"of {days[-1]}", waited_for)
    else:
        yield not_checked("boxes", "no day was taken in yet")
    if covers.settings.training not in (HIDE, SHOW):
        yield _boxes_finding(covers.look_at_training, "of the labelled originals", (StillWritten,))


def _boxes_finding(read: Callable[[], None], about: str, waited_for: tuple[type[Exception], ...]) -> CheckResult:
    """What is `waited_for` is nothing wrong: a day waits, and the doctor does not."""
    found = looked("boxes", read, about)
    if isinstance(found.problem, waited_for):
        return replace(found, state="look", facts=Said(str(found.problem)), problem=None)
    return found


def formats_finding(site: Site) -> CheckResult:
    """Whether this Python reads the formats that not every installation reads."""
    from driftwatch.images.avif import avif_unread
    from driftwatch.images.heic import heic_unread

    named = site.monitor.images.formats

    def read() -> Said:
        for name, unread in (("avif", avif_unread), ("heic", heic_unread)):
            if name in named and (why := unread()):
                raise NeedsAttention(f"images.formats has {name}, {why}")
        return Said(", ".join(named))

    return looked("formats", read)


def images_finding(site: Site) -> CheckResult:
    """Looks whether one of the last days has an object where the whole layout leads, or a row in the file that names its objects, and reads the
    first byte of one. The last days are the week up to yesterday, and the last that was taken in."""
    layout = site.monitor.images.layout
    assert layout is not None
    unmatched = []

    def read() -> Said:
        store = site.store()
        days = _last_days(site, store)
        for day in days:
            place = place_of_day(store.day(day))
            inventory = inventory_of(store.day(day), place)
            # Listed in any case: a server tells what is not there from what may not be read to those alone who may list.
            listed = place.any_object(_TRIES if inventory is None else 1)
            found = listed if inventory is None else _first_named(inventory)
            if found is not None:
                if found.size or inventory is not None:  # which need not tell sizes
                    _read_first_byte(place, found.key, inventory)
                return Said(
                    ", ".join(layout.paths if layout.inventory is None else (layout.inventory.path, *layout.paths))
                )
        inventory = inventory_of(store.day(days[0]), place_of_day(store.day(days[0])))
        wanted = inventory.url if inventory else place_of_day(store.day(days[0])).said
        what = "is not there, or names nothing" if inventory else "has no object"
        unmatched.append(
            f"{wanted} {what}, and so it is with all {len(days)} days that were looked at: correct {_field(inventory)}, or wait for images"
        )
        return Said(unmatched[0])

    found = looked("images", read)
    return replace(found, state="look") if unmatched and found.state == "ok" else found


def _read_first_byte(place: Place, key: str, inventory: Inventory | None) -> None:
    try:
        place.storage.read_range(key, 0, 1)
    except MissingArtifact as error:
        if inventory is None:
            raise
        raise NeedsAttention(f"{inventory.url} names {place.storage.url(key)}, which is not there") from error


def _field(inventory: Inventory | None) -> str:
    return "images.layout.paths" if inventory is None else "images.layout.inventory.path"


def _last_days(site: Site, store: MonitorStore) -> list[date]:
    """Yesterday first."""
    today = site.now().astimezone(timezone.utc).date()
    week = [today - timedelta(days=ago) for ago in range(1, 8)]
    return [*week, *(day for day in store.days()[-1:] if day not in week)]


def _first_named(inventory: Inventory) -> StoredObject | None:
    """The first object that the day's file names, by its key in its storage; None where the file is not there, or names none. Raises NeedsAttention for a
    file that cannot be read."""
    try:
        found = next(inventory.named(), None)
    except MissingTable:
        return None
    return found and StoredObject(inventory.place.key(found.key), found.size)
