"""Takes a day in: plans it, makes the one pass over its images, and writes manifest, features, inputs and, last, ingest.json.

A day of one shard is taken in at once (`ingest_day`). A larger one is cut: `cut_into_shards` writes down each shard's part of the
listing, `ingest_shard` makes the pass over one, and `merge_shards` makes a day of them. The same objects give the same
artifacts either way.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.store import DayStore
from driftwatch.errors import NeedsAttention, TooManyRejects
from driftwatch.images import inputs
from driftwatch.images.features import COLUMNS
from driftwatch.images.late import count_late, keep_sampled
from driftwatch.images.listing import list_day
from driftwatch.images.one_pass import (
    ACCEPTED,
    DUPLICATE,
    FEATURES,
    IGNORED,
    MANIFEST,
    QUARANTINED,
    Block,
    features_table,
    take_in_blocks,
)
from driftwatch.images.settling import until_settled, watched
from driftwatch.images.shards import BLOCK, Shard, shards_of
from driftwatch.storage import StoredObject
from driftwatch.storage.tables import TableWriter, writing_table

if TYPE_CHECKING:
    from driftwatch.config import ImagesConfig
    from driftwatch.storage import Storage

logger = logging.getLogger(__name__)

_LISTING = pa.schema([("key", pa.string()), ("size", pa.int64())])
# What a shard hands to the merge: a row for each object, with features where it was accepted.
_IMAGES = pa.schema([*MANIFEST, *(FEATURES.field(name) for name in COLUMNS)])


def ingest_day(
    of_day: DayStore,
    images: ImagesConfig,
    input_size: int,
    model_version: str,
    listed: Sequence[StoredObject] | None = None,
) -> dict[str, Any]:
    """Takes in what lies in the day's incoming folder, in this process, and returns the content of ingest.json.

    The same objects give the same bytes. Raises EmptyDay where nothing is listed but what is ignored (and writes nothing), and
    TooManyRejects, after everything is written, where more than `max_reject_share` is quarantined or no image at all is accepted.
    """
    listed = listed or list_day(of_day, images)

    def make_pass(given_up: frozenset[str]) -> _Day:
        with (
            _whole_day(of_day, input_size, model_version) as day,
            _blocks(of_day, listed, images, input_size, given_up) as blocks,
        ):
            for number, block in enumerate(blocks):
                inputs.write_block(of_day, number, block.inputs)
                day.add(block.manifest, block.features)
        return day

    day = until_settled(make_pass)
    _clear_shards(of_day)
    return _refuse_too_many_rejects(of_day, images, day.counts)


@contextmanager
def _blocks(
    day: DayStore,
    listed: Sequence[StoredObject],
    images: ImagesConfig,
    input_size: int,
    given_up: frozenset[str],
) -> Iterator[Iterator[Block]]:
    """The blocks of a pass over these objects of the day. A pass that fails is closed here, on the thread that made it: left to
    garbage collection it would end at any time, on any thread."""
    folder = day.keys.incoming
    with (
        closing(take_in_blocks(day.storage, listed, images, input_size, folder=folder, given_up=given_up)) as taken_in,
        closing(watched(day.storage, folder, images, given_up, taken_in)) as blocks,
    ):
        yield blocks


def cut_into_shards(
    day: DayStore,
    images: ImagesConfig,
    input_size: int,
    model_version: str,
    listed: Sequence[StoredObject],
) -> list[Shard]:
    """Cuts the day into shards of `images.shard_size` and writes down what lies in each.

    Empty where one shard is enough: then nothing is written, and `ingest_day` does it all.
    """
    shards = shards_of(len(listed), images.shard_size)
    if len(shards) == 1:
        return []
    _clear_shards(day)
    for shard in shards:
        part = listed[shard.start : shard.stop]
        with writing_table(day.storage, day.keys.shard(shard.number, "listing.parquet"), _LISTING) as table:
            table.add(pa.table([[o.key for o in part], [o.size for o in part]], schema=_LISTING))
    plan = {"shards": len(shards), "listed": len(listed), "input_size": input_size, "model_version": model_version}
    day.storage.write_json(day.keys.shard_plan, plan)
    return shards


def ingest_shard(day: DayStore, images: ImagesConfig, shard: Shard) -> dict[str, int]:
    """Makes the pass over one shard's objects: writes its blocks of inputs, and what the merge needs. Returns counts by status.

    Raises NeedsAttention where the day is not being taken in any more.
    """
    if not day.storage.exists(day.keys.shard_plan):
        raise NeedsAttention(
            f"{day.storage.url(day.keys.shard_plan)} is gone: the day was merged since. To take it in again clear ingest_images"
        )
    listing = day.keys.shard(shard.number, "listing.parquet")
    part = day.storage.read_table(listing)
    objects = [StoredObject(key, int(size)) for key, size in zip(part["key"], part["size"], strict=True)]
    input_size = day.storage.read_json(day.keys.shard_plan)["input_size"]

    def make_pass(given_up: frozenset[str]) -> Counter[str]:
        counts: Counter[str] = Counter()
        with (
            writing_table(day.storage, day.keys.shard(shard.number, "images.parquet"), _IMAGES) as table,
            _blocks(day, objects, images, input_size, given_up) as blocks,
        ):
            for number, block in zip(shard.blocks, blocks, strict=True):
                inputs.write_block(day, number, block.inputs)
                table.add(_with_features(block))
                counts.update(block.manifest["status"].to_pylist())
        return counts

    counts = until_settled(make_pass)
    return {status: counts[status] for status in (ACCEPTED, DUPLICATE, QUARANTINED, IGNORED)}


def merge_shards(of_day: DayStore, images: ImagesConfig) -> dict[str, Any]:
    """Makes the day of its shards: what is accepted in two of them is a duplicate in the later. Returns and raises as `ingest_day`.

    The shards' own files go at the end, the plan first: without it the day is known to be whole. Repeated after that, it only looks
    at ingest.json again, and clears what a kill has left.
    """
    if not of_day.storage.exists(of_day.keys.shard_plan):
        _clear_shards(of_day, ("listing.parquet", "images.parquet"))
        return _refuse_too_many_rejects(of_day, images, of_day.storage.read_json(of_day.keys.ingest))
    plan = of_day.storage.read_json(of_day.keys.shard_plan)
    keys = [of_day.keys.shard(number, "images.parquet") for number in range(plan["shards"])]
    shared = _in_several(of_day.storage, keys)
    firsts: dict[str, str] = {}
    block = 0
    with _whole_day(of_day, plan["input_size"], plan["model_version"]) as day:
        for key in keys:
            images_of_shard = of_day.storage.read_arrow(key)
            for start in range(0, len(images_of_shard), BLOCK):
                part = _without_copies(images_of_shard.slice(start, BLOCK), shared, firsts)
                _drop_inputs(of_day, block, part, images_of_shard.slice(start, BLOCK))
                accepted = part.filter(pc.equal(part["status"], ACCEPTED))
                features = np.column_stack([accepted[name].to_numpy() for name in COLUMNS])
                day.add(part.select(MANIFEST.names), features)
                block += 1
    _clear_shards(of_day)
    return _refuse_too_many_rejects(of_day, images, day.counts)


def _clear_shards(day: DayStore, names: tuple[str, ...] = ("",)) -> None:
    """Removes the shards' files whose key ends so; the plan first, so that a kill leaves either all that a merge needs, or no plan."""
    day.storage.delete(day.keys.shard_plan)
    for item in day.storage.list(day.keys.shards):
        if item.key.endswith(names):
            day.storage.delete(item.key)


