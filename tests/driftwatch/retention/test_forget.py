"""After a small day and a retraining, forgotten images are found nowhere in the storage but where the receipt says, and every count is true."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from pathlib import Path
from shutil import copytree

import pandas as pd
import pytest
from tests.driftwatch.models.conftest import World, open_world
from tests.elsewhere import read_only
from tests.killed_write import killed_write
from tests.once import once_for_all_workers

from driftwatch.artifacts.forgetting import FORGOTTEN, ForgetReceipt
from driftwatch.errors import NeedsAttention, StorageRefused
from driftwatch.models.dataset import collect_training_set
from driftwatch.retention.forget import forget, unfinished
from driftwatch.retention.search import ListedImages, nearly_the_same, wanted_images
from driftwatch.storage import Storage
from driftwatch.storage.addresses import split_address

from .forgetting import ASKED, CHALLENGER, DAY, Told, held_out_image, live, needles_of, store_of, trained_image, where


@pytest.fixture(scope="session")
def lived(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A storage with a champion, a labelled day with what a day leaves, and a retraining. No model is trained: its files are made up."""
    return once_for_all_workers(tmp_path_factory, "lived", live)


@pytest.fixture
def world(lived: Path, tmp_path: Path) -> World:
    copytree(lived, tmp_path / "storage")
    return open_world(tmp_path / "storage").with_config(min_new_labels=5)


@pytest.mark.parametrize("held", [True, False])
def test_forgotten_images_are_nowhere_but_where_the_receipt_says(world, held, monkeypatch) -> None:
    if not held:  # as tables of a large day
        monkeypatch.setattr("driftwatch.retention.forget.MOST_HELD", 0)
    (one, key), (other, other_key) = trained_image(world), held_out_image(world)
    needles = [*needles_of(world, one, key), *needles_of(world, other, other_key)]
    assert len(where(world.storage, *needles)) > 10
    told = Told()
    receipt = forget(store_of(world), [one, other_key], ASKED, told.outside)
    assert where(world.storage, *needles) == sorted([key, other_key])
    assert (receipt.images, receipt.originals_left, receipt.models) == (2, 2, (CHALLENGER,))
    assert receipt.services_left == {"desk": 1}
    assert list(told.tokens) == [one]
    assert told.reports == [DAY]
    assert set(receipt.changed) == {
        "references",
        "inputs",
        "embeddings",
        "shown copies",
        "tables and records",
        "reports",
    }
    assert where(world.storage, b"work.json") == []


def test_with_the_setting_their_files_go_too(world) -> None:
    one, key = trained_image(world)
    needles = needles_of(world, one, key)
    receipt = forget(store_of(world, forget_originals=True), [key], ASKED, Told(1).outside)
    assert where(world.storage, *needles) == []
    assert (receipt.originals_left, receipt.services, receipt.services_left) == (0, {"desk": 1}, {})


@pytest.mark.parametrize("held", [True, False])
def test_no_row_goes_and_every_count_stays(world, held, monkeypatch) -> None:
    if not held:
        monkeypatch.setattr("driftwatch.retention.forget.MOST_HELD", 0)
    one, _ = trained_image(world)
    store, tables = (
        store_of(world),
        [item.key for item in world.storage.list("stripes") if item.key.endswith(".parquet")],
    )
    before = {key: world.storage.read_table(key) for key in tables}
    forget(store, [one], ASKED, Told().outside)
    for key, table in before.items():
        now = world.storage.read_table(key)
        assert (len(now), list(now.columns), list(now.dtypes)) == (len(table), list(table.columns), list(table.dtypes))
    labels = world.storage.read_table(store.keys.day(DAY).labels)
    was = before[store.keys.day(DAY).labels]
    assert labels["label"].tolist() == was["label"].tolist()
    changed = labels.loc[labels["image_id"] != was["image_id"], "image_id"].tolist()
    assert len(changed) == 1
    assert changed[0].startswith(FORGOTTEN)
    predictions = world.storage.read_table(store.keys.day(DAY).predictions)
    assert changed[0] in set(predictions["image_id"])


def test_nobody_trains_on_the_black_picture(world) -> None:
    one, _ = trained_image(world)
    store = store_of(world)
    before = collect_training_set(store, "before", DAY, DAY).new_labels
    forget(store, [one], ASKED, Told().outside)
    card = collect_training_set(store, "after", DAY, DAY)
    assert (card.new_labels, card.left_out["forgotten"]) == (before - 1, 1)


@pytest.mark.parametrize("writes", [1, 2, 4, 7, 12, 20])
def test_a_run_that_was_killed_is_finished_by_the_next(world, writes, monkeypatch) -> None:
    (one, key), (other, other_key) = trained_image(world), held_out_image(world)
    needles = needles_of(world, one, key) + needles_of(world, other, other_key)
    left, write = [writes], Storage.write_bytes

    def dying(self, *arguments, **options):
        left[0] -= 1
        if left[0] < 0:
            raise KeyboardInterrupt
        return write(self, *arguments, **options)

    with monkeypatch.context() as killed:
        killed.setattr(Storage, "write_bytes", dying)
        with pytest.raises(KeyboardInterrupt):
            forget(store_of(world), [one, other], ASKED, Told().outside)
    store = store_of(world)
    receipt = forget(store, [one, other], ASKED, Told().outside)
    assert where(world.storage, *needles) == sorted([key, other_key])
    assert (receipt.images, unfinished(store)) == (2, [])


