"""The names that a file gives a day's images: taken as they stand, or refused with their row."""

from __future__ import annotations

import json
import os

import pytest
from tests.elsewhere import read_only, store_of

from driftwatch.errors import NeedsAttention
from driftwatch.images.ingest import ingest_day
from driftwatch.images.listing import list_day
from driftwatch.storage import StoredObject, open_storage

from ..days import MODEL, photo
from .files import DAY, bytes_of, parquet


@pytest.mark.parametrize(
    ("end", "data", "said"),
    [
        ("csv", b"key\na.jpg\nb\0.jpg\n", r"row 2, names 'b\\x00\.jpg', which nothing can be called: it has a NUL"),
        ("jsonl", b'{"key": "b\\u0000.jpg"}', r"row 1, names 'b\\x00\.jpg', which nothing can be called: it has a NUL"),
        (
            "jsonl",
            b'{"key": "\\ud83d.jpg"}',
            r"row 1, names '\\ud83d\.jpg', .* it has '\\ud83d', half of a letter's code",
        ),
        ("csv", b"key\n" + b"x" * 256, r"row 1, names 'x{199}, which .* has \d+ bytes, 256 in one part"),
        ("csv", b"key\n" + b"folder/" * 600 + b"a.jpg", r"row 1, names .* and 4096 and 255 is the most"),
        ("jsonl", b'{"key": 5}', "row 1, has 5 as 'key', of the type int: a name is a text"),
        ("jsonl", b'{"key": true}', "has True as 'key', of the type bool"),
        ("jsonl", b'{"key": ["a.jpg"]}', r"has \['a\.jpg'\] as 'key', of the type list"),
        ("jsonl", b'{"key": NaN}', "has nan as 'key', of the type float"),
        ("jsonl", b'{"key": null}', "row 1, names no object"),
        ("jsonl", b'{"name": "a.jpg"}', r"row 1, has no 'key'; it has \['name'\]"),
        ("jsonl", b'["a.jpg"]', r"""row 1, is b'\["a\.jpg"\]', and no object in braces"""),
        ("jsonl", b"[" * 100_000, "cannot be read after row 0"),
        (
            "parquet",
            parquet([{"key": {"name": "a.jpg"}}]),
            r"row 1, has \{'name': 'a\.jpg'\} as 'key', of the type dict",
        ),
        ("parquet", parquet([{"key": 7}]), "row 1, has 7 as 'key', of the type int"),
        ("parquet", parquet([{"name": "a.jpg"}]), r"2026-01-08\.parquet has no 'key'; it has \['name'\]"),
    ],
)
def test_what_is_no_name_is_refused_with_its_row(day, cams, end, data, said):
    cams.write_bytes(f"lists/2026-01-08.{end}", data)
    with pytest.raises(NeedsAttention, match=said) as found:
        ingest_day(day(f"lists/{{day}}.{end}"), MODEL)
    assert str(found.value).endswith(", then clear ingest_images") or "cannot be read" in said
    assert len(str(found.value)) < 1000


def test_a_name_that_no_object_store_can_have_is_refused(tmp_path, s3_storage, s3_login):
    bucket = s3_storage.uri.rpartition("/")[0]
    layout = {"paths": bucket, "inventory": {"path": f"{s3_storage.uri}/lists/{{day}}.jsonl"}}
    own = open_storage(f"file://{tmp_path}")
    day = store_of(own, layout, lambda uri: read_only(uri, s3_login)).day(DAY)
    for name, said in (
        ("\udc80.jpg", "half of a letter's code or no UTF-8"),
        ("x" * 1025, "it has 1025 letters, and a key has 1024 at most"),
    ):
        s3_storage.write_bytes("lists/2026-01-08.jsonl", json.dumps({"key": name}).encode())
        with pytest.raises(NeedsAttention, match=said):
            list(list_day(day))


ODD_NAMES = [
    " lead.jpg",
    "trail.jpg ",
    "\u3000wide.jpg",
    "a\ttab.jpg",
    'q"q.jpg',
    "100%.jpg",
    "a+b.jpg",
    "back\\slash.jpg",
]


@pytest.mark.parametrize("end", ["csv", "jsonl", "parquet", "bytes.parquet"])
def test_names_are_taken_as_they_stand(day, cams, end, tmp_path):
    for number, name in enumerate(ODD_NAMES):
        (tmp_path / "cams/prod").mkdir(parents=True, exist_ok=True)
        (tmp_path / "cams/prod" / name).write_bytes(photo(number))
    quoted = ['"{}"'.format(name.replace('"', '""')) for name in ODD_NAMES]
    data = {
        "csv": "\n".join(["key", *quoted]).encode(),
        "jsonl": "\n".join(json.dumps({"key": name}) for name in ODD_NAMES).encode(),
        "parquet": parquet([{"key": name} for name in ODD_NAMES]),
        "bytes.parquet": bytes_of(*(name.encode() for name in ODD_NAMES)),
    }[end]
    cams.write_bytes(f"lists/2026-01-08.{end}", data)
    found = ingest_day(day(f"lists/{{day}}.{end}"), MODEL)
    assert (found.listed, found.accepted) == (len(ODD_NAMES), len(ODD_NAMES))


def test_names_that_are_no_utf8_are_found_on_a_disk(day, cams, tmp_path):
    (tmp_path / "cams/prod").mkdir(parents=True)
    for name in (b"\xfc.jpg", b"\xe9.jpg"):
        (tmp_path / "cams/prod" / os.fsdecode(name)).write_bytes(photo(name[0]))
    cams.write_bytes("lists/2026-01-08.parquet", bytes_of(b"\xfc.jpg", b"\xe9.jpg"))
    assert ingest_day(day("lists/{day}.parquet"), MODEL).accepted == 2
    cams.write_bytes("lists/2026-01-08.jsonl", json.dumps({"key": os.fsdecode(b"\xfc.jpg")}).encode())
    assert ingest_day(day("lists/{day}.jsonl"), MODEL).accepted == 1


def test_a_column_of_parquet_may_have_a_dot_in_its_name(day, cams):
    rows = [{"s3.key": "a.jpg", "s3": {"key": "other.jpg"}, "s3.bytes": 5}]
    cams.write_bytes("lists/2026-01-08.parquet", parquet(rows))
    listed = list(list_day(day("lists/{day}.parquet", key="s3.key", size="s3.bytes")))
    assert listed == [StoredObject(f"{cams.uri}/prod/a.jpg", 5)]
