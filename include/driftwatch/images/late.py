"""Images that come after the day's sample was drawn. They count with the day.

The sample stays as it is: it is random among the images that were there then, and it is paid for. The manifest of that time is kept
beside the new one as long as the two differ. A supplement (`driftwatch.labels.supplement`) is a sample of the images that came later,
and the ids of those it was drawn from are kept too.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import TYPE_CHECKING

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.ingest import LateFiles
from driftwatch.artifacts.keys import own_key
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import DamagedArtifact, EmptyDay
from driftwatch.images.layout import place_of_day, taken_in_from
from driftwatch.images.listing import folder_of_day, list_day
from driftwatch.images.table_file import MissingTable, StillWritten
from driftwatch.storage import StoredObject
from driftwatch.storage.joining import without
from driftwatch.storage.spool import Spool, name_of
from driftwatch.storage.tables import pieces, rows_of, writing_table

if TYPE_CHECKING:
    from driftwatch.storage import Storage

_ID = "image_id"
_HELD = 100_000


def keep_sampled(day: DayStore) -> None:
    """Before a day is taken in again: keeps the manifest that its sample was drawn from, once. If no pool was asked for yet, the sample
    will be drawn anew, so no image is late for it."""
    if not _asked_for(day):
        day.storage.delete(day.keys.sampled_manifest)
    elif day.storage.exists(day.keys.manifest) and not day.storage.exists(day.keys.sampled_manifest):
        day.storage.copy(day.keys.manifest, day.keys.sampled_manifest)


def _asked_for(day: DayStore) -> bool:
    try:
        plan = day.find(AnnotationPlan)
    except DamagedArtifact:
        return True  # whoever needs the plan says that it is damaged
    return plan is not None and plan.asked


def late_images(day: DayStore, supplements: Sequence[AnnotationPlan] = ()) -> Collection[str]:
    """The ids of the day's accepted images that came after its sample was drawn, without those that one of the `supplements` was drawn
    from. Of a day of more than _HELD files none is held."""
    if not day.storage.exists(day.keys.sampled_manifest):
        return []
    if rows_of(day.storage, day.keys.manifest) > _HELD:
        return ManyLate(day, tuple(part.number for part in supplements))
    drawn_from = [*map(_hashes, _accepted(day.storage, day.keys.sampled_manifest))]
    for part in supplements:
        drawn_from.append(_hashes(day.storage.read_arrow(day.keys.supplement(part.number))["image_id"]))
    known = np.sort(np.concatenate([*drawn_from, np.empty(0, np.uint64)]))
    late: list[str] = []
    for ids in _accepted(day.storage, day.keys.manifest):
        wanted = _hashes(ids)
        new = np.searchsorted(known, wanted) == np.searchsorted(known, wanted, side="right")
        late += ids.filter(pa.array(new)).to_pylist()
    return late


@dataclass(frozen=True)
class ManyLate(Collection[str]):
    """Late images of a day whose images are not held. They are found anew each time, in the same order, by comparing the day's images with those
    that were there before. Images of the `supplements` with these numbers do not count."""

    day: DayStore
    supplements: tuple[int, ...]

    def pieces(self) -> Iterator[pa.ChunkedArray]:
        """Their ids."""
        storage, keys = self.day.storage, self.day.keys
        before = chain(
            _accepted(storage, keys.sampled_manifest),
            *((piece[_ID] for piece in pieces(storage, keys.supplement(number), [_ID])) for number in self.supplements),
        )
        for late in without(_tables(_accepted(storage, keys.manifest)), _tables(before), _ID):
            if len(late):
                yield late.sort_by(_ID)[_ID]

    @cached_property
    def _count(self) -> int:
        return sum(map(len, self.pieces()))

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[str]:
        return chain.from_iterable(ids.to_pylist() for ids in self.pieces())

    def __contains__(self, image_id: object) -> bool:
        return bool(among_late(self, [str(image_id)]))


def among_late(late: Collection[str], ids: Collection[str]) -> set[str]:
    """Those of `ids` that are late."""
    if not isinstance(late, ManyLate):
        return {*late}.intersection(ids)
    wanted = pa.array([*ids], pa.string())
    return {one for piece in late.pieces() for one in piece.filter(pc.is_in(piece, value_set=wanted)).to_pylist()}


def keep_drawn_from(day: DayStore, number: int, late: Collection[str]) -> None:
    """Writes down which images a supplement is drawn from, before its plan is recorded."""
    import pandas as pd

    if isinstance(late, ManyLate):
        schema = pa.schema([(_ID, pa.string())])
        with writing_table(day.storage, day.keys.supplement(number), schema) as file:
            for ids in late.pieces():
                file.add(pa.table([ids], schema=schema))
        return
    drawn_from = pd.DataFrame({_ID: pd.Series([*late], dtype="object")})
    day.storage.write_table(day.keys.supplement(number), drawn_from)


def images_on_time(day: DayStore) -> int:
    """From how many images the day's own sample was drawn."""
    kept = day.keys.sampled_manifest
    return _images_in(day, kept if day.storage.exists(kept) else day.keys.manifest)


