"""Days whose images a file names: lists of a team's own, and S3's inventories."""

from __future__ import annotations

import gzip
import io
import json
import os
from collections.abc import Callable
from datetime import date, datetime, timedelta, timezone
from itertools import count
from typing import Any

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.elsewhere import read_only, store_of

from driftwatch.artifacts.store import DayStore
from driftwatch.errors import EmptyDay, NeedsAttention, TooManyRejects
from driftwatch.images import inventory_rows
from driftwatch.images.ingest import ingest_day
from driftwatch.images.late import note_late_files
from driftwatch.images.listing import list_day
from driftwatch.images.table_file import MissingTable
from driftwatch.storage import Storage, StoredObject, open_storage
from driftwatch.storage.spool import Spool

from .days import MODEL
from .test_layout import delivered, manifest, photo

DAY = date(2026, 1, 8)
_numbers = count()


@pytest.fixture
def cams(tmp_path) -> Storage:
    return open_storage(f"file://{tmp_path}/cams")


@pytest.fixture
def day(tmp_path, cams) -> Callable[..., DayStore]:
    """`day("lists/{day}.csv", paths=..., size="bytes")`"""

    def made(path: str, paths: str = "prod", **settings: Any) -> DayStore:
        layout = {
            "paths": f"{cams.uri}/{paths}",
            "inventory": {"path": f"{cams.uri}/{path}" if "://" not in path else path, **settings},
        }
        return store_of(open_storage(f"file://{tmp_path}/store"), layout, images={"max_reject_share": 1}).day(DAY)

    return made


def parquet(rows: list[dict[str, Any]]) -> bytes:
    buffer = io.BytesIO()
    pd.DataFrame(rows).to_parquet(buffer)
    return buffer.getvalue()


ROWS = [{"key": "b/2.jpg", "bytes": 20}, {"key": "a/1.jpg", "bytes": 10}, {"key": "ü b,c.jpg", "bytes": 30}]
FILES = {
    "csv": 'key,bytes\nb/2.jpg,20\na/1.jpg,10\n"ü b,c.jpg",30\n'.encode(),
    "tsv": "\ufeffbytes\tkey\tcamera\n20\tb/2.jpg\tx\n10\ta/1.jpg\ty\n30\tü b,c.jpg\tz\n".encode(),
    "jsonl": "\n".join(map(json.dumps, ROWS)).encode() + b"\n\n",
    "ndjson": "\n".join(json.dumps(row, ensure_ascii=False) for row in ROWS).encode(),
    "parquet": parquet(ROWS),
}


@pytest.mark.parametrize("packed", [False, True])
@pytest.mark.parametrize("end", FILES)
def test_a_file_of_each_format_names_the_days_images(day, cams, end, packed):
    end, data = (f"{end}.gz", gzip.compress(FILES[end])) if packed else (end, FILES[end])
    cams.write_bytes(f"lists/2026-01-08.{end}", data)
    listed = list(list_day(day(f"lists/{{day}}.{end}", size="bytes")))
    at = f"{cams.uri}/prod"
    assert listed == [
        StoredObject(f"{at}/a/1.jpg", 10),
        StoredObject(f"{at}/b/2.jpg", 20),
        StoredObject(f"{at}/ü b,c.jpg", 30),
    ]
    unsized = list(list_day(day(f"lists/{{day}}.{end}")))
    assert [item.size for item in unsized] == [0, 0, 0]


def test_a_named_day_is_taken_in_and_what_is_not_there_is_quarantined(day, cams):
    delivered(cams, "prod/a.jpg", "prod/b.jpg", "prod/unnamed.jpg")
    names = ["b.jpg", f"{cams.uri}/prod/a.jpg", "gone.jpg", "b.jpg", "notes.json"]
    cams.write_bytes("lists/2026-01-08.csv", "\n".join(["key", *names]).encode())
    of_day = day("lists/{day}.csv")
    found = ingest_day(of_day, MODEL)
    assert (found.listed, found.accepted, found.ignored, found.reasons) == (4, 2, 1, {"unreadable": 1})
    at = f"{cams.uri}/prod"
    assert manifest(of_day) == {
        f"{at}/a.jpg": "accepted",
        f"{at}/b.jpg": "accepted",
        f"{at}/gone.jpg": "quarantined",
        f"{at}/notes.json": "ignored",
    }
    table = of_day.storage.read_table(of_day.keys.manifest).set_index("key")
    assert table["reason"][f"{at}/gone.jpg"] == (
        f"unreadable: is not there, and {cams.uri}/lists/2026-01-08.csv names it; where it was never there correct images.layout.paths or "
        "images.layout.inventory.key"
    )
    assert note_late_files(of_day) == 0
    cams.write_bytes("lists/2026-01-08.csv", "\n".join(["key", *names, "unnamed.jpg"]).encode())
    assert note_late_files(of_day) == 1
    cams.delete("lists/2026-01-08.csv")
    assert note_late_files(of_day) == 0  # cleaned up since


