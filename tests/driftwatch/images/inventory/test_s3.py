"""Days whose images an S3 Inventory names."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from datetime import datetime, timedelta, timezone
from itertools import count
from typing import Any

import pytest
from tests.elsewhere import read_only, store_of

from driftwatch.artifacts.store import DayStore
from driftwatch.errors import NeedsAttention
from driftwatch.images import table_rows
from driftwatch.images.ingest import ingest_day
from driftwatch.images.late import note_late_files
from driftwatch.images.listing import list_day
from driftwatch.images.table_file import MissingTable
from driftwatch.storage import Storage, StoredObject, open_storage

from ..days import MODEL, photo
from ..test_layout import delivered
from .files import DAY, parquet

_numbers = count()
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
    monkeypatch.setattr(table_rows, "_PART", 100)
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
    with pytest.raises(MissingTable, match=r"2026-01-09T01-00Z/manifest\.json is not there.*raise images\.wait_hours"):
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
