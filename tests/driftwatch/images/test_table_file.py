"""How a table names an image: by its path below the day's folder, or by its whole address."""

from __future__ import annotations

import pytest

from driftwatch.images.table_file import path_in_table


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
