"""Images that come after the day's sample was drawn: counted with the day, and in no sample.

The sample is random among the images that were there, and paid for, so it stays. What was there then is the manifest as it was: it
is kept beside the new one for as long as the two differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from driftwatch.artifacts.store import DayStore
from driftwatch.errors import DamagedArtifact

if TYPE_CHECKING:
    import pyarrow as pa

    from driftwatch.storage import Storage, StoredObject


def keep_sampled(day: DayStore) -> None:
    """Before a day is taken in again: keeps the manifest that its sample was drawn from, once. A sample of which no pool was asked
    for is drawn anew, so that nothing is late for it."""
    if not _asked_for(day):
        day.storage.delete(day.keys.sampled_manifest)
    elif day.storage.exists(day.keys.manifest) and not day.storage.exists(day.keys.sampled_manifest):
        day.storage.copy(day.keys.manifest, day.keys.sampled_manifest)


def _asked_for(day: DayStore) -> bool:
    if not day.storage.exists(day.keys.annotation):
        return False
    try:
        plan = day.storage.read_json(day.keys.annotation)
        return bool(plan["pool_id"] or plan["creations"].get("pool"))
    except (DamagedArtifact, AttributeError, KeyError, TypeError):
        return True  # whoever needs the plan says that it is damaged


def late_images(day: DayStore) -> Sequence[str]:
    """The ids of the day's accepted images that came after its sample was drawn."""
    if not day.storage.exists(day.keys.sampled_manifest):
        return []
    then, now = (_accepted(day.storage, key) for key in (day.keys.sampled_manifest, day.keys.manifest))
    late: Sequence[str] = now.filter(pc.invert(pc.is_in(now, value_set=then))).to_pylist()
    return late


def _accepted(storage: Storage, key: str) -> pa.ChunkedArray:
    table = storage.read_arrow(key, ["image_id", "status"])
    return table.filter(pc.equal(table["status"], "accepted"))["image_id"]


def count_late(day: DayStore) -> int:
    """After a day was taken in again: how many of its images came late. What was kept goes where there are none."""
    late = len(late_images(day))
    if not late:
        day.storage.delete(day.keys.sampled_manifest)
    day.storage.delete(day.keys.late_files)
    return late


def note_late_files(day: DayStore, listed: Sequence[StoredObject]) -> int:
    """Counts the files that were `listed` in the day's folder and are not taken in, and writes that down for the report."""
    taken_in = set(day.storage.read_arrow(day.keys.manifest, ["key"])["key"].to_pylist()) if listed else set()
    files = sum(item.key not in taken_in for item in listed)
    if files:
        day.storage.write_json(day.keys.late_files, {"files": files})
    else:
        day.storage.delete(day.keys.late_files)
    return files
