"""A day that is taken in again is read as it was until it is whole: no reader takes one run's block of inputs for another's."""

from __future__ import annotations

import shutil
from collections import Counter
from collections.abc import Callable
from datetime import date
from functools import partial

import cv2
import numpy as np
import pytest
from tests.killed_write import killed_write

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.ingest import InputsIndex
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.artifacts.store import DayStore
from driftwatch.config import ImagesConfig
from driftwatch.errors import MissingArtifact, NeedsAttention
from driftwatch.images import ingest, inputs, one_pass, shards
from driftwatch.images.ingest import begin_day, ingest_day, ingest_shard, merge_shards
from driftwatch.images.inputs import DayInputs, blacken, has_inputs, name_of, write_block, write_index
from driftwatch.images.listing import list_day
from driftwatch.images.shards import shards_of
from driftwatch.models.dataset import load_inputs
from driftwatch.storage import Storage, open_storage

from ..kills import killed_at, kills, touches
from .days import MODEL, day_of

DAY = DayKeys("cats", date(2026, 3, 1))
IN_SHARDS = ImagesConfig(shard_size=4, settle_seconds=0, formats=("jpeg", "png", "bmp"))
SIDE, IMAGES = 32, 12


def picture(seed: int) -> bytes:
    """A file of its own; all of them are of the same size."""
    rgb = np.random.default_rng(seed).integers(0, 255, (3, 4, 3), np.uint8)
    return cv2.imencode(".bmp", cv2.resize(rgb, (40, 36)))[1].tobytes()


@pytest.fixture
def storage(tmp_path, monkeypatch) -> Storage:
    """A day of 12 files in blocks of 4, taken in. The last block has a copy of an image of the first."""
    for module in (ingest, one_pass, shards):
        monkeypatch.setattr(module, "BLOCK", 4)
    storage = open_storage(f"file://{tmp_path}/store")
    deliver(storage, {number: number for number in range(1, IMAGES + 1)} | {10: 1})
    taken_in(day(storage))
    return storage


def deliver(storage: Storage, files: dict[int, int]) -> None:
    """Files by their numbers, each the picture of a seed."""
    for number, seed in files.items():
        storage.write_bytes(f"{DAY.incoming}/{number:03d}.bmp", picture(seed))


def day(storage: Storage) -> DayStore:
    of = day_of(storage, DAY, IN_SHARDS)
    model = of.config.model.model_copy(update={"input": MODEL.input.as_config})
    return of.with_config(of.config.model_copy(update={"model": model}))


def taken_in(of: DayStore) -> None:
    for shard in begin_day(of, MODEL):
        ingest_shard(of, shard)
    merge_shards(of)


def pictures(of: DayStore) -> dict[str, bytes]:
    """What retraining, and everybody who asks for images by their ids, is given of the day."""
    table = of.storage.read_table(DAY.features)[["image_id"]].assign(day=DAY.day.isoformat())
    return dict(zip(table["image_id"], (pixels.tobytes() for pixels in load_inputs(of.monitor, table)), strict=True))


def artifacts(storage: Storage) -> dict[str, bytes]:
    return {item.key: storage.read_bytes(item.key) for item in storage.list("cats/days")}


# What the day is when it is taken in again: a late image that sorts first, a file replaced by one of the same size, a file that is gone.
CHANGED: dict[str, Callable[[Storage], None]] = {
    "a late image": lambda storage: deliver(storage, {0: 99}),
    "another file of the same name and size": lambda storage: deliver(storage, {2: 99}),
    "two files that changed places": lambda storage: deliver(storage, {2: 3, 3: 2}),
    "a file that is gone": lambda storage: storage.delete(f"{DAY.incoming}/002.bmp"),
}
changed = pytest.mark.parametrize("change", CHANGED.values(), ids=list(CHANGED))


@changed
def test_while_a_large_day_is_taken_in_again_it_is_read_as_it_was(storage, change):
    of = day(storage)
    before, taken = pictures(of), len(DayInputs(of))
    change(storage)
    for shard in begin_day(of, MODEL):
        ingest_shard(of, shard)
        assert (pictures(of), len(DayInputs(of))) == (before, taken)
    merge_shards(of)
    after = pictures(of)
    assert after != before or list(after) != list(before)
    assert all(pixels == before[image_id] for image_id, pixels in after.items() if image_id in before)


