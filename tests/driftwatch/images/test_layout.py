"""Days whose images lie in a team's own place: in a bucket of its own, in folders by hour or camera, in several places, by an inventory."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from itertools import count
from typing import Any

import pytest
from tests.elsewhere import read_only, store_of

from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.store import DayStore
from driftwatch.config import ImagesConfig
from driftwatch.config.layout import LayoutConfig
from driftwatch.errors import ChangedImage, DriftwatchError, EmptyDay
from driftwatch.images import ingest, one_pass, shards
from driftwatch.images.ingest import cut_into_shards, ingest_day, ingest_shard, merge_shards
from driftwatch.images.late import note_late_files
from driftwatch.images.layout import images_root
from driftwatch.images.listing import list_day
from driftwatch.images.originals import read_original
from driftwatch.images.segments import segments_of_day
from driftwatch.labels.shown import ShownImages
from driftwatch.lineage.day import taken_in
from driftwatch.models.logged.day import images_of
from driftwatch.storage import Storage, open_storage

from .days import MODEL, photo

DAY, OTHER = date(2026, 1, 8), date(2026, 1, 9)
_numbers = count()


@pytest.fixture(params=["file", "s3"])
def place(request, tmp_path) -> tuple[str, Storage, Callable[[str], Storage]]:
    """The address of a team's own folder, its storage to deliver to, and what opens it for reading alone."""
    if request.param == "file":
        uri = f"file://{tmp_path}/cams"
        return uri, open_storage(uri), read_only
    login = request.getfixturevalue("s3_login")
    name = f"cams{next(_numbers)}"
    login.session.client("s3", endpoint_url=login.endpoint_url).create_bucket(Bucket=name)
    return f"s3://{name}", open_storage(f"s3://{name}", login), lambda uri: read_only(uri, login)


@pytest.fixture
def own(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}/store")


def delivered(storage: Storage, *names: str) -> None:
    for name in names:
        storage.write_bytes(name, photo(sum(name.encode())))


def manifest(day: DayStore) -> dict[str, str]:
    table = day.storage.read_table(day.keys.manifest)
    return dict(zip(table["key"], table["status"], strict=True))


def test_a_day_in_a_bucket_of_its_own_is_taken_in_and_keys_are_whole_addresses(place, own):
    uri, there, elsewhere = place
    delivered(there, "prod/2026/01/08/door-1/a.jpg", "prod/2026/01/08/door-2/b.jpg", "prod/2026/01/09/door-1/c.jpg")
    there.write_bytes("prod/2026/01/08/_SUCCESS", b"")
    there.write_bytes("prod/2026/01/08/door-1/broken.jpg", b"no picture")
    store = store_of(
        own,
        {"paths": f"{uri}/prod/{{day:%Y/%m/%d}}"},
        elsewhere,
        images={"max_reject_share": 1},
        segments={"camera": {"key": "^([^/]+)/"}},
    )
    day = store.day(DAY)
    found = ingest_day(day, MODEL)
    assert (found.listed, found.accepted, found.ignored, found.quarantined) == (4, 2, 1, 1)
    root = f"{uri}/prod/2026/01/08"
    assert manifest(day) == {
        f"{root}/_SUCCESS": "ignored",
        f"{root}/door-1/a.jpg": "accepted",
        f"{root}/door-1/broken.jpg": "quarantined",
        f"{root}/door-2/b.jpg": "accepted",
    }
    assert day.read(Ingest).images_root == root
    assert sorted(segments_of_day(day)["camera"]) == ["door-1", "door-2"]
    read = taken_in(day).inputs[0]
    assert (f"{read.namespace}/{read.name}" if read.namespace != "file" else f"file://{read.name}", read.files) == (
        root,
        4,
    )
    assert ingest_day(store.day(OTHER), MODEL).accepted == 1
    assert {item.key.partition("/")[0] for item in own.list("cats")} == {"cats"}
    assert note_late_files(day) == 0
    delivered(there, "prod/2026/01/08/door-3/late.jpg")
    assert note_late_files(day) == 1


