"""Which files of a folder are to be images, and which days have none."""

from __future__ import annotations

import pytest

from driftwatch.config import ImagesConfig
from driftwatch.errors import EmptyDay, NeedsAttention
from driftwatch.images.ingest import ingest_day
from driftwatch.images.listing import ImageFolder, list_day
from driftwatch.storage import Storage, listing, open_storage

from .days import DAY, MODEL, day_of, photo, rows


@pytest.fixture
def storage(tmp_path) -> Storage:
    storage = open_storage(f"file://{tmp_path}/store")
    for number in range(3):
        storage.write_bytes(f"{DAY.incoming}/{number}.jpg", photo(number))
    return storage


def test_a_days_folder_that_leads_elsewhere_is_refused_and_one_above_it_may(storage, tmp_path):
    real, link = storage.local_path("cats/incoming"), tmp_path / "mounted"
    real.rename(link)
    real.symlink_to(link)
    assert ingest_day(day_of(storage, DAY), MODEL).accepted == 3
    (link / "2026-03-01").rename(tmp_path / "away")
    (link / "2026-03-01").symlink_to(tmp_path / "away")
    with pytest.raises(NeedsAttention, match=r"incoming/2026-03-01 leads by a link out of .*/incoming, "):
        ingest_day(day_of(storage, DAY), MODEL)


IGNORED = (
    ".DS_Store",
    "Thumbs.db",
    "THUMBS.DB",
    "_SUCCESS",
    "0.json",
    "up.tmp",
    "big.jpg.part",
    ".hidden/x.jpg",
    "a/.y.jpg",
)


def test_what_is_no_image_by_its_name_is_ignored_counted_and_no_reject(storage):
    for name in IGNORED:
        storage.write_bytes(f"{DAY.incoming}/{name}", b"{}")
    counts = ingest_day(day_of(storage, DAY, ImagesConfig(max_reject_share=0)), MODEL)
    assert counts.listed == 3 + len(IGNORED) == counts.accepted + counts.ignored
    found = rows(storage)
    assert {name for name, (status, _) in found.items() if status == "ignored"} == set(IGNORED)
    assert found["0.json"][1] == "matches '*.json' of images.ignore"


def test_a_day_of_ignored_files_alone_is_an_empty_day(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    storage.write_bytes(f"{DAY.incoming}/.DS_Store", b"x")
    with pytest.raises(EmptyDay, match=r"holds no images \(1 files that images\.ignore names\)"):
        ingest_day(day_of(storage, DAY), MODEL)
    assert storage.list("cats/days") == []


@pytest.mark.parametrize(
    ("name", "patterns", "wanted"),
    [
        ("a/b.jpg", ["b.*"], "b.*"),
        ("a/b.jpg", ["a"], "a"),
        ("a/b.jpg", ["a/*"], "a/*"),
        ("a/b.jpg", ["b/*", "*.png"], None),
        ("a/b.jpg", ["a/*", "b.*"], "a/*"),
        ("a/b.jpg", ["*.png", "b.*", "a/*", "a"], "b.*"),
        ("a/b/c.jpg", ["a/*.JPG"], "a/*.JPG"),
        ("", ["*/"], "*/"),
        ("sub/", ["*/"], "*/"),
        ("sub", ["*/"], None),
        ("cats.jpg", [], None),
    ],
)
def test_patterns_are_matched_as_they_are_documented(name, patterns, wanted):
    folder = ImageFolder(open_storage("file:///nowhere"), "cats/incoming/day", ImagesConfig(ignore=patterns))
    assert folder.ignored_by(f"cats/incoming/day/{name}") == wanted


def test_an_empty_day_names_the_folder_and_the_setting_and_writes_nothing(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    with pytest.raises(EmptyDay, match=r"incoming/2026-03-01.*images\.on_empty_day"):
        ingest_day(day_of(storage, DAY), MODEL)
    assert storage.list("cats") == []


def test_a_day_is_listed_in_the_order_of_names_and_not_held(storage, monkeypatch):
    """That there is an image is known at the first one; that there is none, at the end."""
    given = iter(["", ".a", "0", "b/1"])
    monkeypatch.setattr(storage, "_list", lambda path: ((name, 1) for name in given))
    monkeypatch.setattr(listing, "PAGE", 1)
    listed = list_day(day_of(storage, DAY))
    assert next(listed).key == f"{DAY.incoming}/"
    assert next(given) == ".a"
    assert [item.key for item in listed] == [f"{DAY.incoming}/{name}" for name in ("0", "b/1")]
    given = iter([".a", "0.json"])
    listed = list_day(day_of(storage, DAY))
    assert [next(listed).key, next(listed).key] == [f"{DAY.incoming}/{name}" for name in (".a", "0.json")]
    with pytest.raises(EmptyDay, match=r"\(2 files that images\.ignore names\)"):
        next(listed)
