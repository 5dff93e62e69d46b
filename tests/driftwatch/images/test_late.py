"""Images that come after the sample was drawn: how many is told, whatever is repeated or killed, and a normal day leaves no trace of it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from datetime import date
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pandas as pd
import pytest

from driftwatch.artifacts.annotation import AnnotationPlan, LateDraw
from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.ingest import Ingest, LateFiles
from driftwatch.config import ImagesConfig
from driftwatch.images import day_tables, ingest, inputs, late, one_pass, shards
from driftwatch.images.ingest import cut_into_shards, ingest_day, ingest_shard, merge_shards
from driftwatch.images.late import ManyLate, among_late, images_on_time, keep_drawn_from, late_images, note_late_files
from driftwatch.images.listing import list_day
from driftwatch.storage import Storage, joining, open_storage
from driftwatch.storage.spool import Spool

from ..artifacts import samples
from .days import MODEL, day_of

DAY = DayKeys("cats", date(2026, 3, 1))


def photo(seed: int) -> bytes:
    rgb = np.random.default_rng(seed).integers(0, 255, (40, 40, 3), np.uint8)
    return cv2.imencode(".jpg", rgb)[1].tobytes()


def deliver(storage: Storage, names: Sequence[int]) -> None:
    for name in names:
        storage.write_bytes(f"{DAY.incoming}/{name}.jpg", photo(name))


def at_once(storage: Storage) -> Ingest:
    return ingest_day(day_of(storage, DAY, ImagesConfig(max_reject_share=1)), MODEL)


def in_shards(storage: Storage) -> Ingest:
    images = ImagesConfig(shard_size=2, max_reject_share=1)
    for shard in cut_into_shards(day_of(storage, DAY, images), MODEL, list_day(day_of(storage, DAY))):
        ingest_shard(day_of(storage, DAY, images), shard)
    return merge_shards(day_of(storage, DAY, images))


def artifacts(storage: Storage) -> dict[str, bytes]:
    return {item.key: storage.read_bytes(item.key) for item in storage.list("cats/days")}


@pytest.fixture
def storage(tmp_path, monkeypatch) -> Storage:
    """A day of three images whose sample is drawn."""
    for module in (ingest, one_pass, shards):
        monkeypatch.setattr(module, "BLOCK", 2)
    storage = open_storage(f"file://{tmp_path}")
    deliver(storage, (1, 2, 3))
    at_once(storage)
    storage.write_json(DAY.annotation, samples.PLAN)
    return storage


@pytest.mark.parametrize("take_in", [at_once, in_shards])
def test_late_images_are_counted_each_time_and_forgotten_when_they_are_gone(
    storage: Storage, take_in: Callable
) -> None:
    before = artifacts(storage)
    deliver(storage, (4, 5))
    storage.write_bytes(f"{DAY.incoming}/6.jpg", photo(1))  # came late, and is one that was there
    storage.write_bytes(f"{DAY.incoming}/7.jpg", b"no picture")
    found = take_in(storage)
    assert (found.accepted, found.late, found.duplicate, found.quarantined) == (5, 2, 1, 1)
    assert storage.read_json(DAY.ingest)["late"] == 2
    late = (
        storage.read_table(DAY.manifest).set_index("key").loc[[f"{DAY.incoming}/{n}.jpg" for n in (4, 5)], "image_id"]
    )
    assert sorted(late_images(day_of(storage, DAY))) == sorted(late)
    after = artifacts(storage)
    assert take_in(storage) == found
    assert artifacts(storage) == after

    for name in (4, 5, 6, 7):
        storage.delete(f"{DAY.incoming}/{name}.jpg")
    assert take_in(storage).late == 0
    assert artifacts(storage) == before


def test_nothing_is_late_for_a_sample_of_which_no_pool_was_asked_for(storage: Storage) -> None:
    deliver(storage, (4, 5))
    storage.write_json(DAY.annotation, {**samples.PLAN, "pool_id": None, "creations": {"project": 1}})
    assert at_once(storage).late == 0
    storage.write_json(DAY.annotation, {**samples.PLAN, "pool_id": None, "creations": {"pool": 1}})
    deliver(storage, (6,))
    assert at_once(storage).late == 1


def test_a_kill_at_any_write_of_the_second_pass_loses_no_count(storage: Storage, monkeypatch) -> None:
    deliver(storage, (4, 5))

    def killed(*_: Any) -> None:
        raise KeyboardInterrupt

    # Before anything is written, when the manifest is the new one, and before the count.
    for module, name in ((day_tables, "keep_sampled"), (inputs, "write_index"), (ingest, "count_late")):
        with monkeypatch.context() as patched:
            patched.setattr(module, name, killed)
            with pytest.raises(KeyboardInterrupt):
                at_once(storage)
    assert at_once(storage).late == 2


def test_before_the_sample_is_drawn_nothing_is_late(storage: Storage) -> None:
    storage.delete(DAY.annotation)
    deliver(storage, (4,))
    assert at_once(storage).late == 0
    assert late_images(day_of(storage, DAY)) == []


def test_files_that_came_after_the_day_was_taken_in_are_noted_until_they_are_taken_in(storage: Storage) -> None:
    assert note_late_files(day_of(storage, DAY)) == 0
    deliver(storage, (4, 5))
    assert note_late_files(day_of(storage, DAY)) == 2
    assert day_of(storage, DAY).read(LateFiles) == LateFiles(files=2)
    assert at_once(storage).late == 2
    assert not storage.exists(DAY.late_files)
    for name in range(1, 6):
        storage.delete(f"{DAY.incoming}/{name}.jpg")
    assert note_late_files(day_of(storage, DAY)) == 0  # a folder that was cleaned up


def test_a_damaged_plan_counts_as_one_whose_pool_was_asked_for(storage: Storage) -> None:
    storage.write_json(DAY.annotation, {"sample": []})
    deliver(storage, (4,))
    assert at_once(storage).late == 1


def test_files_are_told_late_by_their_names_whatever_these_are(storage: Storage, monkeypatch) -> None:
    """An older manifest has odd names in the order of their keys; neither it nor the listing is held whole."""
    monkeypatch.setattr(Spool.__init__, "__defaults__", (2,))
    storage.delete(DAY.annotation)
    names = ["10.jpg", "\\x01.jpg", "A.jpg", "\\\\.jpg", "a.jpg", "sub-1.jpg", "sub/1.jpg", ".hidden", "ü.jpg"]
    for number, name in enumerate(names):
        storage.write_bytes(f"{DAY.incoming}/{name}", photo(10 + number))
    at_once(storage)
    table = storage.read_table(DAY.manifest).sort_values("key", ascending=False)
    storage.write_table(DAY.manifest, table)
    assert note_late_files(day_of(storage, DAY)) == 0
    for number, name in enumerate(["0.jpg", "sub/0.jpg", "\\x02.jpg", "\\xff.jpg", "zz/.hidden", "zz/1.jpg"]):
        storage.write_bytes(f"{DAY.incoming}/{name}", photo(30 + number))
    for name in ("A.jpg", "sub/1.jpg"):  # taken away since
        storage.delete(f"{DAY.incoming}/{name}")
    assert note_late_files(day_of(storage, DAY)) == 5


@pytest.mark.parametrize("take_in", [at_once, in_shards])
def test_an_image_that_was_missing_once_and_came_back_is_not_late(storage: Storage, take_in: Callable) -> None:
    kept = storage.read_bytes(f"{DAY.incoming}/3.jpg")
    storage.delete(f"{DAY.incoming}/3.jpg")
    assert take_in(storage).late == 0
    assert images_on_time(day_of(storage, DAY)) == 3, "the sample was drawn from three"
    storage.write_bytes(f"{DAY.incoming}/3.jpg", kept)
    assert take_in(storage).late == 0
    assert images_on_time(day_of(storage, DAY)) == 3
    assert not storage.exists(DAY.sampled_manifest)


@pytest.mark.parametrize("seed", range(4))
def test_of_a_large_day_the_same_images_are_late_and_none_is_held(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, seed: int
) -> None:
    """Whatever the order of the images, and whichever are gone."""
    monkeypatch.setattr(joining, "_PARTS", 3)
    rng, storage = np.random.default_rng(seed), open_storage(f"file://{tmp_path}")
    day, ids = day_of(storage, DAY), np.array([f"i{number:03d}" for number in range(300)])
    before, now = (rng.permutation(ids)[: rng.integers(50, 300)] for _ in range(2))
    if seed % 2:
        now = np.concatenate([before, np.setdiff1d(now, before)])
    for key, listed in ((DAY.sampled_manifest, before), (DAY.manifest, now)):
        storage.write_table(key, pd.DataFrame({"image_id": listed, "status": "accepted"}))
    supplement = AnnotationPlan.model_validate_json(json.dumps(samples.PLAN)).model_copy(
        update={"late": LateDraw(number=1, images=5, share=0.5)}
    )
    storage.write_table(DAY.supplement(1), pd.DataFrame({"image_id": np.setdiff1d(now, before)[:20]}))
    for parts in ((), (supplement,)):
        monkeypatch.setattr(late, "_HELD", 100_000)
        expected = late_images(day, parts)
        monkeypatch.setattr(late, "_HELD", 0)
        found = late_images(day, parts)
        assert isinstance(found, ManyLate)
        assert (len(found), sorted(found), list(found)) == (len(expected), sorted(expected), list(found))
        for these in (now.tolist(), ["i001", "nobody"], []):
            assert among_late(found, these) == among_late(expected, these) == {*expected}.intersection(these)
        assert all((image_id in found) is (image_id in expected) for image_id in ("i001", "i299"))
        keep_drawn_from(day, 2, found)
        assert sorted(storage.read_table(DAY.supplement(2))["image_id"]) == sorted(expected)
