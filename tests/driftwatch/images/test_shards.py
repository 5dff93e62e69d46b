"""A day in shards is the same day: the same artifacts to the byte, nothing left over, whatever the cuts and the order."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import partial

import cv2
import numpy as np
import pandas as pd
import pytest

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.ingest import Ingest
from driftwatch.config import ImagesConfig
from driftwatch.errors import EmptyDay, NeedsAttention, TooManyRejects
from driftwatch.images import ingest, judged, one_pass, shards
from driftwatch.images.copies import in_several
from driftwatch.images.ingest import cut_into_shards, ingest_day, ingest_shard, merge_shards
from driftwatch.images.listing import list_day
from driftwatch.images.shards import MOST_BATCHES, Shard, batches_of, shards_of
from driftwatch.storage import Storage, open_storage, tables

from ..kills import killed_at, kills, touches
from .days import MODEL, day_of

DAY = DayKeys("cats", date(2026, 3, 1))


LISTED = 1100


@pytest.fixture(scope="module")
def delivered() -> dict[str, bytes]:
    """1,100 files: pictures, copies near and far, broken files and a copy of a broken one."""
    rng = np.random.default_rng(0)
    files = {}
    for number in range(LISTED):
        rgb = cv2.resize(rng.integers(0, 255, (4, 5, 3), np.uint8), (40, 36))
        files[f"{number:04d}.jpg"] = cv2.imencode(".jpg", rgb)[1].tobytes()
    for copy, first in ((3, 1), (300, 1), (301, 299), (700, 300), (1099, 600), (1098, 1099)):
        files[f"{copy:04d}.jpg"] = files[f"{first:04d}.jpg"]
    for broken in (10, 512, 900):
        files[f"{broken:04d}.jpg"] = b"no picture"
    return files


@pytest.fixture
def storage(tmp_path, delivered) -> Storage:
    storage = open_storage(f"file://{tmp_path}/store")
    for name, data in delivered.items():
        target = storage.local_path(f"{DAY.incoming}/{name}")
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(data)
    return storage


def artifacts(storage: Storage) -> dict[str, bytes]:
    return {item.key: storage.read_bytes(item.key) for item in storage.list("cats/days")}


def in_shards(storage: Storage, size: int, order: int = 1, **settings) -> Ingest:
    images = ImagesConfig(shard_size=size, **settings)
    shards = cut_into_shards(day_of(storage, DAY, images), MODEL, list_day(day_of(storage, DAY, images)))
    for shard in shards[::order]:
        ingest_shard(day_of(storage, DAY, images), shard)
    return merge_shards(day_of(storage, DAY, images))


@pytest.mark.parametrize("most", [judged.MOST, 300])
def test_the_day_is_the_same_whatever_the_size_and_the_order_of_its_shards(storage, monkeypatch, most):
    monkeypatch.setattr(tables, "ROWS", 400)  # several row groups
    monkeypatch.setattr(judged, "MOST", most)  # with 300 the day is judged by a sample
    counts = ingest_day(day_of(storage, DAY), MODEL)
    assert (counts.accepted, counts.duplicate, counts.quarantined) == (LISTED - 9, 6, 3)
    whole = artifacts(storage)
    assert (DAY.judged in whole) == (counts.judged == 300) == (most == 300)
    for size, order in ((256, -1), (257, 1), (700, -1)):
        for key in whole:
            storage.delete(key)
        assert in_shards(storage, size, order) == counts
        assert artifacts(storage) == whole
    reasons = storage.read_table(DAY.manifest).set_index("key")["reason"]
    for copy, first in ((3, 1), (300, 1), (301, 299), (700, 1), (1098, 600), (1099, 600)):
        assert reasons[f"{DAY.incoming}/{copy:04d}.jpg"] == f"same bytes as {DAY.incoming}/{first:04d}.jpg"


def test_a_day_in_shards_fetches_and_decodes_each_image_once(storage, monkeypatch, delivered):
    from driftwatch.images import outcome

    fetched, decoded = Counter(), Counter()
    read, accepted = Storage.read_foreign, outcome._accepted
    monkeypatch.setattr(
        Storage, "read_foreign", lambda self, key, *how: (fetched.update([key]), read(self, key, *how))[1]
    )
    monkeypatch.setattr(outcome, "_accepted", lambda file, *how: (decoded.update([file.data]), accepted(file, *how))[1])
    in_shards(storage, 512)
    images = {key: n for key, n in fetched.items() if key.startswith(DAY.incoming)}
    assert images == {f"{DAY.incoming}/{name}": 1 for name in delivered}
    # A copy in another shard is another object; within a shard it is not decoded again.
    assert decoded.total() == LISTED - 9 + 2


def test_a_merge_that_is_repeated_gives_the_same_day_and_its_shards_are_not_taken_in_again(storage):
    ingest_day(day_of(storage, DAY), MODEL)
    whole = artifacts(storage)
    images = ImagesConfig(shard_size=256)
    shards = cut_into_shards(day_of(storage, DAY, images), MODEL, list_day(day_of(storage, DAY, images)))
    for shard in shards:
        ingest_shard(day_of(storage, DAY, images), shard)
    counts = merge_shards(day_of(storage, DAY, images))
    assert artifacts(storage) == whole
    assert merge_shards(day_of(storage, DAY, images)) == counts
    with pytest.raises(NeedsAttention, match="clear ingest_images"):
        ingest_shard(day_of(storage, DAY, images), shards[0])


@pytest.fixture
def small_day(storage, monkeypatch) -> dict[str, bytes]:
    """20 files in blocks of 8, taken in whole: the artifacts. A copy and what it is a copy of lie in two shards."""
    for module in (ingest, one_pass, shards):
        monkeypatch.setattr(module, "BLOCK", 8)
    for item in storage.list(DAY.incoming)[20:]:
        storage.delete(item.key)
    storage.write_bytes(f"{DAY.incoming}/0017.jpg", storage.read_bytes(f"{DAY.incoming}/0000.jpg"))
    assert ingest_day(day_of(storage, DAY, SMALL), MODEL).accepted == 17
    return artifacts(storage)


SMALL = ImagesConfig(shard_size=8)


def day_in_shards(storage: Storage) -> list[Callable[[], object]]:
    """The day's tasks, in order; to be run one after the other."""
    listed = list(list_day(day_of(storage, DAY, SMALL)))
    return [
        lambda: cut_into_shards(day_of(storage, DAY, SMALL), MODEL, listed),
        *(partial(ingest_shard, day_of(storage, DAY, SMALL), shard) for shard in shards_of(len(listed), 8)),
        lambda: merge_shards(day_of(storage, DAY, SMALL)),
    ]


