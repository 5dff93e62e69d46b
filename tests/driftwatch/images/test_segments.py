"""The manifest says of each image in which segments it is; nothing is guessed."""

from __future__ import annotations

import gzip
import io
import json
from datetime import date

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from tests.stores import SMALLEST

from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.ingest import Ingest
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.errors import NeedsAttention
from driftwatch.images import segments
from driftwatch.images.ingest import cut_into_shards, ingest_day, ingest_shard, merge_shards
from driftwatch.images.listing import list_day
from driftwatch.images.one_pass import MANIFEST
from driftwatch.images.segments import segments_of_day
from driftwatch.storage import Storage, open_storage
from driftwatch.storage.foreign_files import to_key

from .days import MODEL
from .files import encoded
from .test_ingest import photo

DAY = DayKeys("cats", date(2026, 3, 1))
CAMERA = {"camera": {"key": "^([^/]+)/"}}
ROWS = [("door-1/0.jpg", "night"), ("door-1/1.jpg", "day"), ("door-2/0.jpg", ""), ("door-2/0.jpg", "NA")]


@pytest.fixture
def storage(tmp_path) -> Storage:
    storage = open_storage(f"file://{tmp_path}/store")
    for number, name in enumerate(["door-1/0.jpg", "door-1/1.jpg", "door-2/0.jpg", "loose.jpg"]):
        storage.write_bytes(f"{DAY.incoming}/{name}", encoded(photo(number)))
    storage.write_bytes(f"{DAY.incoming}/door-2/broken.jpg", b"no picture")
    storage.write_bytes(f"{DAY.incoming}/door-3/.hidden", b"")
    return storage


def day_of(storage: Storage, given: dict[str, object], **images: object) -> DayStore:
    images = {"max_reject_share": 1, **images}
    config = MonitorConfig.model_validate({**SMALLEST, "name": "cats", "segments": given, "images": images})
    return MonitorStore(storage, config).day(DAY.day)


def light(**changes: object) -> dict[str, object]:
    return {"light": {"table": {"path": "metadata/{day}.csv", "key": "file", "column": "light", **changes}}}


def by_path(storage: Storage, name: str) -> dict[str, str | None]:
    table = storage.read_arrow(DAY.manifest).to_pydict()
    paths = [key.removeprefix(f"{DAY.incoming}/") for key in table["key"]]
    return dict(zip(paths, table[f"segment.{name}"], strict=True))


def test_a_camera_is_taken_from_the_path_and_an_image_in_no_folder_is_counted(storage):
    found = ingest_day(day_of(storage, CAMERA), MODEL)
    assert by_path(storage, "camera") == {
        "door-1/0.jpg": "door-1", "door-1/1.jpg": "door-1", "door-2/0.jpg": "door-2", "door-2/broken.jpg": "door-2",
        "door-3/.hidden": None, "loose.jpg": None,
    }  # fmt: skip
    assert found.without_segment == {"camera": 1}


def test_without_segmentations_the_manifest_and_the_counts_are_as_before(storage):
    day = day_of(storage, {})
    ingest_day(day, MODEL)
    assert storage.read_arrow(DAY.manifest).schema.equals(MANIFEST, check_metadata=True)
    assert "without_segment" not in storage.read_json(DAY.ingest)


def csv_table(rows: list[tuple[str, str]]) -> bytes:
    return "\n".join(["file,light", *map(",".join, rows), ""]).encode()


def parquet_table(rows: list[tuple[str, str]]) -> bytes:
    data = io.BytesIO()
    pq.write_table(pa.table({"file": [key for key, _ in rows], "light": [name for _, name in rows]}), data)
    return data.getvalue()


def json_lines(rows: list[tuple[str, str]]) -> bytes:
    return b"".join(json.dumps({"file": key, "light": name}).encode() + b"\n" for key, name in rows)


@pytest.mark.parametrize(
    ("end", "made"), [(".csv", csv_table), (".parquet", parquet_table), (".jsonl", json_lines), (".csv.gz", None)]
)
def test_a_table_beside_the_images_tells_the_segment_and_an_image_without_a_row_has_none(storage, end, made):
    data = gzip.compress(csv_table(ROWS)) if made is None else made(ROWS)
    storage.write_bytes(f"metadata/{DAY.day}{end}", data)
    found = ingest_day(day_of(storage, light(path=f"metadata/{{day}}{end}")), MODEL)
    assert [by_path(storage, "light")[path] for path in ("door-1/0.jpg", "door-1/1.jpg", "door-2/0.jpg")] == [
        "night",
        "day",
        "NA",
    ]
    assert by_path(storage, "light")["loose.jpg"] is None
    assert found.without_segment == {"light": 1}


