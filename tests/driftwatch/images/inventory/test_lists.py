"""Days whose images a list of the team's own names."""

from __future__ import annotations

import gzip
import json

import pyarrow as pa
import pytest
from tests.elsewhere import read_only, store_of

from driftwatch.errors import EmptyDay, NeedsAttention, TooManyRejects
from driftwatch.images import table_rows
from driftwatch.images.ingest import ingest_day
from driftwatch.images.late import note_late_files
from driftwatch.images.listing import list_day
from driftwatch.images.table_file import MissingTable
from driftwatch.storage import StoredObject, open_storage
from driftwatch.storage.spool import Spool

from ..days import MODEL
from ..test_layout import delivered, manifest
from .files import DAY, parquet

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
        (b"\n \n", r"2026-01-08\.csv has no header, and nothing else"),
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


def test_a_table_that_arrow_cannot_read_is_named(day, cams, monkeypatch):
    cams.write_bytes("lists/2026-01-08.parquet", b"PAR1")

    def fails(file, columns):
        raise pa.ArrowNotImplementedError("Integers with more than 64 bits not implemented")

    monkeypatch.setattr(table_rows, "_parquet", fails)
    with pytest.raises(NeedsAttention, match=r"2026-01-08\.parquet cannot be read after row 0 \(Integers with more"):
        list(list_day(day("lists/{day}.parquet")))


def test_a_whole_bucket_may_be_the_place_where_an_inventory_says_what_is_the_days(tmp_path, s3_storage, s3_login):
    bucket = s3_storage.uri.rpartition("/")[0]
    names = [f"{s3_storage.root.rpartition('/')[2]}/{name}" for name in ("b/2.jpg", "a/1.jpg", "a/")]
    s3_storage.write_bytes("lists/2026-01-08.csv", "\n".join(["key", *names]).encode())
    layout = {"paths": bucket, "inventory": {"path": f"{s3_storage.uri}/lists/{{day}}.csv"}}
    own = open_storage(f"file://{tmp_path}")
    day = store_of(own, layout, lambda uri: read_only(uri, s3_login)).day(DAY)
    assert [item.key for item in list_day(day)] == sorted(f"{bucket}/{name}" for name in names)
