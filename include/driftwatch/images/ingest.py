"""Takes a day in: plans it, makes the one pass over its images, and writes manifest, features, inputs and, last, ingest.json.

A small day is taken in at once (`ingest_day`). A larger one is cut into shards: `cut_into_shards` writes down which objects each
shard has, `ingest_shard` makes the pass over one shard, and `merge_shards` makes a day of them. The artifacts are the same either way.
`begin_day` does whichever the day is large enough for.
"""

from __future__ import annotations

import logging
import secrets
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from itertools import chain, islice

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from driftwatch.artifacts.ingest import Ingest, ShardPlan
from driftwatch.artifacts.model_input import ModelInput, pixel_fields
from driftwatch.artifacts.store import DayStore
from driftwatch.errors import DriftwatchError, NeedsAttention, TooManyRejects
from driftwatch.images import inputs
from driftwatch.images.copies import TABLES_AHEAD, in_several, without_copies
from driftwatch.images.day_tables import DayTables, writing_tables
from driftwatch.images.features import COLUMNS
from driftwatch.images.late import count_late
from driftwatch.images.layout import place_of_day
from driftwatch.images.listing import folder_of_day, list_day
from driftwatch.images.one_pass import FEATURE_TABLE, MANIFEST, Block, take_in_blocks
from driftwatch.images.outcome import ACCEPTED, DUPLICATE, IGNORED, QUARANTINED
from driftwatch.images.picture import DECODING
from driftwatch.images.segments import DaySegments
from driftwatch.images.settling import until_settled, watched
from driftwatch.images.shards import BLOCK, Shard, not_done, objects_of_shard, shards_of
from driftwatch.storage import StoredObject
from driftwatch.storage.tables import pieces, writing_table
from driftwatch.storage.unfinished import target_of

logger = logging.getLogger(__name__)

_RUN = b"driftwatch.run"
_LISTING = pa.schema([("key", pa.string()), ("size", pa.int64())])
# What a shard gives to the merge: a row for each object, with features if it was accepted.
_IMAGES = pa.schema([*MANIFEST, *(FEATURE_TABLE.field(name) for name in COLUMNS)])


@dataclass(frozen=True)
class DayModel:
    """What ingest must know of the model that will judge the day."""

    version: str
    input: ModelInput
    """What it is given of an image. Only what decides the stored pixels is kept with the day."""
    decoding: int = DECODING
    """How the features of large images are made (`OfFeatures`): as those that they will be compared with."""

    def name_of_block(self, manifest: pa.Table) -> str:
        """The name of the block of the accepted images of this manifest (`inputs.name_of`)."""
        accepted = manifest["image_id"].filter(pc.equal(manifest["status"], ACCEPTED))
        return inputs.name_of(accepted.to_pylist(), self.input, self.decoding)


def begin_day(day: DayStore, model: DayModel) -> Ingest | list[Shard]:
    """If the day fits into one shard, takes it in, as `ingest_day`; else cuts it, as `cut_into_shards`. A large day's listing is never held
    whole."""
    each = objects_of_shard(day.config.images.shard_size)
    with closing(list_day(day)) as listed:
        first = list(islice(listed, each + 1))
        if len(first) <= each:
            return ingest_day(day, model, first)
        return cut_into_shards(day, model, chain(first, listed))


def ingest_day(day: DayStore, model: DayModel, listed: Sequence[StoredObject] | None = None) -> Ingest:
    """Takes in what lies in the day's incoming folder, in this process, and returns what it wrote to ingest.json.

    The same objects give the same bytes. Raises EmptyDay where nothing is listed but what is ignored (and writes nothing). Raises
    TooManyRejects, after everything is written, where more than `max_reject_share` is quarantined or no image at all is accepted.
    """
    segments = DaySegments.of(day)
    listed = list(segments.counted(day, listed or list_day(day)))

    def make_pass(given_up: frozenset[str]) -> Ingest:
        with writing_tables(day, segments) as tables, _blocks(day, listed, model, given_up) as blocks:
            for number, block in enumerate(blocks):
                name = model.name_of_block(block.manifest)
                inputs.write_block(day, number, block.inputs, name)
                tables.add(block.manifest, block.features, name)
        return _finish(day, model, tables)

    found = until_settled(make_pass)
    _clear_shards(day)
    return _refuse_too_many_rejects(day, found)


@contextmanager
def _blocks(
    day: DayStore, listed: Sequence[StoredObject], model: DayModel, given_up: frozenset[str]
) -> Iterator[Iterator[Block]]:
    """The blocks of a pass over these objects of the day. A pass that fails is closed here, on the thread that made it: garbage
    collection would end it at any time, on any thread."""
    folder = folder_of_day(day)
    with (
        closing(take_in_blocks(folder, listed, model.input, given_up, decoding=model.decoding)) as taken_in,
        closing(watched(folder, taken_in, given_up)) as blocks,
    ):
        yield blocks


