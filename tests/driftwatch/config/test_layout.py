"""Where `images.layout` says that a day's images lie: which paths are refused, with what advice, and whose day an image is of."""

from __future__ import annotations

from datetime import date, timedelta
from importlib.metadata import EntryPoint
from typing import Any

import pytest
from pydantic import ValidationError
from tests.stores import SMALLEST

from driftwatch.config import MonitorConfig, storage
from driftwatch.config.layout import LayoutConfig

DAY = date(2026, 1, 8)


def layout(*paths: str, **more: Any) -> LayoutConfig:
    return LayoutConfig.model_validate({"paths": paths[0] if len(paths) == 1 else list(paths), **more})


@pytest.mark.parametrize(
    ("path", "of_day"),
    [
        ("raw/{day}", "raw/2026-01-08"),
        ("{day}", "2026-01-08"),
        ("s3://cams/prod/{day:%Y/%m/%d}/", "s3://cams/prod/2026/01/08"),
        ("s3://cams/dt={day}/hour=*", "s3://cams/dt=2026-01-08/hour=*"),
        ("az://cams/*/{day:%Y%j}", "az://cams/*/2026008"),
        ("gs://cams/{day:%Y}/{day:%-m-%-d}", "gs://cams/2026/1-8"),
        ("file:///mnt/cams/{day:%y%m%d}/door-*", "file:///mnt/cams/260108/door-*"),
        ("raw/{day:%d %b %Y}", "raw/08 Jan 2026"),
    ],
)
def test_a_day_is_written_as_the_path_says_and_read_back_from_it(path, of_day):
    found = layout(path)
    assert found.paths_of(DAY) == (of_day,)
    for days in range(0, 800, 13):
        day = DAY + timedelta(days=days)
        (folder,) = found.paths_of(day)
        assert found.day_of(f"{folder.replace('*', 'x y')}/deeper/1.jpg") == day
        assert found.day_of(folder.replace("*", "x")) is None  # the folder itself


def test_an_image_of_another_place_or_of_two_days_has_no_day():
    found = layout("s3://cams/{day:%Y-%m-%d}/{day:%d}", "s3://cams/b/{day}")
    assert found.day_of("s3://cams/b/2026-01-08/1.jpg") == DAY
    assert found.day_of("s3://cams/2026-01-08/08/1.jpg") == DAY
    assert found.day_of("s3://cams/2026-01-08/09/1.jpg") is None
    assert found.day_of("s3://cams/c/2026-01-08/1.jpg") is None
    assert found.day_of("s3://cams/b/2026-13-08/1.jpg") is None
    assert found.day_of("s3://cams-b/2026-01-08/1.jpg") is None


