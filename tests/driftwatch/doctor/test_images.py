"""Whether the images can be read where `images.layout` leads, by the account that has to."""

from __future__ import annotations

import time
from datetime import date, datetime, timedelta, timezone
from typing import Any

import pytest
from tests.elsewhere import read_only, store_of

from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.blur import BlurConfig
from driftwatch.doctor.images import boxes_findings, formats_finding, images_finding
from driftwatch.doctor.results import Said
from driftwatch.doctor.services import named_connections
from driftwatch.doctor.site import Site
from driftwatch.images import table_file
from driftwatch.storage import Storage, errors, open_storage

from .test_storage_rights import site as plain_site


def finding(own: Storage, layout: dict[str, Any], elsewhere: Any) -> Any:
    from dataclasses import replace

    store = store_of(own, layout, elsewhere)
    return images_finding(replace(plain_site(own), monitor=store.config, store=lambda: store))


YESTERDAY = (datetime.now(timezone.utc) - timedelta(days=1)).date()


@pytest.mark.parametrize(
    ("path", "example"),
    [
        ("prod/{day}", f"prod/{YESTERDAY}"),
        ("*/{day}", f"*/{YESTERDAY}"),
        ("{day}", f"{YESTERDAY}"),
        ("prod/dt={day}/hour=*", f"prod/dt={YESTERDAY}/hour=*"),
    ],
)
def test_an_object_of_a_last_day_is_listed_and_read(s3_storage, s3_login, s3, path, example, tmp_path):
    own, uri = open_storage(f"file://{tmp_path}"), s3_storage.uri
    layout = {"paths": f"{uri}/{path}"}
    s3_storage.write_bytes("prod/2020-01-01/a.jpg", b"x")  # another day is none of the last
    s3_storage.write_bytes(f"prod/{YESTERDAY:%d.%m.%Y}/a.jpg", b"x")
    empty = finding(own, layout, lambda uri: read_only(uri, s3_login))
    said = f"{uri}/{example} has no object, and so it is with all 7 days that were looked at: correct images.layout.paths, or wait for images"
    assert (empty.state, empty.facts) == ("look", Said(said))
    key = f"{example.replace('hour=*', 'hour=03').replace('*', 'door-1')}/a.jpg".replace(str(YESTERDAY), str(YESTERDAY - timedelta(days=5)))  # fmt: skip
    s3_storage.write_bytes(key, b"x")
    found = finding(own, layout, lambda uri: read_only(uri, s3_login))
    assert (found.state, found.facts) == ("ok", Said(f"{uri}/{path}"))
    s3.plan("AccessDenied", "a.jpg", method="GET")
    refused = finding(own, layout, lambda uri: read_only(uri, s3_login))
    assert refused.state == "wrong"
    assert f"may not read {uri}/{key}" in str(refused.problem)


def test_the_last_day_that_was_taken_in_counts_however_old_it_is(tmp_path):
    own = open_storage(f"file://{tmp_path}")
    own.write_bytes("raw/2026-01-08/a.jpg", b"x")
    assert finding(own, {"paths": "raw/{day}"}, None).state == "look"
    own.write_json(store_of(own, {"paths": "raw/{day}"}).keys.day(date(2026, 1, 8)).ingest, {})
    assert finding(own, {"paths": "raw/{day}"}, None).state == "ok"


def test_folders_without_the_day_are_not_all_listed(tmp_path, monkeypatch):
    own = open_storage(f"file://{tmp_path}")
    for number in range(200):
        own.write_bytes(f"raw/cams/{number:03d}/old/a.jpg", b"x")
    asked = []
    below = type(own).any_below
    monkeypatch.setattr(type(own), "any_below", lambda self, prefix: asked.append(prefix) or below(self, prefix))
    assert finding(own, {"paths": "raw/cams/*/{day}"}, None).state == "look"
    assert len(asked) == 7 * 49