def cut_into_shards(day: DayStore, model: DayModel, listed: Iterable[StoredObject]) -> list[Shard]:
    """Cuts the day into shards of `images.shard_size` and writes down what lies in each. `listed`: in the order of the keys; one shard's
    objects are in memory at a time."""
    size = day.config.images.shard_size
    segments = DaySegments.of(day)
    _clear_shards(day)
    run = secrets.token_hex(8)
    schema = _of_run(_LISTING, run)
    objects, total = segments.counted(day, listed), 0
    try:
        while part := list(islice(objects, objects_of_shard(size))):
            number = total // objects_of_shard(size)
            with writing_table(day.storage, day.keys.shard(number, "listing.parquet"), schema) as table:
                table.add(pa.table([[o.key for o in part], [o.size for o in part]], schema=schema))
            total += len(part)
    except DriftwatchError:  # a day of ignored files alone, or a listing that broke off
        _clear_shards(day)  # forgetting would take what is there for a day that is being taken in
        raise
    shards = shards_of(total, size, run)
    about = pixel_fields(model.input)
    plan = ShardPlan(shards=len(shards), listed=total, model_version=model.version, run=run, **about)
    day.write(plan.model_copy(update={"decoding": model.decoding}))
    return shards


def _of_run(schema: pa.Schema, run: str) -> pa.Schema:
    """Two tries of ingest_images may overlap, and each cuts the day as it lists it. So a shard's tables say which try cut it."""
    return schema.with_metadata({_RUN: run})


def _refuse_other_run(day: DayStore, table: pa.Table, run: str) -> None:
    found = (table.schema.metadata or {}).get(_RUN, b"").decode()
    if run and found != run:
        raise NeedsAttention(
            f"{day.storage.url(day.keys.shards)}: two runs of ingest_images have cut the day at the same time: clear ingest_images "
            "with what follows"
        )


def ingest_shard(day: DayStore, shard: Shard) -> dict[str, int]:
    """Makes the pass over one shard's objects: writes its blocks of inputs, and what the merge needs. Returns counts by status.

    Raises NeedsAttention if the day was merged already, or meanwhile: then nothing is left that a reader or a merge would take.
    """
    plan = _plan_of(day)
    model = DayModel(plan.model_version, plan.pixels, plan.decoding)
    listing = day.storage.read_arrow(day.keys.shard(shard.number, "listing.parquet"))
    _refuse_other_run(day, listing, shard.run)
    part = listing.to_pandas()
    objects = [StoredObject(key, int(size)) for key, size in zip(part["key"], part["size"], strict=True)]

    schema = _of_run(_IMAGES, shard.run or plan.run)

    def make_pass(given_up: frozenset[str]) -> Counter[str]:
        counts: Counter[str] = Counter()
        with (
            writing_table(day.storage, day.keys.shard(shard.number, "images.parquet"), schema) as table,
            _blocks(day, objects, model, given_up) as blocks,
        ):
            for number, block in zip(shard.blocks, blocks, strict=True):
                inputs.write_block(day, number, block.inputs, model.name_of_block(block.manifest))
                table.add(_with_features(block))
                counts.update(block.manifest["status"].to_pylist())
            _plan_of(day)  # a try that was held up for long would leave a file that no merge takes
        return counts

    counts = until_settled(make_pass)
    return {status: counts[status] for status in (ACCEPTED, DUPLICATE, QUARANTINED, IGNORED)}


def _plan_of(day: DayStore) -> ShardPlan:
    plan = day.find(ShardPlan)
    if plan is None:
        raise NeedsAttention(
            f"{day.storage.url(day.key(ShardPlan))} is gone: the day was merged since. To take it in again clear ingest_images"
        )
    return plan