def test_an_empty_day_names_the_place_and_nothing_is_written(place, own):
    uri, there, elsewhere = place
    delivered(there, "prod/2026-01-09/a.jpg")
    day = store_of(own, {"paths": [f"{uri}/prod/{{day}}", f"{uri}/more-*/{{day}}"]}, elsewhere).day(DAY)
    with pytest.raises(EmptyDay, match=rf"{uri}/prod/2026-01-08, .*/more-\*/2026-01-08 holds no images for 2026-01-08"):
        ingest_day(day, MODEL)
    assert list(own.list("cats")) == []


def test_shards_of_a_day_elsewhere_give_the_same_artifacts(place, own, tmp_path, monkeypatch):
    for module in (ingest, one_pass, shards):
        monkeypatch.setattr(module, "BLOCK", 2)
    uri, there, elsewhere = place
    delivered(there, *(f"x/dt=2026-01-08/hour={hour:02}/{name}.jpg" for hour in range(3) for name in "abc"))
    layout = {"paths": f"{uri}/x/dt={{day}}/hour=*"}
    day = store_of(own, layout, elsewhere).day(DAY)
    ingest_day(day, MODEL)
    whole = {item.key: own.read_bytes(item.key) for item in own.list("cats")}
    other = open_storage(f"file://{tmp_path}/other")
    cut = store_of(other, layout, elsewhere, images={"shard_size": 2}).day(DAY)
    cut = cut.with_config(cut.config.model_copy(update={"storage": day.config.storage}))
    for shard in cut_into_shards(cut, MODEL, list_day(cut)):
        ingest_shard(cut, shard)
    merge_shards(cut)
    assert {item.key: other.read_bytes(item.key) for item in other.list("cats")} == whole


def test_folders_of_hours_and_cameras_are_found_and_tell_segments(place, own):
    uri, there, elsewhere = place
    names = [f"cams/{cam}/2026-01-08/hour={hour:02}/1.jpg" for cam in ("door-1", "door-2", "gate") for hour in (0, 23)]
    delivered(
        there,
        *names,
        "cams/door-1/2026-01-08/1.jpg",
        "cams/door-1/2026-01-09/hour=00/2.jpg",
        "cams/x/y/2026-01-08/hour=00/3.jpg",
    )
    segments = {"camera": {"key": "^([^/]+)/"}, "hour": {"key": "hour=([0-9]+)/"}}
    day = store_of(own, {"paths": f"{uri}/cams/*/{{day}}/hour=*"}, elsewhere, segments=segments).day(DAY)
    ingest_day(day, MODEL)
    assert [*manifest(day)] == [f"{uri}/{name}" for name in sorted(names)]
    assert images_root(day) == f"{uri}/cams"
    found = segments_of_day(day)
    assert {*zip(found["camera"], found["hour"], strict=True)} == {
        (cam, hour) for cam in ("door-1", "door-2", "gate") for hour in ("00", "23")
    }


def test_several_places_are_one_day_and_what_two_of_them_name_counts_once(place, own):
    uri, there, elsewhere = place
    names = ["b/2026-01-08/1.jpg", "a/2026-01-08/1.jpg", "a/2026-01-08/x/2.jpg", "a-b/2026-01-08/3.jpg"]
    delivered(there, *names, "c/2026-01-08/4.jpg")
    paths = [f"{uri}/{path}" for path in ("b/{day}", "a/{day}", "a*/{day}", "a/{day}/x", "none/{day}")]
    day = store_of(own, {"paths": paths}, elsewhere).day(DAY)
    ingest_day(day, MODEL)
    # In the order of names, where `-` stands before `/`.
    assert [*manifest(day)] == [f"{uri}/{name}" for name in sorted(names)]