@pytest.mark.parametrize("count", [3, 2_000])
def test_an_unsorted_list_is_sorted_on_the_disk_and_never_held(day, cams, monkeypatch, count):
    monkeypatch.setattr(Spool.__init__, "__defaults__", (50,))
    names = [f"{number * 7919 % count:05}.jpg" for number in range(count)]
    cams.write_bytes("lists/2026-01-08.jsonl", "\n".join(json.dumps({"key": name}) for name in names * 2).encode())
    listed = [item.key for item in list_day(day("lists/{day}.jsonl"))]
    assert listed == [f"{cams.uri}/prod/{name}" for name in sorted(names)]


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "../secret.jpg",
            r"row 2, names '../secret.jpg', which does not lie in file:.*/prod: correct the file or images.layout.paths",
        ),
        ("a//b.jpg", "does not lie in"),
        ("./a.jpg", "does not lie in"),
        ("s3://cams/prod/a.jpg", "does not lie in"),
        ("file:///etc/prod/a.jpg", "does not lie in"),
        ("{uri}/other/a.jpg", "does not lie in"),
        ("{uri}/prod/../other/a.jpg", "does not lie in"),
        ("{uri}/prod", "does not lie in"),
        ("{uri}x/prod/a.jpg", "does not lie in"),
        ('""', "row 2, names no object"),
    ],
)
def test_what_does_not_lie_in_the_allowed_place_is_refused(day, cams, name, said):
    cams.write_bytes("lists/2026-01-08.csv", f"key\na.jpg\n{name.format(uri=cams.uri)}\n".encode())
    with pytest.raises(NeedsAttention, match=said):
        list(list_day(day("lists/{day}.csv")))


@pytest.mark.parametrize(
    ("data", "said"),
    [
        (
            b"file,bytes\na.jpg,1\n",
            r"2026-01-08\.csv has no 'key'; it has \['file', 'bytes'\]\. Correct images.layout.inventory.key",
        ),
        (
            b"key,bytes\na.jpg,1\nb.jpg,many\n",
            "row 2, has the size 'many', and a whole number of bytes is allowed: correct it",
        ),
        (b"key,bytes\na.jpg,1\nb.jpg,-5\n", "a whole number of bytes"),
        (b"key,bytes\na.jpg,1\n\xff\xfe.jpg,2\n", "cannot be read after row .*UTF-8"),
        (b"key,bytes\na.jpg,1\nb.jpg\n", "row 2, has 1 fields, and there are 2 columns"),
        (b"key,bytes\na.jpg,1\nb,c.jpg,2\n", "row 2, has 3 fields, and there are 2 columns: put a field that has ','"),
        (b"bytes\n", r"2026-01-08\.csv has no 'key'; it has \['bytes'\]"),
        (b"key,bytes,key\n", r"2026-01-08\.csv has the column 'key' more than once: keep one"),
        (b"", r"2026-01-08\.csv has no header, and nothing else"),
        (b"\n", r"2026-01-08\.csv has no 'key' and no 'bytes'; it has \[\]"),
        (b'key,bytes\na.jpg,1\n"b.jpg,2\nc.jpg,3\n', "row 2, has a quote that is not closed"),
        (b'key,bytes\na.jpg,1\n"b.jpg,2\n"c.jpg",3\n', "row 2, has a quote that is not closed, or one within a field"),
        (b'key,bytes\na.jpg,1\n"b.jpg,2\nc.jpg",3\n', r"row 2, has a line end in the name 'b\.jpg,2\\nc\.jpg'"),
        (b'key,bytes\n"' + b"name.jpg,1\n" * 20_000, "row 1, has more than 100000 letters: close the quote"),
    ],
)
def test_a_list_that_cannot_be_read_is_told_with_its_row(day, cams, data, said):
    cams.write_bytes("lists/2026-01-08.csv", data)
    with pytest.raises(NeedsAttention, match=said):
        list(list_day(day("lists/{day}.csv", size="bytes")))