def merge_shards(day: DayStore) -> Ingest:
    """Makes one day of its shards. An image that two shards accepted is a duplicate in the later one. Returns and raises as `ingest_day`.

    At the end the shards' own files are removed, the plan first: a day without a plan is whole. A repeat after that only looks at
    ingest.json again, and clears what a kill has left.
    """
    plan = day.find(ShardPlan)
    if plan is None:
        _clear_shards(day, ("listing.parquet", "images.parquet"))
        return _refuse_too_many_rejects(day, day.read(Ingest))
    model = DayModel(plan.model_version, plan.pixels, plan.decoding)
    keys = [day.keys.shard(number, "images.parquet") for number in range(plan.shards)]
    there = {item.key for item in day.storage.list(day.keys.shards)}
    if lacking := sum(key not in there for key in keys):
        raise NeedsAttention(not_done(day.storage.url(day.keys.shards), lacking, plan.shards, "ingest_shards"))
    shared = in_several(day.storage, keys, plan.listed)
    firsts: dict[str, str] = {}
    block = 0
    with writing_tables(day, DaySegments.of(day)) as tables:
        for images_of_shard in day.storage.iter_arrow(keys, None, TABLES_AHEAD):
            _refuse_other_run(day, images_of_shard, plan.run)
            for start in range(0, len(images_of_shard), BLOCK):
                part = without_copies(images_of_shard.slice(start, BLOCK), shared, firsts)
                name = model.name_of_block(part)
                _drop_inputs(day, model, block, name, part, images_of_shard.slice(start, BLOCK))
                accepted = part.filter(pc.equal(part["status"], ACCEPTED))
                features = np.column_stack([accepted[name].to_numpy() for name in COLUMNS])
                tables.add(part.select(MANIFEST.names), features, name)
                block += 1
    found = _finish(day, model, tables)
    # What the next steps write there stays: a try that ends late must not take it away.
    _clear_shards(day, ("listing.parquet", "images.parquet"))
    return _refuse_too_many_rejects(day, found)


def _clear_shards(day: DayStore, names: tuple[str, ...] = ("",)) -> None:
    """Removes the shards' files whose keys end so, and what killed writes of them left. The plan goes first: a kill leaves either all that a merge needs, or no plan."""
    day.storage.delete(day.key(ShardPlan))
    left = [*day.storage.list(day.keys.shards), *day.storage.unfinished(day.keys.shards)]
    day.storage.delete_all([item.key for item in left if target_of(item.key).endswith(names)])


def _finish(day: DayStore, model: DayModel, tables: DayTables) -> Ingest:
    """Writes the inputs' index and, last, ingest.json. It has the number of `late` images if there are any, and of `judged` ones if these are not
    all."""
    inputs.write_index(day, model.input, tables.rows, tables.names)
    found = tables.counted(day.date, model.version, model.input, model.decoding)
    more = {"late": count_late(day), "judged": tables.judged.write(day)}
    found = found.model_copy(update={name: count for name, count in more.items() if count})
    place = place_of_day(day)
    if day.config.images.layout:
        found = found.model_copy(update={"images_root": place.root})
    day.write(found)
    counts = found.model_dump(mode="json", exclude_unset=True)
    logger.info("Took in %s: %s", place.said, counts)
    return found


def _refuse_too_many_rejects(day: DayStore, found: Ingest) -> Ingest:
    allowed = day.config.images.max_reject_share
    if found.quarantined > allowed * found.delivered or not found.accepted:
        counted = Counter(found.reasons).most_common()
        reasons = ", ".join(f"{kind} {count}" for kind, count in counted)
        limit = (
            f"; images.max_reject_share allows {allowed:.0%}"
            if found.accepted
            else ", and no image at all was accepted"
        )
        raise TooManyRejects(
            f"{found.quarantined} of {found.delivered} files in {place_of_day(day).said} were quarantined "
            f"({reasons}){limit}. {_example(day, counted[0][0])}{day.storage.url(day.keys.manifest)} has the reason for each"
        )
    return found


def _example(day: DayStore, kind: str) -> str:
    """A sentence on the first file that was quarantined for such a reason: it names the setting, where one decides it."""
    for piece in pieces(day.storage, day.keys.manifest, ("key", "status", "reason")):
        rejected = piece.filter(pc.equal(piece["status"], QUARANTINED))
        alike = rejected.filter(pc.starts_with(rejected["reason"], f"{kind}: "))
        if alike.num_rows:
            key, why = alike["key"][0].as_py(), alike["reason"][0].as_py().partition(": ")[2]
            return f"Such as {day.storage.url(key)} ({why}). "
    return ""


def _with_features(block: Block) -> pa.Table:
    """A table like _IMAGES."""
    accepted = np.flatnonzero(pc.equal(block.manifest["status"], ACCEPTED).to_numpy())
    values = np.full((len(block.manifest), len(COLUMNS)), np.nan)
    values[accepted] = block.features
    columns = [pa.array(column) for column in values.T.copy()]
    return pa.table([*block.manifest.columns, *columns], schema=_IMAGES)


def _drop_inputs(day: DayStore, model: DayModel, number: int, name: str, now: pa.Table, before: pa.Table) -> None:
    """Writes a shard's block without the images that turned out to be duplicates, under its new `name`. Does nothing the second time."""
    was, kept = (pc.equal(table["status"], ACCEPTED).to_numpy() for table in (before, now))
    if kept.sum() == was.sum() or not name or day.storage.exists(day.keys.inputs_block(number, name)):
        return
    images = day.storage.read_array(day.keys.inputs_block(number, model.name_of_block(before)))
    inputs.write_block(day, number, images[kept[was]], name)