class _Day:
    """Writes the day's tables block by block, and counts."""

    def __init__(self, manifest: TableWriter, features: TableWriter) -> None:
        self._manifest, self._features = manifest, features
        self.rows: list[int] = []
        self.counts: dict[str, Any] = {}
        self._status: Counter[str] = Counter()
        self._reasons: Counter[str] = Counter()

    def add(self, manifest: pa.Table, features: np.ndarray) -> None:
        self._manifest.add(manifest)
        self._features.add(features_table(manifest, features))
        self.rows.append(len(features))
        status = manifest["status"]
        self._status.update(status.to_pylist())
        rejected = manifest["reason"].filter(pc.equal(status, QUARANTINED))
        self._reasons.update(reason.partition(":")[0] for reason in rejected.to_pylist())

    def count(self, day: str, model_version: str, input_size: int) -> dict[str, Any]:
        listed = self._manifest.rows
        self.counts = {
            "day": day,
            "listed": listed,
            **{name: self._status[name] for name in (ACCEPTED, DUPLICATE, QUARANTINED, IGNORED)},
            "reasons": dict(sorted(self._reasons.items())),
            "model_version": model_version,
            "input_size": input_size,
        }
        assert listed == sum(self._status.values())
        assert self._features.rows == sum(self.rows) == self._status[ACCEPTED]
        return self.counts