def test_numbers_and_whole_addresses_of_a_table_are_understood(storage):
    rows = [
        {"file": f"s3://bucket/x/{DAY.incoming}/{path}", "light": value}
        for path, value in [("loose.jpg", 3.0), ("door-1/0.jpg", None)]
    ]
    storage.write_bytes(f"metadata/{DAY.day}.jsonl", b"".join(json.dumps(row).encode() + b"\n" for row in rows))
    ingest_day(day_of(storage, light(path="metadata/{day}.jsonl")), MODEL)
    assert (by_path(storage, "light")["loose.jpg"], by_path(storage, "light")["door-1/0.jpg"]) == ("3", None)


@pytest.mark.parametrize(("end", "made"), [(".csv", csv_table), (".parquet", parquet_table), (".jsonl", json_lines)])
def test_a_table_names_images_as_they_are_called(storage, end, made):
    paths = [" lead.jpg", "trail.jpg ", "back\\slash.jpg"]
    for path in paths:
        storage.write_bytes(f"{DAY.incoming}/{to_key(path)}", storage.read_bytes(f"{DAY.incoming}/loose.jpg"))
    storage.write_bytes(f"metadata/{DAY.day}{end}", made([(path, " night ") for path in paths]))
    ingest_day(day_of(storage, light(path=f"metadata/{{day}}{end}")), MODEL)
    assert [by_path(storage, "light")[to_key(path)] for path in paths] == ["night"] * 3


def test_a_row_that_lacks_the_segment_leaves_its_image_without_one(storage):
    for end, text in ((".csv", "light,file\nday,loose.jpg\n"), (".csv", "file,light\nloose.jpg\ndoor-1/0.jpg,day\n")):
        storage.write_bytes(f"metadata/{DAY.day}{end}", text.encode())
        ingest_day(day_of(storage, light()), MODEL)
        assert "day" in by_path(storage, "light").values()
    assert by_path(storage, "light")["loose.jpg"] is None
    lines = [{"file": "loose.jpg"}, {"light": "day", "file": "door-1/0.jpg"}]
    storage.write_bytes(f"metadata/{DAY.day}.jsonl", "\n".join(map(json.dumps, lines)).encode())
    ingest_day(day_of(storage, light(path="metadata/{day}.jsonl")), MODEL)
    assert (by_path(storage, "light")["loose.jpg"], by_path(storage, "light")["door-1/0.jpg"]) == (None, "day")


@pytest.mark.parametrize(
    ("end", "file", "message"),
    [
        (".csv", b"file,light\nloose.jpg,day,1\n", r"row 1, has 3 fields, and there are 2 columns"),
        (".csv", b"light,file\nday\n", r"row 1, has 1 fields, and there are 2 columns"),
        (".csv", b"file,light,light\nloose.jpg,day,night\n", r"has the column 'light' more than once"),
        (".jsonl", b'{"file": "loose.jpg", "sun": 1}\n', r"\.jsonl has no 'light'; it has \['file', 'sun'\]"),
        (".jsonl", b'{"file": "loose.jpg", "light": "\\ud800"}\n', r"row 1, has a segment that is no UTF-8"),
    ],
)
def test_a_row_that_could_be_read_in_two_ways_is_refused_with_its_place(storage, end, file, message):
    storage.write_bytes(f"metadata/{DAY.day}{end}", file)
    with pytest.raises(NeedsAttention, match=message):
        ingest_day(day_of(storage, light(path=f"metadata/{{day}}{end}")), MODEL)
    assert not storage.exists(DAY.manifest)


@pytest.mark.parametrize(
    ("file", "message"),
    [
        (None, r"metadata/2026-03-01\.csv is not there.*segments\.light\.table\.missing to unknown"),
        (b"file,sun\na,b\n", r"has no 'light'; it has \['file', 'sun'\]"),
        (b"", r"has 0 bytes"),
        (b'file,light\nloose.jpg,x\n"a.jpg,y\nb.jpg,z\n', r"row 2, has a quote that is not closed"),
        (
            b'file,light\n"loose.jpg,x\n"a.jpg",y\n',
            r"row 1, has a quote that is not closed, or one within",
        ),
        (b'file,light\n"loose.jpg,x\na.jpg",y\n', r"row 1, has a line end in the name 'loose"),
    ],
)
def test_a_table_or_column_that_is_missing_is_told_before_an_image_is_read(storage, file, message):
    if file is not None:
        storage.write_bytes(f"metadata/{DAY.day}.csv", file)
    day = day_of(storage, light())
    with pytest.raises(NeedsAttention, match=message):
        ingest_day(day, MODEL)
    assert not storage.exists(DAY.manifest)