def test_the_file_that_names_the_images_is_read(tmp_path):
    own = open_storage(f"file://{tmp_path}")
    layout = {"paths": "raw/{day}", "inventory": {"path": "lists/{day}.csv"}}
    missing = finding(own, layout, None)
    assert missing.state == "look"
    assert f"lists/{YESTERDAY}.csv is not there, or names nothing, and so it is with all 7 days" in missing.facts.text
    assert "correct images.layout.inventory.path" in missing.facts.text
    own.write_bytes(f"lists/{YESTERDAY}.csv", b"name\na.jpg\n")
    wrong = finding(own, layout, None)
    assert wrong.state == "wrong"
    assert "has no 'key'; it has ['name']" in str(wrong.problem)
    own.write_bytes(f"lists/{YESTERDAY}.csv", b"key,bytes\na.jpg,1\n")
    own.write_bytes(f"raw/{YESTERDAY}/a.jpg", b"x")
    assert finding(own, layout, None).state == "ok"


def test_a_place_that_is_not_there_is_wrong(s3_login, tmp_path, monkeypatch):
    monkeypatch.setattr(errors, "PAUSES", ())
    found = finding(
        open_storage(f"file://{tmp_path}"), {"paths": "s3://none-such/{day}"}, lambda uri: read_only(uri, s3_login)
    )
    assert found.state == "wrong"
    assert "there is no such bucket" in str(found.problem)


def test_the_layouts_connection_is_one_that_the_monitor_needs(tmp_path):
    own = open_storage(f"file://{tmp_path}")
    for paths, wanted in (
        ("s3://cams/{day}", [("images.layout.connection", "cams")]),
        ("file:///cams/{day}", []),
        ("raw/{day}", []),
    ):
        config = store_of(own, {"paths": paths, "connection": "cams"}).config
        found = [item for item in named_connections(config) if item[0].startswith("images")]
        assert found == wanted


@pytest.mark.parametrize("marker", ["_SUCCESS", ""])
def test_an_empty_object_that_stands_first_is_not_read(s3_storage, s3_login, s3_server, tmp_path, marker):
    import boto3

    client = boto3.client(
        "s3", "us-east-1", endpoint_url=s3_server[1], aws_access_key_id="k", aws_secret_access_key="s"
    )
    bucket, prefix = s3_storage.root.split("/")
    own, layout = open_storage(f"file://{tmp_path}"), {"paths": f"{s3_storage.uri}/prod/{{day}}"}
    client.put_object(Bucket=bucket, Key=f"{prefix}/prod/{YESTERDAY}/{marker}", Body=b"")
    assert finding(own, layout, lambda uri: read_only(uri, s3_login)).state == "ok"
    s3_storage.write_bytes(f"prod/{YESTERDAY}/a.jpg", b"x")
    assert finding(own, layout, lambda uri: read_only(uri, s3_login)).state == "ok"


def test_a_format_whose_decoder_is_missing_is_told_before_a_day_is_lost(tmp_path, monkeypatch):
    from dataclasses import replace

    store = store_of(open_storage(f"file://{tmp_path}"), {"paths": "raw/{day}"})
    images = store.config.images.model_copy(update={"formats": ("jpeg", "heic", "avif")})
    config = store.config.model_copy(update={"images": images})
    site = replace(plain_site(store.storage), monitor=config)
    monkeypatch.setattr("driftwatch.images.heic.heic_unread", lambda: "")
    assert formats_finding(site).facts == Said("jpeg, heic, avif")
    monkeypatch.setattr("driftwatch.images.heic.heic_unread", lambda: "which needs pillow-heif")
    found = formats_finding(site)
    assert (found.state, str(found.problem)) == ("wrong", "images.formats has heic, which needs pillow-heif")


def covered_site(own: Storage, **images: Any) -> tuple[MonitorStore, Site]:
    from dataclasses import replace

    store = store_of(own, {"paths": "raw/{day}"})
    blur = BlurConfig(path="boxes/{day}.csv", training="boxes/training.csv")
    labels = store.config.labels.model_copy(update={"blur": blur})
    update = {"labels": labels, "images": store.config.images.model_copy(update=images)}
    store = replace(store, config=store.config.model_copy(update=update))
    return store, replace(plain_site(own), monitor=store.config, store=lambda: store)


