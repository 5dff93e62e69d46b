"""Whether the images can be read where `images.layout` says that they lie."""

from __future__ import annotations

from dataclasses import replace

from driftwatch.doctor.results import CheckResult, Said, looked
from driftwatch.doctor.site import Site
from driftwatch.errors import NeedsAttention
from driftwatch.storage.elsewhere import storage_of


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