@pytest.mark.parametrize(
    ("end", "file"),
    [
        (".csv", b"\n\r\n  \nfile,light\nloose.jpg,day\n"),
        (".csv", b"\xef\xbb\xbf\nlight,file\n   \nday,loose.jpg\n \n"),
        (".jsonl", b'{"light": "night"}\n{"file": "loose.jpg", "light": "day"}\n{"written": 1}\n'),
    ],
    ids=["blank lines first", "lines of spaces", "a row without a name"],
)
@pytest.mark.parametrize("missing", ["fail", "unknown"])
def test_a_line_that_says_nothing_is_passed_by_and_makes_no_table_unknown(storage, end, file, missing):
    storage.write_bytes(f"metadata/{DAY.day}{end}", file)
    ingest_day(day_of(storage, light(path=f"metadata/{{day}}{end}", missing=missing)), MODEL)
    assert by_path(storage, "light")["loose.jpg"] == "day"


@pytest.mark.parametrize("file", [None, b"file,sun\na,b\n"])
def test_with_missing_unknown_the_day_goes_on_without_the_segments(storage, file):
    if file is not None:
        storage.write_bytes(f"metadata/{DAY.day}.csv", file)
    assert ingest_day(day_of(storage, light(missing="unknown")), MODEL).without_segment == {"light": 4}


def test_a_segmentation_that_is_an_id_is_refused_by_its_name(storage, monkeypatch):
    monkeypatch.setattr(segments, "MOST_SEGMENTS", 2)
    day = day_of(storage, {"shot": {"key": "([^/]+)$"}})
    with pytest.raises(
        NeedsAttention, match=r"segments\.shot has more than 2 segments.*looks like an id.*segments\.shot\.key"
    ):
        ingest_day(day, MODEL)


def test_a_day_in_shards_has_the_same_manifest_to_the_byte(storage):
    for number in range(300):
        storage.write_bytes(f"{DAY.incoming}/door-{number % 3}/more-{number}.jpg", encoded(photo(number % 7, 40, 40)))
    ingest_day(day_of(storage, CAMERA), MODEL)
    whole, counts = storage.read_bytes(DAY.manifest), storage.read_json(DAY.ingest)
    day = day_of(storage, CAMERA, shard_size=256)
    for shard in cut_into_shards(day, MODEL, list_day(day)):
        ingest_shard(day, shard)
    merge_shards(day)
    assert (storage.read_bytes(DAY.manifest), storage.read_json(DAY.ingest)) == (whole, counts)


def test_what_others_read_has_every_segmentation_in_the_monitor_files_order_and_none_for_the_unknown(storage):
    ingest_day(day_of(storage, CAMERA), MODEL)
    log = {"path": "logs/{day}.csv", "columns": {"key": "key", "prediction": "class", "segments": ["request.region"]}}
    settings = {**SMALLEST, "name": "cats", "model": {"predictions": "logged", "logged": log}}
    given = {"region": {"logged": "request.region"}, **CAMERA, "later": {"key": "^(.)"}}
    day = MonitorStore(storage, MonitorConfig.model_validate({**settings, "segments": given})).day(DAY.day)
    assert set(segments_of_day(day)["region"]) == {None}
    accepted = storage.read_table(DAY.manifest).query("status == 'accepted'")["image_id"].tolist()
    answers = pd.DataFrame({"image_id": accepted[::-1], "segment.region": ["north", "", "south", "south"]})
    storage.write_table(DAY.predictions, answers)
    found = segments_of_day(day)
    assert list(found.columns) == ["image_id", "region", "camera", "later"]
    assert found.values.tolist() == [
        [accepted[0], "south", "door-1", None], [accepted[1], "south", "door-1", None],
        [accepted[2], None, "door-2", None], [accepted[3], "north", None, None],
    ]  # fmt: skip
    assert day.read(Ingest).accepted == 4