@contextmanager
def _whole_day(of_day: DayStore, input_size: int, model_version: str) -> Iterator[_Day]:
    """Writes the day's tables, the inputs' index and, last, ingest.json, with the number of `late` images where there are any."""
    keep_sampled(of_day)
    with (
        writing_table(of_day.storage, of_day.keys.manifest, MANIFEST) as manifest,
        writing_table(of_day.storage, of_day.keys.features, FEATURES) as features,
    ):
        day = _Day(manifest, features)
        yield day
    inputs.write_index(of_day, input_size, day.rows)
    counts = day.count(of_day.date.isoformat(), model_version, input_size)
    late = count_late(of_day)
    if late:
        counts["late"] = late
    of_day.storage.write_json(of_day.keys.ingest, counts)
    logger.info("Took in %s: %s", of_day.storage.url(of_day.keys.incoming), counts)


def _refuse_too_many_rejects(day: DayStore, images: ImagesConfig, counts: dict[str, Any]) -> dict[str, Any]:
    delivered = counts["listed"] - counts.get(IGNORED, 0)
    if counts[QUARANTINED] > images.max_reject_share * delivered or not counts[ACCEPTED]:
        reasons = Counter(counts["reasons"]).most_common()
        raise TooManyRejects(
            f"{counts[QUARANTINED]} of {delivered} files in {day.storage.url(day.keys.incoming)} were quarantined "
            f"({', '.join(f'{kind} {count}' for kind, count in reasons)}); images.max_reject_share allows "
            f"{images.max_reject_share:.0%}. {day.storage.url(day.keys.manifest)} has the reason for each"
        )
    return counts


def _with_features(block: Block) -> pa.Table:
    """A table like _IMAGES."""
    accepted = np.flatnonzero(pc.equal(block.manifest["status"], ACCEPTED).to_numpy())
    values = np.full((len(block.manifest), len(COLUMNS)), np.nan)
    values[accepted] = block.features
    columns = [pa.array(column) for column in values.T.copy()]
    return pa.table([*block.manifest.columns, *columns], schema=_IMAGES)


def _in_several(storage: Storage, keys: Sequence[str]) -> np.ndarray:
    """The first 64 bits of the ids that may be in more than one shard, uint64: all that has to be in memory at once."""
    found = []
    for key in keys:
        ids = storage.read_arrow(key, ["image_id"])["image_id"].drop_null()
        found.append(np.unique(_first_bits(ids.to_pylist())))
    values, counts = np.unique(np.concatenate(found), return_counts=True)
    return values[counts > 1]


def _first_bits(ids: Sequence[str]) -> np.ndarray:
    return np.frombuffer(bytes.fromhex("".join(image_id[:16] for image_id in ids)), ">u8").astype(np.uint64)


def _without_copies(part: pa.Table, shared: np.ndarray, firsts: dict[str, str]) -> pa.Table:
    """`part` with each image that an earlier object of the day has marked as its duplicate. `firsts`: the keys of those that can
    come again, by image id; this part's are added."""
    ids, status, reasons = (part[name].to_pylist() for name in ("image_id", "status", "reason"))
    known = [image_id is not None for image_id in ids]
    again = np.zeros(len(ids), bool)
    again[known] = np.isin(_first_bits([image_id for image_id in ids if image_id]), shared)
    for row in np.flatnonzero(again):
        if status[row] == QUARANTINED:
            continue
        key = part["key"][row].as_py()
        first = firsts.setdefault(ids[row], key)
        if first != key:
            status[row], reasons[row] = DUPLICATE, f"same bytes as {first}"
    for name, values in (("status", status), ("reason", reasons)):
        part = part.set_column(part.schema.get_field_index(name), name, pa.array(values, pa.string()))
    return part


def _drop_inputs(day: DayStore, number: int, now: pa.Table, before: pa.Table) -> None:
    """Takes the images that turned out to be duplicates out of a stored block; does nothing the second time."""
    was, kept = (pc.equal(table["status"], ACCEPTED).to_numpy() for table in (before, now))
    if kept.sum() == was.sum():
        return
    key = day.keys.inputs_block(number)
    images = day.storage.read_array(key) if day.storage.exists(key) else None
    if images is not None and len(images) == was.sum():
        inputs.write_block(day, number, images[kept[was]])