def test_a_shard_that_no_task_took_in_is_told_with_what_to_do_and_is_merged_once_it_is_there(storage):
    of = day(storage)
    before, (first, *others) = artifacts(storage), begin_day(of, MODEL)
    for shard in others:
        ingest_shard(of, shard)
    with pytest.raises(
        NeedsAttention, match=r"ingest_shards has left nothing of 1 of 3 shards: clear ingest_shards.*trigger the DAG"
    ):
        merge_shards(of)
    ingest_shard(of, first)
    merge_shards(of)
    assert artifacts(storage) == before


def test_a_merge_takes_away_what_killed_writes_of_its_shards_left_and_nothing_of_the_next_steps(storage):
    of = day(storage)
    cut = begin_day(of, MODEL)
    for name in ("listing.parquet", "images.parquet"):
        killed_write(storage, DAY.shard(0, name), b"half")
    killed_write(storage, DAY.inputs_block(0, "aa"), b"half")
    for shard in cut:
        ingest_shard(of, shard)
    answers = killed_write(storage, DAY.shard(0, "predictions.parquet"), b"half")
    merge_shards(of)
    assert [item.key for item in storage.unfinished("cats/days")] == [answers]
    begin_day(of, MODEL)
    assert list(storage.unfinished("cats/days")) == []


def test_a_small_day_whose_second_pass_was_killed_is_read_as_it_was(storage, monkeypatch):
    of = day(storage)
    before = pictures(of)
    deliver(storage, {0: 99})
    write, written = inputs.write_block, []

    def killed(*block):
        write(*block)
        written.append(block)
        if len(written) == 2:
            raise SystemExit

    monkeypatch.setattr(inputs, "write_block", killed)
    with pytest.raises(SystemExit):
        ingest_day(of, MODEL)
    assert pictures(of) == before


def tasks(of: DayStore, large: bool) -> list[Callable[[], object]]:
    """What takes the day in, in order."""
    if not large:
        return [partial(ingest_day, of, MODEL)]
    cut = shards_of(len(list(list_day(of))), 4)
    return [
        partial(begin_day, of, MODEL),
        *(partial(ingest_shard, of, shard) for shard in cut),
        partial(merge_shards, of),
    ]


@pytest.mark.parametrize("large", [False, True], ids=["at once", "in shards"])
def test_a_second_run_killed_anywhere_leaves_right_pictures_or_says_that_there_are_none(storage, tmp_path, large):
    old = pictures(day(storage))
    deliver(storage, {0: 99, 2: 3, 3: 2, 7: 1, 8: 98})
    for gone in (5, 9, 10, 11, 12):
        storage.delete(f"{DAY.incoming}/{gone:03d}.bmp")
    whole = open_storage(f"file://{tmp_path}/whole")
    for item in storage.list(DAY.incoming):
        whole.write_bytes(item.key, storage.read_bytes(item.key))
    taken_in(day(whole))
    new, found = pictures(day(whole)), Counter()
    for number in range(len(tasks(day(storage), large))):
        for place, when in kills(touches(tasks(day(copied(storage, tmp_path / "counted")), large)[number])):
            again = copied(storage, tmp_path / "again")
            killed_at(place, when, tasks(day(again), large)[number])
            try:
                now = pictures(day(again))
            except MissingArtifact as error:
                assert "inputs/index.json" in str(error)  # noqa: PT017
                assert not has_inputs(day(again))
                found["none"] += 1
            else:
                assert all(pixels == (old | new)[image_id] for image_id, pixels in now.items())
                found["new" if list(now) == list(new) else "old"] += 1
            for task in tasks(day(again), large)[number:]:
                task()
            assert artifacts(again) == artifacts(whole)
        tasks(day(storage), large)[number]()
    assert found["old"] >= (10 if large else 3)
    assert found["none"] <= 8  # between the index of before and the new one two tables are written


def copied(storage: Storage, to) -> Storage:
    shutil.rmtree(to, ignore_errors=True)
    shutil.copytree(storage.root, to)
    return open_storage(f"file://{to}")


def test_a_try_that_wakes_after_the_merge_changes_nothing_and_leaves_no_part(storage, monkeypatch):
    of, write, held = day(storage), inputs.write_block, []
    whole, before = artifacts(storage), pictures(of)
    first, second, third = begin_day(of, MODEL)
    for shard in (first, second, third):
        ingest_shard(of, shard)

    def held_up(*block):
        if not held:
            held.append(block)
            merge_shards(of)
        write(*block)

    monkeypatch.setattr(inputs, "write_block", held_up)
    with pytest.raises(NeedsAttention, match="the day was merged since"):
        ingest_shard(of, third)  # in which a copy of an image of the first is not known for one
    assert pictures(of) == before
    assert storage.list(DAY.shards) == []
    (left,) = set(artifacts(storage)) - set(whole)
    assert left.startswith(f"{DAY.inputs}/000002-")
    taken_in(of)
    assert artifacts(storage) == whole