def _images_in(day: DayStore, manifest: str) -> int:
    return sum(map(len, _accepted(day.storage, manifest)))


def _accepted(storage: Storage, key: str) -> Iterator[pa.ChunkedArray]:
    """The ids of a manifest's accepted images, piece by piece."""
    for piece in pieces(storage, key, ["image_id", "status"]):
        yield piece.filter(pc.equal(piece["status"], "accepted"))["image_id"]


def _tables(pieces_of_ids: Iterable[pa.ChunkedArray]) -> Iterator[pa.Table]:
    return (pa.table({_ID: ids}) for ids in pieces_of_ids)


def _hashes(ids: pa.ChunkedArray) -> np.ndarray:
    import pandas as pd

    return pd.util.hash_array(ids.to_numpy().astype(object), categorize=False)


def count_late(day: DayStore) -> int:
    """How many images of a day that was taken in again came late. The manifest that was kept is removed if the day has just the images that the
    sample was drawn from. It stays while one of them is missing, since that may come back."""
    late = len(late_images(day))
    if not late and images_on_time(day) == _images_in(day, day.keys.manifest):
        day.storage.delete(day.keys.sampled_manifest)
    day.storage.delete(day.key(LateFiles))
    return late


def note_late_files(day: DayStore) -> int:
    """Looks into the day's folder once more, and writes down for the report how many files there are to be images but were not taken
    in. Returns that number: 0 for a folder that was cleaned up since, and for a day that was taken in from another place than `images.layout`
    leads to by now. Where the file that names the images is still written, what was written down before stays. Neither the listing nor the
    manifest is held whole."""
    if taken_in_from(day, place_of_day(day)):
        day.storage.delete(day.key(LateFiles))
        return 0
    with closing(Spool()) as taken_in, closing(list_day(day)) as listed:
        images = folder_of_day(day).images(listed)
        try:
            first = next(images)  # of an empty day the manifest is not read
            taken_in.fill(_taken_in(day))
            files = _not_among(chain([first], images), taken_in)
        except (EmptyDay, MissingTable):
            files = 0
        except StillWritten:
            noted = day.find(LateFiles)
            return noted.files if noted else 0
    if files:
        day.write(LateFiles(files=files))
    else:
        day.storage.delete(day.key(LateFiles))
    return files


def _taken_in(day: DayStore) -> Iterator[StoredObject]:
    for piece in pieces(day.storage, day.keys.manifest, ["key"]):
        yield from (StoredObject(own_key(day.config.name, key), 0) for key in piece["key"].to_pylist())


def _not_among(items: Iterable[StoredObject], others: Iterable[StoredObject]) -> int:
    """How many of `items` have a name that none of `others` has; both are in the order of names."""
    rest = map(name_of, others)
    other = next(rest, None)
    count = 0
    for name in map(name_of, items):
        while other is not None and other < name:
            other = next(rest, None)
        count += other != name
    return count
