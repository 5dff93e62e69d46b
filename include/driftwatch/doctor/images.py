"""Whether the images can be read where `images.layout` says that they lie, by the decoders that are here, and what of them has to be covered."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from driftwatch.config.blur import HIDE, SHOW
from driftwatch.doctor.results import CheckResult, Said, looked, not_checked
from driftwatch.doctor.site import Site
from driftwatch.errors import NeedsAttention
from driftwatch.images.covered import Covers
from driftwatch.storage.elsewhere import storage_of


def boxes_findings(site: Site) -> Iterator[CheckResult]:
    """Whether the tables of `labels.blur` can be read: that of the last day, and that of the labelled originals."""
    store = site.store()
    covers = Covers.of(store)
    assert covers is not None
    days = store.days()
    if days:
        yield looked("boxes", lambda: covers.require(days[-1]), f"of {days[-1]}")
    else:
        yield not_checked("boxes", "no day was taken in yet")
    if covers.settings.training not in (HIDE, SHOW):
        yield looked("boxes", covers.require_training, "of the labelled originals")


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
    """Lists what is below the layout's fixed folders, and reads the first byte of one object that is not empty."""
    layout = site.monitor.images.layout
    assert layout is not None
    empty = []

    def read() -> Said:
        store = site.store()
        for path in layout.fixed:
            storage, folder = storage_of(path, store.storage, store.elsewhere)
            storage.reach()
            found = storage.any_below(folder)
            if found is None:
                empty.append(path)
            elif found.size:
                storage.read_range(found.key, 0, 1)
        return Said(f"nothing lies below {', '.join(empty)} yet" if empty else ", ".join(layout.paths))

    found = looked("images", read)
    return replace(found, state="look") if empty and found.state == "ok" else found
