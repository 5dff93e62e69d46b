"""How a table names an image: by its path below the day's folder, or by its whole address."""

from __future__ import annotations

import tempfile

import pytest

from driftwatch.images.table_file import path_in_table
from driftwatch.images.table_rows import Columns, rows_of
from driftwatch.storage.local_disk import NoRoom


@pytest.mark.parametrize(
    ("root", "value", "path"),
    [
        ("cats/incoming/2026-01-08", "door-1/a.jpg", "door-1/a.jpg"),
        ("cats/incoming/2026-01-08", "s3://bucket/dw/cats/incoming/2026-01-08/door-1/a.jpg", "door-1/a.jpg"),
        ("cats/incoming/2026-01-08", "/mnt/dw/cats/incoming/2026-01-08/a.jpg", "a.jpg"),
        ("s3://cams/prod", "s3://cams/prod/north/a.jpg", "north/a.jpg"),
        ("s3://cams/prod", "https://s3.example.com/cams/prod/north/a.jpg", "north/a.jpg"),
        ("cams", "north/cams/1.jpg", "north/cams/1.jpg"),  # a folder of that name once more
        ("s3://b/cams", "s3://b/cams/north/cams/1.jpg", "north/cams/1.jpg"),
        ("cams", " lead/a.jpg ", " lead/a.jpg "),
        ("s3://cams/prod", "s3://cams/prod/ a.jpg ", " a.jpg "),
        ("cams", b"door 1/ a.jpg", "door 1/ a.jpg"),
        ("cams", 7.0, "7"),
        ("cams", None, ""),
        ("cams", "back\\slash/a\tb.jpg", r"back\\slash/a\x09b.jpg"),  # as its key is written
        ("cams", "s3://elsewhere/1.jpg", "s3://elsewhere/1.jpg"),
    ],
)
def test_an_address_is_cut_behind_the_root_and_a_path_is_left(root, value, path):
    assert path_in_table(root, value) == path


def test_a_local_disk_that_is_full_is_told_with_what_to_do(s3_storage, monkeypatch):
    s3_storage.write_bytes("lists/a.csv", b"key\na.jpg\n")

    def full(**_: object) -> object:
        return open("/dev/full", "wb", buffering=0)  # the kernel says that there is no room

    monkeypatch.setattr(tempfile, "NamedTemporaryFile", full)
    with pytest.raises(NoRoom, match=r"lists/a\.csv, of 10 bytes, cannot be kept.*No space left.*TMPDIR"):
        next(rows_of(s3_storage, "lists/a.csv", Columns("key", ("key",), "correct it"), "segments.light.table"))