def test_a_day_of_which_nothing_was_accepted_says_so(day, cams):
    """It was "1 of 1 files were quarantined; images.max_reject_share allows 100%"."""
    cams.write_bytes("lists/2026-01-08.csv", b"key\ngone.jpg\n")
    with pytest.raises(
        TooManyRejects, match=r"1 of 1 files .* were quarantined \(unreadable 1\), and no image at all was accepted\. "
    ):
        ingest_day(day("lists/{day}.csv"), MODEL)


def test_an_unclosed_quote_does_not_swallow_the_rows_after_it(day, cams):
    """The day passed with 100 images of 1,000: the rows from the quote on were one name, which could not be read."""
    names = [f"{number:04}.jpg" for number in range(1_000)]
    delivered(cams, *(f"prod/{name}" for name in names[:100]))
    names[100] = f'"{names[100]}'
    cams.write_bytes("lists/2026-01-08.csv", "\n".join(["key", *names]).encode())
    with pytest.raises(NeedsAttention, match=r"2026-01-08\.csv, row 101, has a quote that is not closed") as found:
        ingest_day(day("lists/{day}.csv"), MODEL)
    assert len(str(found.value)) < 500


def bytes_of(*names: bytes) -> bytes:
    buffer = io.BytesIO()
    pq.write_table(pa.table({"key": pa.array(names, pa.binary())}), buffer)
    return buffer.getvalue()


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


@pytest.mark.parametrize("name", ["x.csv.gz", "x.parquet", "x.jsonl", "manifest.json"])
def test_a_damaged_file_is_told_as_one(day, cams, name):
    cams.write_bytes(f"lists/2026-01-08/{name}", b"\x1f\x8b\x08 no such format")
    with pytest.raises(NeedsAttention, match=r"cannot be read|is no manifest\.json"):
        list(list_day(day(f"lists/{{day}}/{name}", "prod/{day}")))


def test_a_file_that_is_missing_or_empty(day, cams):
    with pytest.raises(MissingTable, match=r"2026-01-08\.csv is not there, and images\.layout\.inventory names it"):
        list(list_day(day("lists/{day}.csv")))
    cams.write_bytes("lists/2026-01-08.csv", b"key\n")
    with pytest.raises(EmptyDay, match=r"lists/2026-01-08\.csv names no images for 2026-01-08"):
        list(list_day(day("lists/{day}.csv")))


# S3's own

SCHEMA = "Bucket, Key, VersionId, IsLatest, IsDeleteMarker, Size"
OBJECTS = [
    ("prod/2026/01/08/b 1+2.jpg", "true", "false", 20),
    ("prod/2026/01/08/a.jpg", "true", "false", 10),
    ("prod/2026/01/08/a.jpg", "false", "false", 9),
    ("prod/2026/01/08/deleted.jpg", "true", "true", ""),
    ("prod/2026/01/07/other-day.jpg", "true", "false", 30),
    ("logs/2026/01/08/x.jpg", "true", "false", 40),
]


def s3_inventory(form: str, bucket: str) -> dict[str, bytes]:
    """The manifest and two data files, as S3 writes them."""
    from urllib.parse import quote

    files = {}
    for number, part in enumerate((OBJECTS[:3], OBJECTS[3:])):
        if form == "CSV":
            rows = [f'"{bucket}","{quote(key)}","v","{last}","{mark}","{size}"' for key, last, mark, size in part]
            files[f"dest/data/{number}.csv.gz"] = gzip.compress("\n".join(rows).encode())
        else:
            rows = [
                {"bucket": bucket, "key": key, "version_id": "v", "is_latest": last == "true", "is_delete_marker": mark == "true", "size": size or None}
                for key, last, mark, size in part
            ]  # fmt: skip
            files[f"dest/data/{number}.parquet"] = parquet(rows)
    about = {
        "sourceBucket": bucket,
        "destinationBucket": f"arn:aws:s3:::{bucket}",
        "version": "2016-11-30",
        "creationTimestamp": str(int(datetime(2026, 1, 9, 1, tzinfo=timezone.utc).timestamp() * 1000)),
        "fileFormat": form,
        "fileSchema": SCHEMA if form == "CSV" else "message s3.inventory { required binary bucket (UTF8); }",
        "files": [{"key": key, "size": len(data), "MD5checksum": "0"} for key, data in files.items()],
    }
    return {**files, "dest/2026-01-09T01-00Z/manifest.json": json.dumps(about).encode()}