def test_a_day_that_grew_and_of_which_ingest_images_alone_was_cleared_says_what_to_clear(storage):
    of = day(storage)
    deliver(storage, {number: number for number in range(20, 24)})
    last = begin_day(of, MODEL)[-1]
    said = (
        r"inputs/index.json has 3 blocks, and block 4 is asked for.*Clear ingest_images of 2026-03-01 together with all"
    )
    for ask in (
        lambda: DayInputs(of).span(last.blocks),
        lambda: list(DayInputs(of).blocks(last.blocks)),
        lambda: predict_ids(of, last),
    ):
        with pytest.raises(NeedsAttention, match=said):
            ask()


def predict_ids(of: DayStore, shard: shards.Shard) -> object:
    from driftwatch.models.predict import _ids

    return _ids(of, DayInputs(of), shard.blocks)


def without_names(of: DayStore) -> None:
    """Makes of the day what Driftwatch wrote before blocks had names."""
    blocks, rows = list(DayInputs(of).blocks()), DayInputs(of).rows
    for number, block in enumerate(blocks):
        write_block(of, number, block)
    write_index(of, MODEL.input, rows)
    index = of.storage.read_json(DAY.inputs_index)
    of.storage.write_json(DAY.inputs_index, {**index, "schema_version": 1})
    assert set(index) == {"rows", "input_size", "schema_version"}


def test_a_day_of_blocks_without_names_is_read_and_replaced_when_it_is_whole(storage):
    of = day(storage)
    before, whole = pictures(of), artifacts(storage)
    without_names(of)
    assert pictures(of) == before
    assert DayInputs(of).place(5)[0] == DAY.inputs_block(1)
    for shard in begin_day(of, MODEL):
        ingest_shard(of, shard)
        assert pictures(of) == before
    merge_shards(of)
    assert artifacts(storage) == whole


@pytest.mark.parametrize("named", [True, False])
def test_an_image_that_is_made_black_is_in_no_block_and_its_block_s_name_does_not_tell_it(storage, named):
    of = day(storage)
    if not named:
        without_names(of)
    image_id, pixels = list(pictures(of).items())[5]
    old, _ = DayInputs(of).place(5)
    # What a killed run has left has the picture too.
    write_block(of, 1, DayInputs(of).take(range(4, 8)), "0123456789ab")
    others = {key: data for key, data in pictures(of).items() if key != image_id}
    assert (blacken(of, [5]), blacken(of, [5])) == (1, 0)
    assert pictures(of) == {**others, image_id: bytes(len(pixels))}
    assert storage.exists(old) is not named
    assert not any(pixels in data for data in artifacts(storage).values())
    assert len(storage.list(DAY.inputs)) == 4


def test_a_forgetting_that_was_killed_is_gone_on_with(storage, tmp_path):
    pixels = list(pictures(day(storage)).values())[5]
    for place, when in kills(touches(lambda: blacken(day(copied(storage, tmp_path / "counted")), [5]))):
        again = copied(storage, tmp_path / "again")
        killed_at(place, when, partial(blacken, day(again), [5]))
        blacken(day(again), [5])
        assert not any(pixels in data for data in artifacts(again).values())
        assert len(pictures(day(again))) == IMAGES - 1


def test_of_a_day_whose_run_was_killed_before_its_index_was_written_no_block_is_left(storage):
    of = day(storage)
    storage.delete(DAY.inputs_index)
    assert blacken(of, [5]) == 3
    assert storage.list(DAY.inputs) == []
    assert blacken(of, [5]) == 0


def test_a_name_says_the_images_their_order_and_how_they_were_made():
    square = ModelInput.square(SIDE)
    said = {
        name_of(ids, about, decoding)
        for ids in (["a", "b"], ["b", "a"], ["a"], ["ab"])
        for about in (square, ModelInput(height=SIDE, width=SIDE, resize="crop"))
        for decoding in (1, 2)
    }
    assert len(said) == 16
    assert name_of([], square, 1) == ""
    # What changes no stored pixel changes no name.
    assert name_of(["a"], square.model_copy(update={"colour": "bgr", "scale": 0.5}), 1) in said


def test_an_index_that_names_another_number_of_blocks_is_refused():
    with pytest.raises(ValueError, match="blocks names 1, and rows has 2"):
        InputsIndex(rows=(1, 2), blocks=("a",), input_size=SIDE)
