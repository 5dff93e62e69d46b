"""Images that come after the day's sample was drawn: counted with the day, and in no sample.

The sample is random among the images that were there, and paid for, so it stays. What was there then is the manifest as it was: it
is kept beside the new one for as long as the two differ.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import pyarrow.compute as pc

from driftwatch.errors import DamagedArtifact

if TYPE_CHECKING:
    import pyarrow as pa

    from driftwatch.artifacts.keys import DayLayout
    from driftwatch.storage import Storage, StoredObject


def keep_sampled(storage: Storage, layout: DayLayout) -> None:
    """Before a day is taken in again: keeps the manifest that its sample was drawn from, once. A sample of which no pool was asked
    for is drawn anew, so that nothing is late for it."""
    if not _asked_for(storage, layout):
        storage.delete(layout.sampled_manifest)
    elif storage.exists(layout.manifest) and not storage.exists(layout.sampled_manifest):
        storage.copy(layout.manifest, layout.sampled_manifest)


def _asked_for(storage: Storage, layout: DayLayout) -> bool:
    if not storage.exists(layout.annotation):
        return False
    try:
        plan = storage.read_json(layout.annotation)
        return bool(plan["pool_id"] or plan["creations"].get("pool"))
    except (DamagedArtifact, AttributeError, KeyError, TypeError):
        return True  # whoever needs the plan says that it is damaged


def late_images(storage: Storage, layout: DayLayout) -> Sequence[str]:
    """The ids of the day's accepted images that came after its sample was drawn."""
    if not storage.exists(layout.sampled_manifest):
        return []
    then, now = (_accepted(storage, key) for key in (layout.sampled_manifest, layout.manifest))
    late: Sequence[str] = now.filter(pc.invert(pc.is_in(now, value_set=then))).to_pylist()
    return late


def _accepted(storage: Storage, key: str) -> pa.ChunkedArray:
    table = storage.read_arrow(key, ["image_id", "status"])
    return table.filter(pc.equal(table["status"], "accepted"))["image_id"]


def count_late(storage: Storage, layout: DayLayout) -> int:
    """After a day was taken in again: how many of its images came late. What was kept goes where there are none."""
    late = len(late_images(storage, layout))
    if not late:
        storage.delete(layout.sampled_manifest)
    storage.delete(layout.late_files)
    return late


def note_late_files(storage: Storage, layout: DayLayout, listed: Sequence[StoredObject]) -> int:
    """Counts the files that were `listed` in the day's folder and are not taken in, and writes that down for the report."""
    taken_in = set(storage.read_arrow(layout.manifest, ["key"])["key"].to_pylist()) if listed else set()
    files = sum(item.key not in taken_in for item in listed)
    if files:
        storage.write_json(layout.late_files, {"files": files})
    else:
        storage.delete(layout.late_files)
    return files