def test_every_task_killed_at_each_write_and_each_delete_and_tried_again_gives_the_same_day(
    storage, small_day, tmp_path
):
    before = open_storage(f"file://{tmp_path}/before")
    killed = Counter()
    for number, task in enumerate(day_in_shards(storage)):
        shutil.rmtree(before.root, ignore_errors=True)
        shutil.copytree(storage.root, before.root)
        touched = touches(task)
        for place, when in kills(touched):
            again = open_storage(f"file://{tmp_path}/{number}-{place}-{when}")
            shutil.copytree(before.root, again.root)
            left = day_in_shards(again)[number:]
            killed_at(place, when, left[0])
            # What predict_shards hands over lies in the same folder, and is not the merge's to clear up once the day is whole.
            answers, merging = DAY.shard(0, "predictions.parquet"), len(left) == 1
            handed_over = {answers: b"answers"} if merging and not again.exists(DAY.shard_plan) else {}
            for key, data in handed_over.items():
                again.write_bytes(key, data)
            for each in left:
                each()
            assert artifacts(again) == small_day | handed_over, f"task {number} killed {when} {touched[place]}"
            killed[" ".join(touched[place].split()[:2])] += 1
            shutil.rmtree(again.root)
    assert artifacts(storage) == small_day
    # The index of before, the block that has the copy, the plan, and of three shards the listing and the rows, are removed: each before and after.
    assert killed["storage delete"] == 2 * 9
    # The merge writes two tables, the index and the counts: the block without the copy is there from before.
    assert killed["storage write"] >= 2 * (4 + 3 * 2 + 4)


def test_too_many_rejects_are_refused_at_the_merge_and_again_when_it_is_repeated(storage):
    for _ in range(2):
        with pytest.raises(TooManyRejects, match=r"3 of 1100 .*not_an_image 3"):
            in_shards(storage, 600, max_reject_share=0.001)
    with pytest.raises(TooManyRejects, match=r"images\.max_reject_share allows 0%"):
        merge_shards(day_of(storage, DAY, ImagesConfig(max_reject_share=0.001)))
    assert merge_shards(day_of(storage, DAY)).accepted == LISTED - 9


def test_shards_cover_the_listing_in_whole_blocks_and_batches_cover_the_shards():
    for listed, size in ((1, 1), (256, 256), (257, 256), (10_000, 1000), (1_000_000, 256), (100_000_000, 20_000)):
        found = shards_of(listed, size)
        assert [shard.start for shard in found] == [0, *(shard.stop for shard in found[:-1])]
        assert found[-1].stop == listed
        assert all(shard.start % 256 == 0 for shard in found)
        batches = batches_of(found)
        assert [batch.first for batch in batches] == [0, *(batch.stop for batch in batches[:-1])]
        assert len(batches) == len(found) if len(found) <= MOST_BATCHES else len(batches) <= MOST_BATCHES
        if len(found) < 10_000:
            assert [shard for batch in batches for shard in batch.shards] == found
        assert batches[-1].shards[-1] == found[-1]
    assert [shard.stop - shard.start for shard in shards_of(10_000, 1000)] == [1024] * 9 + [784]
    assert shards_of(10_000, 1000)[1].name == batches_of(shards_of(10_000, 1000))[1].name
    assert shards_of(10_000, 1000)[1].name == "shard 2 of 10, files 1,025 to 2,048"
    assert batches_of(shards_of(100_000_000, 20_000))[1].name == "shards 6 to 10 of 4,945, files 101,121 to 202,240"