def test_a_layout_of_the_storage_itself_has_keys_relative_to_it(own):
    delivered(own, "raw/2026-01-08/a.jpg", "raw/2026-01-08/door/b.jpg")
    day = store_of(own, {"paths": "raw/{day}"}).day(DAY)
    ingest_day(day, MODEL)
    assert [*manifest(day)] == ["raw/2026-01-08/a.jpg", "raw/2026-01-08/door/b.jpg"]
    assert day.read(Ingest).images_root == "raw/2026-01-08"
    assert images_of(day).files.keys() == {"a.jpg", "door/b.jpg"}


def test_what_was_taken_in_is_read_again_wherever_the_monitor_file_leads_later(place, own):
    """Copies for annotators are made in the monitor's own storage."""
    uri, there, elsewhere = place
    delivered(there, "prod/2026-01-08/a.jpg")
    store = store_of(own, {"paths": f"{uri}/prod/{{day}}"}, elsewhere)
    day = store.day(DAY)
    ingest_day(day, MODEL)
    moved = store_of(own, {"paths": "raw/{day}"}, elsewhere).day(DAY)
    assert images_root(moved) == f"{uri}/prod/2026-01-08"
    assert images_of(moved).path_of(f"{uri}/prod/2026-01-08/a.jpg", None) == "a.jpg"
    (row,) = own.read_table(day.keys.manifest).itertuples()
    assert read_original(own, row.image_id, row.key, 10**6, elsewhere).data == there.read_bytes("prod/2026-01-08/a.jpg")
    shown = ShownImages.of_day(moved)
    copy = shown.key(row.image_id, row.key)
    assert copy.startswith(f"{day.keys.shown}/")
    assert own.read_bytes(copy) == there.read_bytes("prod/2026-01-08/a.jpg")
    there.write_bytes("prod/2026-01-08/a.jpg", photo(99))
    with pytest.raises(ChangedImage, match=f"{uri}/prod/2026-01-08/a.jpg is no longer the image"):
        read_original(own, row.image_id, row.key, 10**6, elsewhere)


def test_a_day_of_an_earlier_place_is_not_compared_with_the_new_one(place, own, caplog):
    """Each file of the new place was told as one that had come late, with the advice to publish the day again."""
    uri, there, elsewhere = place
    delivered(there, "prod/2026-01-08/a.jpg", "new/2026-01-08/a.jpg", "new/2026-01-08/b.jpg")
    ingest_day(store_of(own, {"paths": f"{uri}/prod/{{day}}"}, elsewhere).day(DAY), MODEL)
    moved = store_of(own, {"paths": f"{uri}/new/{{day}}"}, elsewhere)
    assert note_late_files(moved.day(DAY)) == 0
    empty = store_of(own, {"paths": f"{uri}/none/{{day}}"}, elsewhere)
    with pytest.raises(
        EmptyDay, match=rf"was taken in from {uri}/prod/2026-01-08 before, and what is stored of it stays"
    ):
        ingest_day(empty.day(DAY), MODEL)
    assert manifest(empty.day(DAY)) == {f"{uri}/prod/2026-01-08/a.jpg": "accepted"}
    ingest_day(moved.day(DAY), MODEL)
    assert f"2026-01-08 was taken in from {uri}/prod/2026-01-08 before, and images.layout leads to" in caplog.text
    assert len(manifest(moved.day(DAY))) == 2
    assert note_late_files(moved.day(DAY)) == 0
    delivered(there, "new/2026-01-08/c.jpg")
    assert note_late_files(moved.day(DAY)) == 1


def test_a_days_own_folder_is_known_after_a_layout_came(own):
    """A day that was taken in before has no root in its ingest.json."""
    plain = store_of(own, {"paths": "raw/{day}"})
    plain = plain.with_config(plain.config.model_copy(update={"images": ImagesConfig()}))
    delivered(own, "cats/incoming/2026-01-08/door/a.jpg")
    ingest_day(plain.day(DAY), MODEL)
    assert "images_root" not in own.read_json(plain.day(DAY).keys.ingest)
    layout = LayoutConfig.model_validate({"paths": "raw/{day}"})
    now = plain.with_config(plain.config.model_copy(update={"images": ImagesConfig(layout=layout)}))
    assert images_root(now.day(DAY)) == "cats/incoming/2026-01-08"
    assert images_of(now.day(DAY)).files.keys() == {"door/a.jpg"}
    assert images_root(now.day(OTHER)) == "raw/2026-01-09"