@pytest.mark.parametrize("form", ["CSV", "Parquet"])
def test_an_inventory_of_s3_names_the_whole_bucket_and_the_days_part_is_taken(s3_login, tmp_path, form, monkeypatch):
    monkeypatch.setattr(inventory_rows, "_PART", 100)
    bucket = f"inventory-{form.lower()}"
    s3_login.session.client("s3", endpoint_url=s3_login.endpoint_url).create_bucket(Bucket=bucket)
    there = open_storage(f"s3://{bucket}", s3_login)
    for key, data in s3_inventory(form, bucket).items():
        there.write_bytes(key, data)
    layout = {
        "paths": f"s3://{bucket}/prod/{{day:%Y/%m/%d}}",
        "inventory": {"path": f"s3://{bucket}/dest/{{day}}T01-00Z/manifest.json", "days_later": 1},
    }
    own = open_storage(f"file://{tmp_path}/store")
    day = store_of(own, layout, lambda uri: read_only(uri, s3_login)).day(DAY)
    at = f"s3://{bucket}/prod/2026/01/08"
    assert list(list_day(day)) == [StoredObject(f"{at}/a.jpg", 10), StoredObject(f"{at}/b 1+2.jpg", 20)]


@pytest.fixture
def cams_s3(s3_login, tmp_path) -> Callable[..., tuple[Storage, DayStore]]:
    """A bucket, and a day whose images an S3 Inventory in it names."""

    def made(**settings: Any) -> tuple[Storage, DayStore]:
        bucket = f"reports{next(_numbers)}"
        s3_login.session.client("s3", endpoint_url=s3_login.endpoint_url).create_bucket(Bucket=bucket)
        where = {"path": f"s3://{bucket}/daily/{{day}}T01-00Z/manifest.json", **settings}
        layout = {"paths": f"s3://{bucket}/prod/{{day:%Y/%m/%d}}", "inventory": where}
        own = open_storage(f"file://{tmp_path}/store")
        day = store_of(own, layout, lambda uri: read_only(uri, s3_login)).day(DAY)
        return open_storage(f"s3://{bucket}", s3_login), day

    return made


def reported(cams: Storage, begun: datetime, keys: list[str], schema: str = "Bucket, Key, Size", **about: Any) -> None:
    """A report as S3 writes it, of what lies in the bucket when it is begun."""
    bucket = cams.uri.removeprefix("s3://")
    rows = "".join(f'"{bucket}","{key}","900"\n' for key in keys)
    cams.write_bytes(f"daily/data/{begun:%d}.csv.gz", gzip.compress(rows.encode()))
    manifest = {
        "sourceBucket": bucket,
        "destinationBucket": f"arn:aws:s3:::{bucket}",
        "creationTimestamp": str(int(begun.timestamp() * 1000)),
        "fileFormat": "CSV",
        "fileSchema": schema,
        "files": [{"key": f"daily/data/{begun:%d}.csv.gz"}],
    }
    cams.write_bytes(f"daily/{begun:%Y-%m-%dT%H-%MZ}/manifest.json", json.dumps(manifest | about).encode())


AT_ONE = datetime(2026, 1, 8, 1, tzinfo=timezone.utc)


