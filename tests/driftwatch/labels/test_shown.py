"""What annotators are shown is what was taken in, under a name that only its bytes decide; on a folder and on S3."""

from __future__ import annotations

import hashlib
import os
from datetime import datetime, timedelta, timezone

import httpx
import pytest

from driftwatch.errors import ChangedImage
from driftwatch.labels.links import ImageLinks
from driftwatch.labels.shown import ShownImages
from driftwatch.storage import Storage, open_storage

JPEG, PNG, WEBP = b"\xff\xd8\xffjpeg", b"\x89PNG\r\n\x1a\npng", b"RIFF\0\0\0\0WEBPwebp"


def put(storage: Storage, name: str, data: bytes) -> str:
    storage.write_bytes(f"m/in/{name}", data)
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(params=["file", "s3"])
def storage(request, tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}/root") if request.param == "file" else request.getfixturevalue("s3_storage")


@pytest.mark.parametrize(
    ("name", "data", "suffix"),
    [
        ("evil.html", JPEG, ".jpg"),
        ("no suffix", PNG, ".png"),
        ("a." + "x" * 150, WEBP, ".webp"),
        ("a.png", JPEG, ".jpg"),
    ],
)
def test_the_name_of_a_copy_is_the_image_id_and_what_its_bytes_are(storage, name, data, suffix):
    image_id = put(storage, name, data)
    key = ShownImages(storage, "m/shown").key(image_id, f"m/in/{name}")
    assert key == f"m/shown/{image_id}{suffix}"
    assert storage.read_bytes(key) == data


def test_a_file_that_was_replaced_is_never_shown_and_one_that_was_copied_before_still_is(storage):
    first, second = put(storage, "1.jpg", JPEG + b"1"), put(storage, "2.jpg", JPEG + b"2")
    assert ShownImages(storage, "m/shown").copied(first, "m/in/1.jpg")
    for number in (1, 2):
        storage.write_bytes(f"m/in/{number}.jpg", JPEG + b"another's face")
    shown = ShownImages(storage, "m/shown")
    assert storage.read_bytes(shown.key(first, "m/in/1.jpg")) == JPEG + b"1"
    assert not shown.copied(second, "m/in/2.jpg")
    assert not shown.unchanged(second, "m/in/2.jpg")
    with pytest.raises(ChangedImage, match=rf"m/in/2\.jpg is no longer the image {second} that.*clear ingest_images"):
        shown.key(second, "m/in/2.jpg")
    storage.delete("m/in/2.jpg")
    assert not shown.copied(second, "m/in/2.jpg")
    assert [item.key for item in storage.list("m/shown")] == [f"m/shown/{first}.jpg"]


def test_a_look_copies_nothing(storage):
    image_id = put(storage, "1.jpg", JPEG)
    assert ShownImages(storage, "m/shown").unchanged(image_id, "m/in/1.jpg")
    assert storage.list("m/shown") == []


def test_a_pipe_and_a_foreign_file_in_an_images_place_are_not_shown(tmp_path):
    storage = open_storage(f"file://{tmp_path}/root")
    ids = {name: put(storage, name, JPEG + name.encode()) for name in ("a.jpg", "b.jpg")}
    (tmp_path / "foreign.jpg").write_bytes(JPEG + b"b.jpg")
    for name in ids:
        os.unlink(storage.local_path(f"m/in/{name}"))
    os.mkfifo(storage.local_path("m/in/a.jpg"))
    storage.local_path("m/in/b.jpg").symlink_to(tmp_path / "foreign.jpg")
    for name, image_id in ids.items():
        assert not ShownImages(storage, "m/shown").copied(image_id, f"m/in/{name}")


def test_an_image_in_a_folder_of_any_name_and_one_that_is_a_link_within_the_day_are_shown_as_they_were_accepted(
    tmp_path,
):
    storage, incoming = open_storage(f"file://{tmp_path}"), "m/incoming/2026-03-01"
    ids = {
        key: put(storage, name, JPEG + name.encode())
        for name, key in (("x.jpg", f"{incoming}/door \\xff/x.jpg"), ("y.jpg", f"{incoming}/a/link.jpg"))
    }
    for name, place in (
        ("x.jpg", os.fsencode(tmp_path / incoming) + b"/door \xff/x.jpg"),
        ("y.jpg", tmp_path / incoming / "b" / "y.jpg"),
    ):
        os.makedirs(os.path.dirname(place))
        os.rename(tmp_path / "m/in" / name, place)
    (tmp_path / incoming / "a").mkdir()
    (tmp_path / incoming / "a" / "link.jpg").symlink_to("../b/y.jpg")
    assert {
        key: ShownImages(storage, "m/shown").copied(image_id, key) for key, image_id in ids.items()
    } == dict.fromkeys(ids, True)


def test_s3_tells_browsers_what_the_bytes_are_whatever_the_original_said(s3_storage):
    image_id = hashlib.sha256(JPEG).hexdigest()
    s3_storage.write_bytes("m/in/evil.html", JPEG, content_type="text/html")
    now = datetime.now(timezone.utc)
    link = ImageLinks(s3_storage, "m/shown", now, now + timedelta(hours=1)).link(image_id, "m/in/evil.html")
    answer = httpx.get(link)
    assert answer.content == JPEG
    assert answer.headers["content-type"] == "image/jpeg"