def test_an_address_is_no_key_of_another_storage(own):
    """Whoever forgets to open the other place is told so, and makes nothing of that name in this one."""
    key = "s3://cams/prod/a.jpg"
    for call in (own.exists, own.read_bytes, own.delete, lambda one: own.write_bytes(one, b"")):
        with pytest.raises(DriftwatchError, match=r"s3://cams/prod/a\.jpg does not lie in file://"):
            call(key)
    assert own.url(key) == key


def test_a_growing_file_elsewhere_is_waited_for(own, tmp_path, monkeypatch):
    """Ages are asked of the place that has the file."""
    from driftwatch.images import settling

    folder = tmp_path / "cams/prod/2026-01-08"
    folder.mkdir(parents=True)
    (folder / "a.jpg").write_bytes(photo(1)[:200])
    pauses: list[float] = []

    def sleep(seconds: float) -> None:
        pauses.append(seconds)
        (folder / "a.jpg").write_bytes(photo(1))

    monkeypatch.setattr(settling.time, "sleep", sleep)
    # The real one; the suite's conftest has put another in its place.
    monkeypatch.setattr(settling, "_age", lambda folder, key: settling.time.time() - folder.modified(key))
    day = store_of(own, {"paths": f"file://{tmp_path}/cams/prod/{{day}}"}, images={"max_reject_share": 1}).day(DAY)
    assert ingest_day(day, MODEL).accepted == 1
    assert len(pauses) == 1


def test_boxes_and_segments_of_tables_name_images_below_the_root_or_by_address(own, tmp_path):
    """labels.blur finds the table by the day that the image's folder says."""
    from driftwatch.images.covered import HiddenImage, shown_original

    uri = f"file://{tmp_path}/cams"
    delivered(open_storage(uri), "prod/2026-01-08/a.jpg", "prod/2026-01-08/b.jpg", "prod/2026-01-08/c.jpg")
    root = f"{uri}/prod/2026-01-08"
    own.write_bytes("boxes/2026-01-08.csv", f"key,x,y,width,height\na.jpg,,,,\n{root}/b.jpg,1,1,5,5\n".encode())
    own.write_bytes("kinds/2026-01-08.csv", f"key,kind\na.jpg,day\n{root}/b.jpg,night\n".encode())
    settings: dict[str, Any] = {
        "annotation": {
            "project_name": "p", "question": "q", "instructions": "i",
            "blur": {"path": "boxes/{day}.csv", "training": "show"},
        },
        "segments": {"kind": {"table": {"path": "kinds/{day}.csv", "column": "kind"}}},
    }  # fmt: skip
    store = store_of(own, {"paths": f"{uri}/prod/{{day}}"}, **settings)
    ingest_day(store.day(DAY), MODEL)
    assert segments_of_day(store.day(DAY))["kind"].tolist() == ["day", "night", None]
    rows = own.read_table(store.day(DAY).keys.manifest).set_index("key")["image_id"]
    plain = shown_original(store, rows[f"{root}/a.jpg"], f"{root}/a.jpg", 10**6)
    assert plain.data == (tmp_path / "cams/prod/2026-01-08/a.jpg").read_bytes()
    covered = shown_original(store, rows[f"{root}/b.jpg"], f"{root}/b.jpg", 10**6)
    assert covered.data != (tmp_path / "cams/prod/2026-01-08/b.jpg").read_bytes()
    with pytest.raises(HiddenImage, match="there is no row for it"):
        shown_original(store, rows[f"{root}/c.jpg"], f"{root}/c.jpg", 10**6)
    with pytest.raises(HiddenImage, match="knows no table for it"):
        shown_original(store, rows[f"{root}/a.jpg"], f"{uri}/elsewhere/a.jpg", 10**6)
