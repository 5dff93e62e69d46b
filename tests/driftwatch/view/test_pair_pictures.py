"""Pairs in the report: within the file, as far as its weight allows."""

from __future__ import annotations

import base64
import io

import pytest
from PIL import Image
from tests.evidence_days import CHANGED, USUAL, write_days
from tests.stores import monitor_store

from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.artifacts.store import DayStore
from driftwatch.config import MonitorConfig
from driftwatch.storage import Storage
from driftwatch.view import pair_pictures
from driftwatch.view.pair_pictures import MOST_PAIRS, ShownPair, in_report


@pytest.fixture
def day(storage: Storage, config: MonitorConfig) -> DayStore:
    store = monitor_store(storage, MonitorKeys(config.name), config)
    write_days(store)
    return store.day(CHANGED)


def shown(day: DayStore) -> list[ShownPair]:
    return in_report(day, day.read(DayDrift))


def test_the_pictures_stand_in_the_file_and_are_the_images_own(day: DayStore) -> None:
    found = shown(day)
    assert len(found) == MOST_PAIRS
    for pair in found:
        assert pair.usual
        assert (pair.changed.note.split("\n")[0], pair.usual.note.split("\n")[0]) == (str(CHANGED), str(USUAL))
        pictures = []
        for picture in (pair.changed, pair.usual):
            kind, _, data = picture.src.partition(",")
            assert (kind, picture.href) == ("data:image/jpeg;base64", "")
            pictures.append(Image.open(io.BytesIO(base64.b64decode(data))))
        assert {picture.size for picture in pictures} == {(64, 48)}  # never larger than the file
        dark, light = (sum(picture.convert("L").getdata()) for picture in pictures)
        assert dark < light


def test_the_weight_is_limited_and_the_same_day_gives_the_same_pictures(
    day: DayStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = shown(day)
    assert shown(day) == whole
    weights = [len(pair.changed.src) + len(pair.usual.src) for pair in whole if pair.usual]
    monkeypatch.setattr(pair_pictures, "MOST_BYTES", sum(weights[:2]) + 10)
    assert shown(day) == whole[:2]


def test_a_pair_whose_file_is_gone_or_replaced_is_left_out(day: DayStore) -> None:
    keys = {row.image_id: row.key for row in day.storage.read_table(day.keys.manifest).itertuples()}
    whole = shown(day)
    gone, replaced = (next(key for key in keys.values() if key.endswith(pair.changed.name)) for pair in whole[:2])
    day.storage.delete(gone)
    day.storage.write_bytes(replaced, b"\xff\xd8 another file")
    assert [pair.changed.name for pair in shown(day)] == [pair.changed.name for pair in whole[2:]]


def test_a_day_that_did_not_change_has_no_pairs_in_its_report(day: DayStore) -> None:
    assert in_report(day, day.monitor.day(USUAL).read(DayDrift)) == []
    assert in_report(day, None) == []
