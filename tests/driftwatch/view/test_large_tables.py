"""A large day's pages: the same answers as of a small one, from tables that are not held whole."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.evidence_days import CHANGED, IMAGES, USUAL, write_days, write_labels
from tests.stores import monitor_store

from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.errors import DamagedArtifact
from driftwatch.storage import Storage
from driftwatch.view import day_images as day_images_of
from driftwatch.view import evidence_search, large_tables
from driftwatch.view.artifacts import Artifacts
from driftwatch.view.day_images import day_images, day_sample
from driftwatch.view.evidence import Asked, Pairs, pairs
from driftwatch.view.evidence_choices import choices
from driftwatch.view.evidence_search import found_text, searched_images
from driftwatch.view.image_page import find_image, image_key, image_page
from driftwatch.view.thumbnails import Places, _places


@pytest.fixture
def store(storage: Storage, config: MonitorConfig) -> MonitorStore:
    found = monitor_store(storage, MonitorKeys(config.name), config)
    write_days(found)
    write_labels(found.day(CHANGED))
    return found


@pytest.fixture
def small(store: MonitorStore) -> Artifacts:
    """As a page has it, read before tables of these days count as large."""
    found = Artifacts(store)
    for day in (USUAL, CHANGED):
        assert day_images(found, day) is not None
    return found


@pytest.fixture
def large(small: Artifacts, monkeypatch: pytest.MonkeyPatch) -> Artifacts:
    monkeypatch.setattr(large_tables, "LARGE", IMAGES - 1)
    return Artifacts(small.store)


def page(artifacts: Artifacts, **asked: object) -> Pairs:
    drift, table = artifacts.store.day(CHANGED).read(DayDrift), day_images(artifacts, CHANGED, light=True)
    assert table is not None
    assert choices(artifacts, drift, table).segments == [("camera=door-1", "camera door-1"), ("camera=door-2", "camera door-2")]  # fmt: skip
    return pairs(artifacts, drift, table, Asked(**asked))


def test_the_pairs_of_a_large_day_are_those_of_a_small_one(small: Artifacts, large: Artifacts) -> None:
    for asked in ({}, {"page": 2}, {"segment": "camera=door-1"}, {"answer": "wrong"}, {"label": "cat"}, {"label": "none"}):  # fmt: skip
        ours, theirs = page(large, **asked), page(small, **asked)
        assert [pair.changed for pair in ours.pairs] == [pair.changed for pair in theirs.pairs]
        assert (ours.found, ours.pages) == (theirs.found, theirs.pages)


def test_of_an_object_store_only_what_is_asked_for_is_fetched(
    small: Artifacts, large: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = day_images(small, CHANGED)
    assert expected is not None
    ids = expected["image_id"].tolist()[3:5]
    monkeypatch.setattr(large_tables, "_KEPT_BYTES", 0)
    monkeypatch.setattr(type(large.storage), "local_path", lambda self, key: None)
    keys, read = large.keys.day(CHANGED), type(large.storage).read_bytes

    def of(self: Storage, key: str) -> bytes:
        assert key not in (keys.manifest, keys.features, keys.predictions), key
        return read(self, key)

    monkeypatch.setattr(type(large.storage), "read_bytes", of)
    found = day_images(large, CHANGED, ids)
    assert found is not None
    pd.testing.assert_frame_equal(found, expected.iloc[3:5].reset_index(drop=True))
    whole = day_images(large, CHANGED, light=True)
    assert whole is not None
    assert whole["image_id"].tolist() == expected["image_id"].tolist()


def test_of_a_very_large_day_the_images_are_listed_that_it_is_judged_by(
    small: Artifacts, large: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    expected = day_images(small, CHANGED)
    assert expected is not None
    assert put_sample(large, monkeypatch) == expected["image_id"].tolist()
    found = day_images(large, CHANGED)
    assert found is not None
    expected = expected.iloc[::2].reset_index(drop=True)
    pd.testing.assert_frame_equal(found[expected.columns], expected, check_dtype=False)
    asked = day_images(large, CHANGED, expected["image_id"].tolist()[:1])
    assert asked is not None
    assert len(asked) == 1


def test_an_image_of_a_large_day_is_found_with_all_that_is_known_of_it(small: Artifacts, large: Artifacts) -> None:
    whole = day_images(small, CHANGED)
    assert whole is not None
    for place in (0, IMAGES - 1):
        image_id = str(whole["image_id"].iloc[place])
        ours, theirs = (find_image(found, str(CHANGED), image_id) for found in (large, small))
        assert ours is not None
        pd.testing.assert_series_equal(ours, theirs, check_names=False)
        assert image_key(large, str(CHANGED), image_id) == image_key(small, str(CHANGED), image_id) == ours["key"]
        assert vars(image_page(large, str(CHANGED), ours)) | {"pair": None} == vars(image_page(small, str(CHANGED), ours)) | {"pair": None}  # fmt: skip
    assert image_key(large, str(CHANGED), "0" * 64) is find_image(large, str(CHANGED), "0" * 64) is None


def test_a_large_table_is_not_held_and_of_a_large_usual_day_a_random_part_is(large: Artifacts) -> None:
    page(large)
    held = [value for _, value in large._held.values() if isinstance(value, pd.DataFrame)]
    assert max(map(len, held)) < IMAGES
    part, whole = day_sample(large, USUAL), day_images(large, USUAL)
    assert part is not None
    assert whole is not None
    assert 0 < len(part) < len(whole)
    assert set(part["image_id"]) < set(whole["image_id"])
    assert part["prediction"].notna().all()


def test_a_large_table_that_was_cut_short_is_named(large: Artifacts) -> None:
    keys = large.keys.day(CHANGED)
    assert day_images(large, CHANGED) is not None
    data = large.storage.read_bytes(keys.features)
    large.storage.write_bytes(keys.features, data[: len(data) // 2])
    with pytest.raises(DamagedArtifact, match=r"features\.parquet"):
        day_images(large, CHANGED)


def put_sample(artifacts: Artifacts, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Makes CHANGED a day whose pages list each second image of it, and returns the ids of all."""
    day = artifacts.store.day(CHANGED)
    manifest, features, predictions = (
        day.storage.read_table(key) for key in (day.keys.manifest, day.keys.features, day.keys.predictions)
    )
    ids = manifest["image_id"].tolist()
    sample = ids[::2]
    judged = manifest.merge(features, on="image_id")
    day.storage.write_table(day.keys.judged, judged[judged["image_id"].isin(sample)])
    day.storage.write_table(day.keys.judged_predictions, predictions[predictions["image_id"].isin(sample)])
    counts = {"day": str(CHANGED), "accepted": IMAGES, "judged": len(sample)}
    day.storage.write_json(day.keys.ingest, samples.INGEST | counts)
    monkeypatch.setattr(day_images_of, "MOST_LISTED", IMAGES - 1)
    monkeypatch.setattr(evidence_search, "MOST_LISTED", IMAGES - 1)
    return ids