def test_the_doctor_waits_for_no_table_and_calls_none_wrong_that_a_day_waits_for(tmp_path, monkeypatch):
    """The day itself would wait in the task for up to five hours, as these settings say."""
    own = open_storage(f"file://{tmp_path}")
    store, site = covered_site(own, wait_hours=12, settle_seconds=3600)
    monkeypatch.setattr(table_file, "_age", lambda storage, key: (at := storage.modified(key)) and time.time() - at)
    monkeypatch.setattr(table_file.time, "sleep", lambda _: pytest.fail("the doctor waits"))
    own.write_json(store.keys.day(date(2026, 1, 8)).ingest, {})
    own.write_bytes("boxes/training.csv", b"key,x,y,width,height\n")
    of_day, of_training = boxes_findings(site)
    assert (of_day.state, of_training.state) == ("look", "look")
    assert "boxes/2026-01-08.csv is not there" in of_day.facts.text
    assert "may still be written to: look again in 3600 s" in of_training.facts.text
    own.delete("boxes/training.csv")
    assert [found.state for found in boxes_findings(site)] == ["look", "wrong"]


def test_the_tables_of_what_is_covered_are_read(tmp_path):
    own = open_storage(f"file://{tmp_path}")
    store, site = covered_site(own)
    assert [found.state for found in boxes_findings(site)] == ["not_checked", "wrong"]
    own.write_json(store.keys.day(date(2026, 1, 8)).ingest, {})
    header = b"key,x,y,width,height\n"
    own.write_bytes("boxes/training.csv", header)
    own.write_bytes("boxes/2026-01-08.csv", b"key,left\n")
    of_day, of_training = boxes_findings(site)
    assert (of_day.state, of_day.about, of_training.state) == ("wrong", "of 2026-01-08", "ok")
    assert "boxes/2026-01-08.csv" in str(of_day.problem)
    own.write_bytes("boxes/2026-01-08.csv", header)
    assert [found.state for found in boxes_findings(site)] == ["ok", "ok"]


def test_who_may_list_the_images_folder_alone_is_well(s3_storage, s3_login, s3, tmp_path):
    """As a policy with a condition on `s3:prefix` says: the bucket itself is not asked."""
    own, uri = open_storage(f"file://{tmp_path}"), s3_storage.uri
    s3_storage.write_bytes(f"prod/{YESTERDAY}/a.jpg", b"x")
    s3.asked.clear()
    assert finding(own, {"paths": f"{uri}/prod/{{day}}"}, lambda uri: read_only(uri, s3_login)).state == "ok"
    listed = [asked for asked in s3.asked if "list-type" in asked]
    assert listed
    assert all(f"prod/{YESTERDAY}" in asked for asked in listed)


def test_the_first_object_that_a_file_names_is_read_though_its_size_is_not_told(s3_storage, s3_login, s3, tmp_path):
    own, uri = open_storage(f"file://{tmp_path}"), s3_storage.uri
    layout = {"paths": f"{uri}/prod", "inventory": {"path": "lists/{day}.csv"}}
    own.write_bytes(f"lists/{YESTERDAY}.csv", b"key\na.jpg\n")
    gone = finding(own, layout, lambda uri: read_only(uri, s3_login))
    assert gone.state == "wrong"
    assert f"lists/{YESTERDAY}.csv names {uri}/prod/a.jpg, which is not there" in str(gone.problem)
    s3_storage.write_bytes("prod/a.jpg", b"x")
    assert finding(own, layout, lambda uri: read_only(uri, s3_login)).state == "ok"
    s3.plan("AccessDenied", "a.jpg", method="GET")
    refused = finding(own, layout, lambda uri: read_only(uri, s3_login))
    assert refused.state == "wrong"
    assert f"may not read {uri}/prod/a.jpg" in str(refused.problem)