def test_the_report_that_has_the_whole_day_is_the_next_days(cams_s3):
    """The report that bears the day has its first hour alone, and the day passed with it."""
    cams, day = cams_s3()
    hours = [f"prod/2026/01/08/{hour:02}.jpg" for hour in range(24)]
    delivered(cams, *hours[:1])
    reported(cams, AT_ONE, hours[:1])
    with pytest.raises(
        NeedsAttention,
        match=r"2026-01-08T01-00Z/manifest\.json was begun at 2026-01-08T01:00:00Z, before the end of 2026-01-08, .*days_later \(0\)",
    ):
        ingest_day(day, MODEL)
    cams, day = cams_s3(days_later=1)
    for number, name in enumerate(hours):
        cams.write_bytes(name, photo(number))
    reported(cams, AT_ONE, hours[:1])
    with pytest.raises(
        MissingTable,
        match=r"2026-01-09T01-00Z/manifest\.json is not there.*raise images\.wait_hours",
    ):
        ingest_day(day, MODEL)
    assert not [*day.storage.list("cats/days")]
    reported(cams, AT_ONE + timedelta(days=1), [*hours, "prod/2026/01/09/00.jpg"])
    found = ingest_day(day, MODEL)
    assert (found.listed, found.accepted) == (24, 24)
    assert note_late_files(day) == 0


def test_a_report_of_another_bucket_or_without_keys_is_refused(cams_s3):
    cams, day = cams_s3(days_later=1)
    begun = AT_ONE + timedelta(days=1)
    reported(cams, begun, ["prod/2026/01/08/1.jpg"], sourceBucket="other")
    with pytest.raises(
        NeedsAttention,
        match=rf"is the inventory of the bucket s3://other, and images\.layout\.paths lies in {cams.uri}: correct",
    ):
        ingest_day(day, MODEL)
    reported(cams, begun, ["prod/2026/01/08/1.jpg"], schema="Bucket, Size, ETag")
    with pytest.raises(
        NeedsAttention, match=r"09\.csv\.gz has no 'Key'; it has \['Bucket', 'Size', 'ETag'\]\. An S3 Inventory"
    ) as said:
        ingest_day(day, MODEL)
    assert "images.layout.inventory.key" not in str(said.value)
    reported(cams, begun, [], files=[{"key": "daily/data/gone.csv.gz"}])
    with pytest.raises(MissingTable, match=r"gone\.csv\.gz is not there, and s3://.*manifest\.json names it"):
        ingest_day(day, MODEL)


def test_an_inventory_that_is_none_of_s3_or_of_another_format_is_refused(day, cams):
    cams.write_bytes("dest/2026-01-08/manifest.json", b"{}")
    with pytest.raises(NeedsAttention, match=r"is no manifest\.json of an S3 Inventory \(KeyError: 'sourceBucket'\)"):
        list(list_day(day("dest/{day}/manifest.json", "prod/{day}")))
    about = json.loads(s3_inventory("CSV", "b")["dest/2026-01-09T01-00Z/manifest.json"])
    cams.write_bytes("dest/2026-01-08/manifest.json", json.dumps({**about, "fileFormat": "ORC"}).encode())
    with pytest.raises(NeedsAttention, match="of the format ORC: let the inventory be written as CSV or Parquet"):
        list(list_day(day("dest/{day}/manifest.json", "prod/{day}")))


def test_a_whole_bucket_may_be_the_place_where_an_inventory_says_what_is_the_days(tmp_path, s3_storage, s3_login):
    bucket = s3_storage.uri.rpartition("/")[0]
    names = [f"{s3_storage.root.rpartition('/')[2]}/{name}" for name in ("b/2.jpg", "a/1.jpg", "a/")]
    s3_storage.write_bytes("lists/2026-01-08.csv", "\n".join(["key", *names]).encode())
    layout = {"paths": bucket, "inventory": {"path": f"{s3_storage.uri}/lists/{{day}}.csv"}}
    own = open_storage(f"file://{tmp_path}")
    day = store_of(own, layout, lambda uri: read_only(uri, s3_login)).day(DAY)
    assert [item.key for item in list_day(day)] == sorted(f"{bucket}/{name}" for name in names)


def test_a_table_that_arrow_cannot_read_is_named(day, cams, monkeypatch):
    cams.write_bytes("lists/2026-01-08.parquet", b"PAR1")

    def fails(file, columns):
        raise pa.ArrowNotImplementedError("Integers with more than 64 bits not implemented")

    monkeypatch.setattr(inventory_rows, "_parquet", fails)
    with pytest.raises(NeedsAttention, match=r"2026-01-08\.parquet cannot be read after row 0 \(Integers with more"):
        list(list_day(day("lists/{day}.parquet")))
