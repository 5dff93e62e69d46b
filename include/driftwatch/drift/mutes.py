"""Features and segments that do not alarm for a while: who muted them, until when, and why."""

from __future__ import annotations

from collections.abc import Collection
from datetime import timedelta
from typing import TYPE_CHECKING

from driftwatch.artifacts.nested_keys import lock_of
from driftwatch.artifacts.reference import Mute, Mutes
from driftwatch.errors import NeedsAttention
from driftwatch.storage.lock import exclusive

if TYPE_CHECKING:
    from datetime import date

    from driftwatch.artifacts.store import MonitorStore

FEATURE, SEGMENT = "feature", "segment"


def all_mutes(store: MonitorStore) -> tuple[Mute, ...]:
    """Everything that is or was muted, oldest first."""
    found = store.find(store.keys.mutes, Mutes)
    return found.mutes if found else ()


def muted_features(store: MonitorStore, day: date) -> dict[str, Mute]:
    """The features that do not alarm on the day, by their column."""
    return {mute.name: mute for mute in all_mutes(store) if mute.what == FEATURE and mute.holds_on(day)}


def muted_segments(store: MonitorStore, day: date) -> dict[str, Mute]:
    """The segments that do not alarm on the day, by name: `camera=door-17`."""
    return {mute.name: mute for mute in all_mutes(store) if mute.what == SEGMENT and mute.holds_on(day)}


def add_mute(store: MonitorStore, mute: Mute) -> Mute:
    """Mutes a feature or a segment. To say the same again changes nothing.

    Raises NeedsAttention for a day order that is wrong, an unknown feature, and a segment that is not written as camera=door-17, or is of
    no segmentation of the monitor file.
    """
    _refuse_wrong(mute, tuple(store.config.segments))
    with exclusive(store.storage, lock_of(store.keys.mutes)) as lock:
        known = all_mutes(store)
        same = [old for old in known if old.model_copy(update={"at": mute.at}) == mute]
        if same:
            return same[0]
        lock.check()
        store.write(store.keys.mutes, Mutes(mutes=(*known, mute)))
    return mute


def end_mutes(store: MonitorStore, name: str, from_day: date) -> list[Mute]:
    """Lets a feature or a segment alarm again from `from_day` on. Returns what was muted; to say the same again changes nothing. Raises
    NeedsAttention where nothing was muted."""
    last = from_day - timedelta(days=1)
    with exclusive(store.storage, lock_of(store.keys.mutes)) as lock:
        known = all_mutes(store)
        ended = [mute for mute in known if mute.name == name and mute.until >= from_day]
        if any(mute.name == name and mute.until == last for mute in known) and not ended:  # said before
            return []
        if not ended:
            muted = sorted({mute.name for mute in known if mute.until >= from_day})
            raise NeedsAttention(f"{name} is not muted on {from_day} or later; muted are: {', '.join(muted) or 'none'}")
        lock.check()
        kept = (mute.model_copy(update={"until": last}) if mute in ended else mute for mute in known)
        store.write(store.keys.mutes, Mutes(mutes=tuple(kept)))
    return ended


def _refuse_wrong(mute: Mute, segmentations: Collection[str]) -> None:
    from driftwatch.images.features import COLUMNS

    if mute.until < mute.since:
        raise NeedsAttention(
            f"{mute.name} cannot be muted until {mute.until}: that is before {mute.since}, the first day of it"
        )
    if mute.what == FEATURE and mute.name not in COLUMNS:
        raise NeedsAttention(f"{mute.name} is no feature; the features are: {', '.join(COLUMNS)}")
    by, _, name = mute.name.partition("=")
    if mute.what == SEGMENT and (not by or not name or name != name.strip()):
        raise NeedsAttention(
            f"{mute.name!r} is no segment: write the segmentation and its value, such as camera=door-17"
        )
    if mute.what == SEGMENT and by not in segmentations:
        raise NeedsAttention(
            f"{mute.name!r} is no segment whose drift is judged: the monitor file's section segments has {', '.join(segmentations) or 'none'}"
        )