def test_what_is_no_image_of_the_monitor_is_named_and_nothing_is_changed(world) -> None:
    one, _ = trained_image(world)
    before = [(item.key, item.size) for item in world.storage.list("stripes")]
    with pytest.raises(NeedsAttention, match=r"^nothing\.jpg: no image of stripes has this sha256 or this key"):
        forget(store_of(world), [one, "nothing.jpg"], ASKED, Told().outside)
    now = [(item.key, item.size) for item in world.storage.list("stripes") if not item.key.endswith(".lock")]
    assert now == [found for found in before if not found[0].endswith(".lock")]


def test_a_day_that_is_being_taken_in_is_waited_for(world) -> None:
    store = store_of(world)
    world.storage.write_bytes(store.keys.day(DAY).shard(0, "images.parquet"), b"x")
    with pytest.raises(NeedsAttention, match="2026-01-04: the day is just being taken in"):
        forget(store, [trained_image(world)[0]], ASKED, Told().outside)


def test_a_day_that_has_the_image_in_a_shard_alone_is_waited_for_too(world) -> None:
    """It came in a day before, and once more in one that is taken in for the first time: its shard's blocks are named by its id."""
    one, _ = trained_image(world)
    part = store_of(world).keys.day(date(2026, 1, 5)).shard(0, "images.parquet")
    world.storage.write_table(part, pd.DataFrame({"image_id": [None, one]}))
    with pytest.raises(
        NeedsAttention, match=r"2026-01-05: the day is just being taken in, or .* run it again, then forget"
    ):
        forget(store_of(world), [one], ASKED, Told().outside)
    assert world.storage.read_table(part)["image_id"].tolist() == [None, one]


def test_what_killed_writes_left_of_an_image_goes_and_stops_nobody(world) -> None:
    one, key = trained_image(world)
    of_day, picture = store_of(world).keys.day(DAY), world.storage.read_bytes(key)
    table = world.storage.read_bytes(of_day.manifest)
    left = [
        killed_write(world.storage, of_day.shard(0, "images.parquet"), table),
        killed_write(world.storage, of_day.manifest, table),
        killed_write(world.storage, f"{of_day.shown}/{one}.jpg", picture),
        killed_write(world.storage, store_of(world).keys.training_set, table),
    ]
    needles = needles_of(world, one, key)
    receipt = forget(store_of(world), [one], ASKED, Told().outside)
    assert receipt.changed["unfinished writes"] == len(left)
    assert where(world.storage, *needles) == [key]
    assert list(world.storage.unfinished("stripes")) == []


def test_images_that_look_nearly_the_same_are_listed_and_stay(world) -> None:
    one, key = trained_image(world)
    keys = store_of(world).keys.day(DAY)
    manifest = world.storage.read_table(keys.manifest)
    phash = manifest.set_index("image_id").loc[one, "phash"]
    other = manifest.loc[manifest["image_id"] != one].index[0]
    manifest.loc[other, "phash"] = f"{int(phash, 16) ^ 0b11:016x}"
    world.storage.write_table(keys.manifest, manifest)
    listed = ListedImages(store_of(world))
    (near,) = nearly_the_same(listed, wanted_images(listed, [key], "stripes"))
    assert (near.image_id, near.key, near.differs) == (manifest.loc[other, "image_id"], manifest.loc[other, "key"], 2)
    receipt = forget(store_of(world), [key], ASKED, Told().outside)
    assert receipt.near_duplicates == 1
    assert near.image_id in set(world.storage.read_table(keys.manifest)["image_id"])


def test_the_receipt_names_no_image(world) -> None:
    one, key = trained_image(world)
    store = store_of(world)
    receipt = forget(store, [one], ASKED, Told().outside)
    stored = store.keys.forgetting(receipt.receipt, "receipt.json")
    assert store.read(stored, ForgetReceipt) == receipt
    text = world.storage.read_bytes(stored).decode()
    assert not [name for name in (one, Path(key).name, FORGOTTEN) if name in text]


@pytest.mark.parametrize("refused", [False, True])
def test_an_original_in_a_place_that_is_only_read_stays_and_is_told(world, tmp_path, monkeypatch, refused) -> None:
    """Where `images.layout` leads nothing is deleted, whatever storage.forget_originals says; and an account that may not read there any more
    does not make it gone."""
    one, key = trained_image(world)
    there = read_only(split_address(f"file://{tmp_path}/cams")[0])
    address = f"file://{tmp_path}/cams/2026-01-04/{Path(key).name}"
    (tmp_path / "cams/2026-01-04").mkdir(parents=True)
    (tmp_path / "cams/2026-01-04" / Path(key).name).write_bytes(world.storage.read_bytes(key))
    manifest = world.layout.day(DAY).manifest
    table = world.storage.read_table(manifest)
    world.storage.write_table(manifest, table.assign(key=table["key"].replace(key, address)))
    world.storage.delete(key)
    if refused:
        monkeypatch.setattr(there, "read_bytes", lambda key: (_ for _ in ()).throw(StorageRefused("may not")))
    opened: list[str] = []
    store = replace(store_of(world, forget_originals=True), elsewhere=lambda uri: [opened.append(uri), there][1])
    receipt = forget(store, [address], ASKED, Told().outside)
    assert (receipt.images, receipt.originals_left) == (1, 1)
    assert "originals" not in receipt.changed
    assert (tmp_path / "cams/2026-01-04" / Path(key).name).exists()
    assert where(world.storage, one.encode(), address.encode()) == []
    assert opened