@pytest.mark.parametrize(
    ("paths", "said"),
    [
        (["raw/images"], r"'raw/images' does not tell one day from every other: put \{day\}"),
        (["raw/{day:%m-%d}"], "does not tell one day"),
        (["raw/{day:%Y-%m}"], "does not tell one day"),
        (["raw/{day}", "raw/all"], "'raw/all' does not tell one day"),
        (["raw/{day}/../secret"], "without empty parts"),
        (["raw//{day}"], "without empty parts"),
        (["/raw/{day}"], r"a folder of this machine is file:///raw/\{day\}"),
        (["s3:/cams/{day}"], "an address has two slashes after its colon"),
        (
            ["gcs://cams/{day}"],
            "'gcs://cams/{day}': allowed are a path below the storage's root, file:///folder, s3://",
        ),
        (["https://cams.s3.amazonaws.com/{day}"], "allowed are a path below"),
        (["abfss://cams@acc.dfs.core.windows.net/{day}"], "allowed are a path below"),
        (["S3://cams/{day}"], "allowed are a path below"),
        (["file://mnt/{day}"], "allowed are a path below"),
        (["file:/mnt/{day}"], "an address has two slashes"),
        (["raw/{date}"], r"allowed in braces are \{day\}"),
        (["raw/{day}/{hour}"], r"allowed in braces are \{day\}"),
        (["raw/{day:}"], "has no format"),
        (["raw/{day:%Y/%m/%d/%H}"], r"a day has no hours; put \*"),
        (["raw/{day}/**"], r"\*\* is not needed"),
        (["*/{day}"], "first folder has one name"),
        (["s3://*/{day}"], "bucket, container or first folder has one name"),
        (["s3://cams-{day}/x"], "bucket, container or first folder has one name"),
        (["s3:///{day}"], "allowed are"),
        (["file:///cams/{day}", "file:///mnt/{day}"], "several buckets"),
        (["s3://a/{day}", "s3://b/{day}"], "several buckets"),
        (["raw/{day}", "s3://b/{day}"], "several buckets"),
        (["cats/incoming/{day}"], "a monitor's own; name it by its whole address"),
        (["shared/*/{day}"], "a monitor's own; name it by its whole address"),
        (["raw/{day:%F}"], "cannot be read back from 'raw/{day:%F}': allowed are %Y, %y, %m, %d and %j"),
        (["raw/{day:%m}/{day:%Y-%-m-%d}"], "cannot be read back"),
        ([], "at least 1 item"),
    ],
)
def test_a_path_that_names_no_days_folder_is_refused_with_what_is_allowed(paths, said):
    with pytest.raises(ValidationError, match=said):
        LayoutConfig.model_validate({"paths": paths})


@pytest.mark.parametrize(
    "path", ["gcs://cams/{day}.csv", "s3:/cams/{day}.csv", "/cams/{day}.csv", "file://cams/{day}.csv"]
)
def test_a_file_at_no_address_of_a_storage_is_refused_before_its_first_day(path):
    with pytest.raises(ValidationError, match="allowed are a path below the storage's root"):
        layout("raw/{day}", inventory={"path": path})


def test_a_storage_of_another_package_may_have_the_images(monkeypatch):
    tape = EntryPoint("tape", "none:Tape", "driftwatch.storages")
    monkeypatch.setattr(storage, "entry_points", lambda group, name: [tape] if name == "tape" else [])
    assert layout("tape://rack/{day}").paths == ("tape://rack/{day}",)


@pytest.mark.parametrize(
    "path",
    ["demo/{day}", "demo/days/*/{day}", "s3://own/root/demo/days/{day}", "s3://own/root/*/{day}", "s3://own/*/*/{day}"],
)
def test_images_lie_apart_from_what_the_monitor_writes(path):
    config = {**SMALLEST, "storage": {"uri": "s3://own/root"}, "images": {"layout": {"paths": path}}}
    with pytest.raises(ValidationError, match="where the monitor writes"):
        MonitorConfig.model_validate(config)


@pytest.mark.parametrize(
    "path", ["s3://own/root/{day}", "s3://own/{day}", "s3://own/*/{day}", "s3://own/raw/*/{day}", "raw/{day}"]
)
def test_images_may_lie_beside_the_monitors_folder(path):
    config = {**SMALLEST, "storage": {"uri": "s3://own/root"}, "images": {"layout": {"paths": path}}}
    assert MonitorConfig.model_validate(config).images.layout == layout(path)


def test_an_inventory_says_its_day_and_its_format_and_needs_no_day_in_the_paths():
    found = layout("s3://cams/prod", inventory={"path": "s3://cams/lists/{day}.csv.gz", "size": "bytes"})
    assert found.inventory is not None
    assert found.inventory.path_of(DAY) == "s3://cams/lists/2026-01-08.csv.gz"
    for path, said in (
        ("lists/all.csv", r"put \{day\}"),
        ("lists/{day}/*.csv", "one file of each day"),
        ("lists/{day}.txt", "does not tell its format"),
        ("{day}.csv", "needs a folder"),
        ("s3://cams/lists/{day}/manifest.xml", "does not tell its format"),
    ):
        with pytest.raises(ValidationError, match=said):
            layout("raw", inventory={"path": path})


