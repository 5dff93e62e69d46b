"""Which images without a label sharpen the gate: those of the days that judge, and none that the challenger has learnt."""

from __future__ import annotations

from datetime import date

import numpy as np
import pytest
from tests.driftwatch.artifacts import samples
from tests.stores import monitor_store

from driftwatch.artifacts.keys import SET
from driftwatch.images import judged
from driftwatch.images.inputs import DayInputs
from driftwatch.images.judged import JudgedImages
from driftwatch.models.dataset import collect_training_set
from driftwatch.models.splits import EVALUATION
from driftwatch.models.unlabelled import images_of_days, inputs_of

DAYS = date(2026, 1, 4), date(2026, 1, 5)


@pytest.fixture
def collected(world):
    """The store, the set, and its evaluation images of two days; half of each day's 60 images have a label."""
    for day in DAYS:
        labels = world.add_day(day, 60, verdict="alert")
        world.storage.write_table(world.layout.day(day).labels, labels.head(30))
    store = monitor_store(world.storage, world.layout, world.config)
    collect_training_set(store, "r1", *DAYS)
    table = store.storage.read_table(store.keys.retraining("r1", SET))
    return store, table, table[(table["split"] == EVALUATION) & (table["day"] != "")]


def test_they_are_of_the_days_that_judge_labelled_or_not_and_never_learnt(collected) -> None:
    store, table, judged = collected
    found = images_of_days(store, judged, table, 1000)
    learnt = set(table.loc[table["split"] != EVALUATION, "image_id"])
    assert set(judged["image_id"]) <= set(found["image_id"])
    assert not set(found["image_id"]) & learnt
    assert len(found) > len(judged) + 40


def test_what_looks_like_a_learnt_image_is_left_out(collected) -> None:
    store, table, judged = collected
    before = images_of_days(store, judged, table, 1000)
    like = before.loc[~before["image_id"].isin(table["image_id"]), "image_id"].iloc[0]
    learnt = table.loc[(table["split"] == "train") & (table["day"] != ""), "image_id"].iloc[0]
    manifest = store.storage.read_table(store.keys.day(DAYS[0]).manifest)
    other = store.storage.read_table(store.keys.day(DAYS[1]).manifest)
    hashes = {**dict(zip(other["image_id"], other["phash"], strict=True)), **dict(zip(manifest["image_id"], manifest["phash"], strict=True))}  # fmt: skip
    for day, rows in zip(DAYS, (manifest, other), strict=True):
        changed = rows.assign(phash=rows["phash"].where(rows["image_id"] != like, hashes[learnt]))
        store.storage.write_table(store.keys.day(day).manifest, changed)
    assert set(before["image_id"]) - set(images_of_days(store, judged, table, 1000)["image_id"]) == {like}


def test_few_are_shared_out_by_the_days_labels_and_are_the_same_again(collected) -> None:
    store, table, judged = collected
    found = images_of_days(store, judged, table, 20)
    assert 19 <= len(found) <= 21
    labels = judged["day"].value_counts() / len(judged)
    assert (found["day"].value_counts() / len(found) - labels).abs().max() < 0.06
    assert found.equals(images_of_days(store, judged, table, 20))


def test_their_inputs_come_in_their_order(collected) -> None:
    store, table, judged = collected
    found = images_of_days(store, judged, table, 30)
    inputs = np.concatenate(list(inputs_of(store, found)))
    for place in (0, len(found) - 1):
        row = found.iloc[place]
        one = DayInputs(store.day(date.fromisoformat(row["day"]))).take([int(row["row"])])[0]
        assert np.array_equal(inputs[place], one)


def test_of_days_that_are_judged_by_a_sample_the_same_are_chosen_and_no_table_is_read_whole(
    collected, monkeypatch
) -> None:
    store, table, judged_images = collected
    before = images_of_days(store, judged_images, table, 10)
    monkeypatch.setattr(judged, "MOST", 55)
    keys = [store.day(day).keys for day in DAYS]
    for day, of in zip(DAYS, keys, strict=True):
        images = JudgedImages()
        images.add(store.storage.read_arrow(of.manifest), store.storage.read_arrow(of.features))
        counts = {"day": str(day), "accepted": 60, "judged": images.write(store.day(day))}
        store.storage.write_json(of.ingest, samples.INGEST | counts)
    whole, read = {key for of in keys for key in (of.manifest, of.features)}, type(store.storage).read_bytes

    def reads(self, key: str) -> bytes:
        assert key not in whole, key
        return read(self, key)

    monkeypatch.setattr(type(store.storage), "read_bytes", reads)
    found = images_of_days(store, judged_images, table, 10)
    assert found.to_dict("list") == before.to_dict("list")
    assert sum(map(len, inputs_of(store, found))) == len(found) == 10
