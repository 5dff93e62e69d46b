"""Which segment each image of a day is in: the manifest's columns `segment.<segmentation>`.

A segmentation is one way to divide the images, such as by camera; its segments are its values, such as door-17. The name is null where
it is not known, and for ignored objects. A segmentation of production's log is not in the manifest; the predictions have it.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from typing import TYPE_CHECKING

import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.config.logged import LoggedColumns
from driftwatch.errors import NeedsAttention
from driftwatch.images.judged import is_sampled, told_of
from driftwatch.images.layout import below
from driftwatch.images.listing import folder_of_day
from driftwatch.images.one_pass import MANIFEST
from driftwatch.images.outcome import ACCEPTED, IGNORED
from driftwatch.images.segment_table import read_segment_table
from driftwatch.storage.tables import pieces

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.store import DayStore
    from driftwatch.config.segments import SegmentConfig
    from driftwatch.storage import StoredObject

COLUMN = "segment."
# More segments than this are no way to divide images that a person could look at, or that could be judged.
MOST_SEGMENTS = 5_000
LONGEST_NAME = 200
_AT_ONCE = 1_000  # objects


@dataclass(frozen=True)
class DaySegments:
    """How the segments of one day's objects are found. `finders`: by segmentation, the names for paths of images below the `folder`."""

    folder: str
    finders: dict[str, Callable[[Sequence[str]], list[str | None]]]

    @classmethod
    def of(cls, day: DayStore) -> DaySegments:
        """Those that the monitor file names and that are known at ingest. Reads their tables; raises NeedsAttention where it cannot."""
        known = {name: of for name, of in day.config.segments.items() if of.known_at_ingest}
        return cls(folder_of_day(day).path, {name: _finder(day, name, of) for name, of in known.items()})

    @property
    def schema(self) -> pa.Schema:
        """The manifest's."""
        if not self.finders:
            return MANIFEST
        fields = [*MANIFEST, *(pa.field(f"{COLUMN}{name}", pa.string()) for name in self.finders)]
        frame = pa.schema(fields, MANIFEST.metadata).empty_table().to_pandas()
        texts = frame.astype(dict.fromkeys((field.name for field in fields[len(MANIFEST) :]), object))
        return pa.schema(fields, pa.Schema.from_pandas(texts, preserve_index=False).metadata)

    def of_keys(self, name: str, keys: Sequence[str]) -> list[str | None]:
        """The segments of the objects at `keys`, in one segmentation."""
        return self.finders[name]([below(self.folder, key) for key in keys])

    def added_to(self, manifest: pa.Table) -> pa.Table:
        """A table like MANIFEST with the columns of the segments."""
        if not self.finders:
            return manifest
        keys, ignored = manifest["key"].to_pylist(), pc.equal(manifest["status"], IGNORED)
        nothing = pa.scalar(None, pa.string())
        columns = [
            pc.if_else(ignored, nothing, pa.array(self.of_keys(name, keys), pa.string())) for name in self.finders
        ]
        return pa.table([*manifest.columns, *columns], schema=self.schema)

    def counted(self, day: DayStore, listed: Iterable[StoredObject]) -> Iterator[StoredObject]:
        """The `listed` objects, as they are. Raises NeedsAttention as soon as a segmentation has more than MOST_SEGMENTS segments, or a
        name of more than LONGEST_NAME letters."""
        if not self.finders:
            yield from listed
            return
        folder, names, items = folder_of_day(day), {name: set[str]() for name in self.finders}, iter(listed)
        while some := [*islice(items, _AT_ONCE)]:
            keys = [item.key for item in some if folder.ignored_by(item.key) is None]
            for name, known in names.items():
                for of in self.of_keys(name, keys):
                    if of is not None and of not in known:
                        known.add(of)
                        _refuse_too_many(day, name, known, of)
            yield from some