def test_an_inventory_may_bear_a_later_day_than_the_images():
    found = layout("s3://cams/{day}", inventory={"path": "s3://lists/cams/{day}T01-00Z/manifest.json", "days_later": 1})
    assert found.inventory is not None
    assert found.inventory.path_of(date(2026, 2, 28)) == "s3://lists/cams/2026-03-01T01-00Z/manifest.json"
    assert found.paths_of(DAY) == ("s3://cams/2026-01-08",)
    for days in (-1, 8):
        with pytest.raises(ValidationError, match="days_later"):
            layout("s3://cams", inventory={"path": "lists/{day}.csv", "days_later": days})


def test_an_inventory_of_a_whole_bucket_needs_the_day_in_the_paths():
    with pytest.raises(ValidationError, match=r"'s3://cams/prod' does not tell one day from every other"):
        layout("s3://cams/prod", inventory={"path": "s3://lists/cams/{day}T01-00Z/manifest.json"})


@pytest.mark.parametrize(
    ("later", "hours", "waits", "allowed"),
    [
        (0, 0, 0, True),
        (1, 0, 0, False),
        (1, 1, 0, True),
        (2, 24, 0, False),
        (2, 25, 0, True),
        (2, 6, 18, False),
        (2, 6, 19, True),
    ],
)
def test_a_run_that_ends_its_wait_before_the_day_of_its_inventory_is_refused(later, hours, waits, allowed):
    path = "s3://lists/cams/{day}.csv"
    where = {"paths": "s3://cams/{day}", "inventory": {"path": path, "days_later": later}}
    schedule = {**SMALLEST["schedule"], "delivery_hours": hours}
    config = {**SMALLEST, "images": {"layout": where, "wait_hours": waits}, "schedule": schedule}
    if allowed:
        assert MonitorConfig.model_validate(config).schedule.delivery_hours == hours
    else:
        with pytest.raises(ValidationError, match=rf"days_later {later}: .* raise schedule\.delivery_hours"):
            MonitorConfig.model_validate(config)


def test_boxes_are_found_by_the_day_which_an_inventory_does_not_tell():
    config = {**SMALLEST, "images": {"layout": {"paths": "raw", "inventory": {"path": "lists/{day}.csv"}}}}
    config = {name: value for name, value in config.items() if name != "annotation"}
    with pytest.raises(ValidationError, match=r"labels\.blur finds an image's boxes by its day"):
        MonitorConfig.model_validate({**config, "labels": {"backend": "none", "blur": {"path": "boxes/{day}.csv"}}})


def test_the_wait_for_tables_counts_where_days_are_late_and_runs_too_short():
    config = {**SMALLEST, "labels": {"backend": "none"}, "images": {"wait_hours": 40}}
    config.pop("annotation")
    plain = MonitorConfig.model_validate({**config, "images": {}})
    assert MonitorConfig.model_validate(config).deadline_hours == plain.deadline_hours + 40
    with pytest.raises(ValidationError, match=r"day_timeout_hours 36 would fail .* 40 hours \(images\.wait_hours\)"):
        MonitorConfig.model_validate({**config, "execution": {"day_timeout_hours": 36}})


def test_a_day_may_wait_for_its_tables_and_then_for_people():
    config = {**SMALLEST, "images": {"wait_hours": 40}, "annotation": {**SMALLEST["annotation"], "expire_hours": 48}}
    both = r"day_timeout_hours 88 would fail .* 88 hours \(images\.wait_hours and labels\.expire_hours\)"
    with pytest.raises(ValidationError, match=both):
        MonitorConfig.model_validate({**config, "execution": {"day_timeout_hours": 88}})
    MonitorConfig.model_validate({**config, "execution": {"day_timeout_hours": 89}})