def test_the_labelled_images_of_a_very_large_day_are_found_though_the_sample_lacks_them(
    large: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = put_sample(large, monkeypatch)
    drift = large.store.day(CHANGED).read(DayDrift).model_copy(update={"n": len(ids[::2]), "of_images": len(ids)})
    whole = day_images(large, CHANGED, ids)
    assert whole is not None
    wrong = whole.loc[whole["answer"] == "wrong", "image_id"]
    assert not wrong.isin(ids[::2]).all()
    asked = Asked(answer="wrong")
    table = searched_images(large, CHANGED, asked)
    assert table is not None
    found = pairs(large, drift, table, asked, a_page=IMAGES)
    assert {pair.changed.image_id for pair in found.pairs} == {*wrong}
    assert found_text(found, drift, asked).endswith(f"Searched: the labelled ones of the day's {len(ids)} images.")
    told = found_text(found, drift, Asked())
    assert told.endswith(f"Searched: a random sample of {len(ids[::2])} of the day's {len(ids)} images.")


def test_images_like_one_of_a_very_large_day_are_searched_in_the_sample(
    large: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    ids = put_sample(large, monkeypatch)
    keys = large.keys.day(CHANGED)
    for key in (keys.manifest, keys.judged):
        large.storage.write_table(key, large.storage.read_table(key).assign(phash="0" * 16))
    row = find_image(large, str(CHANGED), ids[1])
    assert row is not None
    found = image_page(large, str(CHANGED), row)
    assert found.like
    assert set(found.like) <= {*ids[::2]}
    assert found.like_sample


def test_of_the_sample_of_a_large_usual_day_a_random_part_is_read(
    large: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its ids are the smallest of the day, so a limit that fits the whole day fits it too."""
    put_sample(large, monkeypatch)
    keys, storage = large.keys.day(CHANGED), large.storage
    monkeypatch.setattr(large_tables, "LARGE", IMAGES // 4)
    ids = sorted(storage.read_table(keys.manifest)["image_id"])[: IMAGES // 2]
    for whole, judged in ((keys.manifest, keys.judged), (keys.predictions, keys.judged_predictions)):
        table = storage.read_table(whole)
        storage.write_table(judged, table[table["image_id"].isin(ids)])
    part = day_sample(Artifacts(large.store), CHANGED)
    assert part is not None
    assert 0 < len(part) < len(ids)
    assert part["prediction"].notna().all()


def test_small_pictures_of_a_very_large_day_are_found_without_holding_its_manifest(
    large: Artifacts, monkeypatch: pytest.MonkeyPatch
) -> None:
    day = large.store.day(CHANGED)
    ids = day.storage.read_table(day.keys.manifest)["image_id"].tolist()
    before = {image_id: _places(large, day, image_id).get(image_id) for image_id in ids}
    put_sample(large, monkeypatch)
    labels = day.storage.read_table(day.keys.labels)
    day.storage.write_table(day.keys.labels, labels[labels["image_id"].isin(ids[1:4])])
    fresh = Artifacts(large.store)
    monkeypatch.setattr(type(large.storage), "read_table", lambda *_: pytest.fail("a whole table was read"))
    assert {image_id: _places(fresh, day, image_id).get(image_id) for image_id in ids} == before
    held = [value for _, value in fresh._held.values() if isinstance(value, Places)]
    assert len(held[0]) == len({*ids[::2], *ids[1:4]})
    assert _places(fresh, day, "0" * 64).get("0" * 64) is None