def test_a_day_of_one_shard_is_taken_in_at_once_and_a_larger_one_is_cut_without_holding_its_listing(
    storage, monkeypatch
):
    given = []

    def listing(day):
        for item in ingest_module_listing(day):
            given.append(item.key)
            yield item

    ingest_module_listing = ingest.list_day
    monkeypatch.setattr(ingest, "list_day", listing)
    held = []
    write = ingest.writing_table

    def writing(storage, key, schema):
        held.append((key.rpartition("/")[2], len(given)))
        return write(storage, key, schema)

    monkeypatch.setattr(ingest, "writing_table", writing)

    assert ingest.begin_day(day_of(storage, DAY, ImagesConfig(shard_size=LISTED)), MODEL) == storage_counts(storage)
    given.clear()
    held.clear()
    found = ingest.begin_day(day_of(storage, DAY, ImagesConfig(shard_size=256)), MODEL)
    assert found == shards_of(LISTED, 256, found[0].run)
    # When a shard's listing is written, no more is listed than the next shard's first object.
    assert [(name, count <= 256 * (place + 1) + 1) for place, (name, count) in enumerate(held)] == [
        (f"{place:04d}.listing.parquet", True) for place in range(5)
    ]


def storage_counts(storage: Storage) -> Ingest:
    return day_of(storage, DAY).read(Ingest)


def test_images_that_three_shards_have_are_found_by_their_ids(storage):
    ids = [f"{number:016x}{number:048x}" for number in range(7)]
    rows = [[ids[0], ids[1], None, ids[1]], [ids[2], ids[0]], [ids[3], ids[0], ids[2]], []]
    keys = []
    for number, of_shard in enumerate(rows):
        keys.append(DAY.shard(number, "images.parquet"))
        storage.write_table(keys[-1], pd.DataFrame({"image_id": pd.Series(of_shard, dtype=object)}))
    first_bits = {int(image_id[:16], 16) for image_id in (ids[0], ids[2])}
    assert set(in_several(storage, keys, 9).tolist()) == first_bits


def test_two_cuts_of_a_day_at_the_same_time_lose_no_file(storage, small_day):
    """The first one listed the day before a file came, and goes on writing when the second one's shards are taken in."""
    day = day_of(storage, DAY, SMALL)
    found: list[Shard] = []

    def slow():
        for number, item in enumerate(list(list_day(day))):
            if number == 9:
                storage.write_bytes(f"{DAY.incoming}/0000-a.jpg", storage.read_bytes(f"{DAY.incoming}/0001.jpg") + b"x")
                found.extend(cut_into_shards(day, MODEL, list_day(day)))
                ingest_shard(day, found[0])
            yield item

    cut_into_shards(day, MODEL, slow())
    with pytest.raises(
        NeedsAttention, match="two runs of ingest_images have cut the day at the same time: clear ingest_images"
    ):
        ingest_shard(day, found[1])


def test_what_was_made_by_another_cut_is_not_merged(storage, small_day):
    day = day_of(storage, DAY, SMALL)
    for shard in cut_into_shards(day, MODEL, list_day(day)):
        ingest_shard(day, shard)
    images = {item.key: storage.read_bytes(item.key) for item in storage.list(DAY.shards) if "images" in item.key}
    cut_into_shards(day, MODEL, list_day(day))
    for key, data in images.items():
        storage.write_bytes(key, data)
    with pytest.raises(NeedsAttention, match="two runs of ingest_images"):
        merge_shards(day)
    assert {key: storage.read_bytes(key) for key in (DAY.manifest, DAY.ingest)}.items() <= small_day.items()


def test_a_merge_that_ends_late_leaves_what_the_next_steps_wrote(storage, small_day, monkeypatch):
    day = day_of(storage, DAY, SMALL)
    for shard in cut_into_shards(day, MODEL, list_day(day)):
        ingest_shard(day, shard)
    finish = ingest._finish
    key = DAY.shard(0, "predictions.parquet")
    monkeypatch.setattr(ingest, "_finish", lambda *of: (finish(*of), storage.write_bytes(key, b"answers"))[0])
    merge_shards(day)
    assert [item.key for item in storage.list(DAY.shards)] == [key]


def test_a_day_of_ignored_files_alone_leaves_nothing_of_its_cut(storage, small_day):
    day = day_of(storage, DAY, SMALL.model_copy(update={"ignore": ("*",)}))
    with pytest.raises(EmptyDay):
        cut_into_shards(day, MODEL, list_day(day))
    assert not list(storage.list(DAY.shards))