def _refuse_too_many(day: DayStore, name: str, names: Collection[str], newest: str) -> None:
    if len(names) <= MOST_SEGMENTS and len(newest) <= LONGEST_NAME:
        return
    what = (
        f"has more than {MOST_SEGMENTS:,} segments on {day.date}, such as {', '.join(map(repr, sorted(names)[:3]))}; no more are allowed"
        if len(names) > MOST_SEGMENTS
        else f"has a segment of {len(newest)} letters ({newest[:40]!r}…); at most {LONGEST_NAME} are allowed"
    )
    raise NeedsAttention(
        f"segments.{name} {what}: this looks like an id of the images, not like something that many images share. Correct "
        f"{_source(name, day.config.segments[name])}, then clear ingest_images"
    )


def _finder(day: DayStore, name: str, of: SegmentConfig) -> Callable[[Sequence[str]], list[str | None]]:
    if of.table is not None:
        return read_segment_table(day, of.table, f"segments.{name}.table").of
    assert of.key is not None
    pattern = re.compile(of.key)

    def first_groups(paths: Sequence[str]) -> list[str | None]:
        found = map(pattern.search, paths)
        return [((match[1] or "").strip() or None) if match else None for match in found]

    return first_groups


def _source(name: str, of: SegmentConfig) -> str:
    return f"segments.{name}.key" if of.table is None else f"segments.{name}.table.column ({of.table.column!r})"


def without_segment(manifest: pa.Table) -> dict[str, int]:
    """How many accepted images of a manifest are in no segment, by segmentation; without those that have none such."""
    accepted = manifest.filter(pc.equal(manifest["status"], ACCEPTED))
    columns = [name for name in manifest.column_names if name.startswith(COLUMN)]
    counts = {name.removeprefix(COLUMN): accepted[name].null_count for name in columns}
    return {name: count for name, count in counts.items() if count}


def segments_of_day(day: DayStore, ids: Collection[str] | None = None) -> pd.DataFrame:
    """The segments of the day's accepted images: `image_id`, and for each segmentation of the monitor file, in its order, a column with the
    segment's name or None. `ids`: the images that are asked about, by default all. If the day is judged by a sample, only these are held.

    Those of production's log are all None before the day has predictions, and so is a segmentation that the monitor file did not have
    when the day was taken in. Predicted classes are not among them.
    """
    import pandas as pd

    manifest = told_of(day, day.keys.manifest, ["status", *(f"{COLUMN}{name}" for name in day.config.segments)], ids)
    table = manifest[manifest["status"] == ACCEPTED].drop(columns="status").reset_index(drop=True)
    of_log = {name: of.logged for name, of in day.config.segments.items() if of.logged is not None}
    if of_log and day.storage.exists(day.keys.predictions):
        told = {name: f"{COLUMN}{LoggedColumns.segment(column)}" for name, column in of_log.items()}
        answers = told_of(day, day.keys.predictions, [*told.values()], ids)
        answers = answers.set_index("image_id").reindex(table["image_id"])
        for name, column in told.items():
            if column in answers.columns:
                table[f"{COLUMN}{name}"] = answers[column].to_numpy(object)
    nothing = pd.Series(None, index=table.index, dtype=object)
    columns = {name: table.get(f"{COLUMN}{name}", nothing) for name in day.config.segments}
    found = table[["image_id"]].assign(**columns)
    return found.astype(object).where(found.notna() & (found != ""), None)


def images_by_segment(day: DayStore, names: Collection[str]) -> dict[tuple[str, str], int] | None:
    """How many of the day's images are in each segment of the segmentations `names`, by segmentation and segment; None for a day that is judged
    by all its images, of which `segments_of_day` tells it. Only those columns are read, piece by piece."""
    if not is_sampled(day):
        return None
    counts: Counter[tuple[str, str]] = Counter()
    for name in sorted(names):
        of = day.config.segments[name]
        key, column = day.keys.manifest, f"{COLUMN}{name}"
        if of.logged is not None:
            key, column = day.keys.predictions, f"{COLUMN}{LoggedColumns.segment(of.logged)}"
        for piece in pieces(day.storage, key, [column] if of.logged is not None else ["status", column]):
            if column not in piece.column_names:
                break
            values = (
                piece[column] if of.logged is not None else piece.filter(pc.equal(piece["status"], ACCEPTED))[column]
            )
            told = pc.value_counts(values)
            counts.update({(name, str(each["values"])): each["counts"] for each in told.to_pylist() if each["values"]})
    return dict(counts)
