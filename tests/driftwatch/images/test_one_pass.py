"""The one pass over images: each object is fetched and decoded once, a few at a time, and has one row."""

from __future__ import annotations

import io
import threading
import time
import weakref
from datetime import date

import numpy as np
import pytest
from PIL import Image

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.model_input import ModelInput
from driftwatch.config import ImagesConfig
from driftwatch.images import one_pass, outcome
from driftwatch.images.decode import check_file
from driftwatch.images.listing import ImageFolder, folder_of_day
from driftwatch.images.one_pass import take_in, take_in_blocks
from driftwatch.images.room import Room
from driftwatch.storage import Storage, open_storage

from .days import day_of
from .files import LIMITS, encoded, picture

DAY = DayKeys("cats", date(2026, 3, 1))
SQUARE = ModelInput.square(32)


def photo(seed: int, width: int = 90, height: int = 60) -> Image.Image:
    rng = np.random.default_rng(seed)
    return Image.fromarray(rng.integers(0, 256, (6, 9, 3), dtype=np.uint8)).resize((width, height))


@pytest.fixture
def storage(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}/store")


def fill(storage: Storage, files: dict[str, bytes]) -> None:
    for name, data in files.items():
        storage.write_bytes(f"{DAY.incoming}/{name}", data)


def test_a_note_stands_in_the_manifest_and_the_image_is_one_like_others(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    small = encoded(picture(64, 64))
    for name, data in {"a": small, "b": small[:-2], "c": small[:-2], "d": small[:-60], "e": small[:-60]}.items():
        storage.write_bytes(f"in/{name}.jpg", data)
    found = take_in(ImageFolder(storage, "in", LIMITS), storage.list("in"), SQUARE)
    manifest = found.manifest
    assert manifest["status"].tolist() == ["accepted", "accepted", "duplicate", "quarantined", "quarantined"]
    assert manifest["reason"][0] == ""
    assert manifest["reason"][1].startswith("no_end_mark: ")
    assert manifest["reason"][2] == "same bytes as in/b.jpg"
    assert manifest["reason"].str.startswith("truncated: ").tolist() == [False, False, False, True, True]
    assert manifest["phash"][0] == manifest["phash"][1]
    np.testing.assert_array_equal(found.inputs[0], found.inputs[1])
    assert len(found.features) == 2


def test_an_object_that_is_too_large_is_not_even_fetched(storage, monkeypatch):
    fill(storage, {"large.jpg": bytes(2000), "good.jpg": encoded(photo(1, 40, 40))})
    read = Storage.read_foreign
    monkeypatch.setattr(
        Storage,
        "read_foreign",
        lambda self, key, *how: pytest.fail("fetched") if "large" in key else read(self, key, *how),
    )
    taken = take_in(
        ImageFolder(storage, DAY.incoming, ImagesConfig(max_bytes=1500)), storage.list(DAY.incoming), SQUARE
    )
    assert taken.manifest["status"].tolist() == ["accepted", "quarantined"]
    assert taken.manifest["reason"][1].startswith("too_many_bytes: has 2000 bytes")
    assert taken.manifest["image_id"].isna().tolist() == [False, True]


def test_only_a_few_images_are_in_work_at_a_time_however_many_there_are(storage, monkeypatch):
    fill(storage, {f"{number:03}.jpg": encoded(photo(number)) for number in range(120)})
    started, taken, most = [0], [0], [0]
    process = one_pass.outcome_of

    def counting(*arguments):
        started[0] += 1
        most[0] = max(most[0], started[0] - taken[0])
        return process(*arguments)

    monkeypatch.setattr(one_pass, "outcome_of", counting)
    monkeypatch.setattr(one_pass, "BLOCK", 1)
    folder = folder_of_day(day_of(storage, DAY))
    for block in take_in_blocks(folder, storage.list(DAY.incoming), SQUARE, workers=2):
        taken[0] += len(block.inputs)
    assert taken[0] == started[0] == 120
    assert most[0] <= 2 * one_pass._TURNS_PER_CORE * one_pass._TURN


def test_of_large_files_fewer_are_in_work_and_one_worker_is_the_caller(storage, monkeypatch):
    fill(storage, {f"{number:02}.jpg": encoded(photo(number)) for number in range(40)})
    folder, objects = folder_of_day(day_of(storage, DAY)), storage.list(DAY.incoming)
    whole = take_in(folder, objects, SQUARE)
    monkeypatch.setattr(one_pass, "_TURN_BYTES", 2 * objects[0].size)
    monkeypatch.setattr(one_pass, "BLOCK", 1)
    started, process = [], one_pass.outcome_of
    monkeypatch.setattr(one_pass, "outcome_of", lambda *all: (started.append(threading.get_ident()), process(*all))[1])
    ids: list[str] = []
    for block in take_in_blocks(folder, objects, SQUARE, workers=1):
        ids += block.manifest["image_id"].to_pylist()
        assert len(started) <= len(ids) + 3
    assert ids == whole.manifest["image_id"].tolist()
    assert set(started) == {threading.get_ident()}


def test_no_input_of_a_block_is_held_when_the_block_is_gone(storage, monkeypatch):
    fill(storage, {f"{number:03}.jpg": encoded(photo(number)) for number in range(120)})
    held: list[weakref.ref[np.ndarray]] = []
    accepted = outcome._accepted

    def noting(*arguments):
        made = accepted(*arguments)
        held.append(weakref.ref(made.input))
        return made

    monkeypatch.setattr(outcome, "_accepted", noting)
    monkeypatch.setattr(one_pass, "BLOCK", 8)
    folder = folder_of_day(day_of(storage, DAY))
    most = 0
    for _ in take_in_blocks(folder, storage.list(DAY.incoming), SQUARE, workers=1):
        most = max(most, sum(each() is not None for each in held))
    assert len(held) == 120
    assert most <= one_pass._TURNS_PER_CORE * one_pass._TURN + one_pass._TURN


def test_what_a_decoder_says_is_the_same_in_each_run_and_stays_on_one_line():
    said = [outcome.stable_text(f"cannot identify {io.BytesIO(b'x')}\n\x1b[31m") for _ in range(2)]
    assert said == ["cannot identify <_io.BytesIO object>  [31m"] * 2


def test_pictures_in_work_together_take_no_more_than_the_setting(tmp_path, monkeypatch):
    storage = open_storage(f"file://{tmp_path}")
    rng = np.random.default_rng(0)
    sides = [32 + 8 * int(side) for side in rng.integers(0, 12, 60)]
    for number, side in enumerate(sides):
        storage.write_bytes(f"in/{number:02d}", encoded(Image.new("RGB", (side, side), (4 * number, 0, 0))))
    in_work, seen, lock, accepted = [], [], threading.Lock(), outcome._accepted
    sizes = {side: check_file(encoded(Image.new("RGB", (side, side))), LIMITS).memory for side in sides}
    limit = 1.5 * max(sizes.values())

    def counted(file, *how):
        with lock:
            in_work.append(file.memory)
            seen.append(list(in_work))
        time.sleep(0.002)
        with lock:
            in_work.remove(file.memory)
        return accepted(file, *how)

    monkeypatch.setattr(outcome, "_accepted", counted)
    monkeypatch.setattr(one_pass, "Room", lambda size: Room(int(limit)))
    blocks = list(take_in_blocks(ImageFolder(storage, "in", LIMITS), storage.list("in"), SQUARE, workers=4))
    assert sum(len(block.inputs) for block in blocks) == 60
    assert max(map(len, seen)) > 1
    assert max(map(sum, seen)) <= limit
