"""Whether the images can be read where `images.layout` leads, by the account that has to."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from tests.elsewhere import read_only, store_of

from driftwatch.config.blur import BlurConfig
from driftwatch.doctor.images import boxes_findings, formats_finding, images_finding
from driftwatch.doctor.results import Said
from driftwatch.doctor.services import named_connections
from driftwatch.storage import Storage, errors, open_storage

from .test_storage_rights import site as plain_site


def finding(own: Storage, layout: dict[str, Any], elsewhere: Any) -> Any:
    from dataclasses import replace

    store = store_of(own, layout, elsewhere)
    return images_finding(replace(plain_site(own), monitor=store.config, store=lambda: store))


@pytest.mark.parametrize("path", ["prod/{day}", "*/{day}", "{day}", "prod/dt={day}/hour=*"])
def test_an_object_below_the_fixed_folder_is_listed_and_read(s3_storage, s3_login, s3, path, tmp_path):
    own, uri = open_storage(f"file://{tmp_path}"), s3_storage.uri
    layout = {"paths": f"{uri}/{path}"}
    empty = finding(own, layout, lambda uri: read_only(uri, s3_login))
    assert (empty.state, empty.facts) == (
        "look",
        Said(f"nothing lies below {s3_storage.uri}{'/prod' if path.startswith('prod/') else ''} yet"),
    )
    s3_storage.write_bytes("prod/2026-01-01/a.jpg", b"x")
    found = finding(own, layout, lambda uri: read_only(uri, s3_login))
    assert (found.state, found.facts) == ("ok", Said(f"{uri}/{path}"))
    s3.plan("AccessDenied", "a.jpg", method="GET")
    refused = finding(own, layout, lambda uri: read_only(uri, s3_login))
    assert refused.state == "wrong"
    assert f"may not read {uri}/prod/2026-01-01/a.jpg" in str(refused.problem)


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


@pytest.mark.parametrize("marker", ["_SUCCESS", "2026-01-01/"])
def test_an_empty_object_that_stands_first_is_not_read(s3_storage, s3_login, s3_server, tmp_path, marker):
    import boto3

    client = boto3.client(
        "s3", "us-east-1", endpoint_url=s3_server[1], aws_access_key_id="k", aws_secret_access_key="s"
    )
    bucket, prefix = s3_storage.root.split("/")
    own, layout = open_storage(f"file://{tmp_path}"), {"paths": f"{s3_storage.uri}/prod/{{day}}"}
    client.put_object(Bucket=bucket, Key=f"{prefix}/prod/{marker}", Body=b"")
    assert finding(own, layout, lambda uri: read_only(uri, s3_login)).state == "ok"
    s3_storage.write_bytes("prod/2026-01-01/a.jpg", b"x")
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


def test_the_tables_of_what_is_covered_are_read(tmp_path):
    from dataclasses import replace

    own = open_storage(f"file://{tmp_path}")
    store = store_of(own, {"paths": "raw/{day}"})
    blur = BlurConfig(path="boxes/{day}.csv", training="boxes/training.csv")
    config = store.config.model_copy(update={"labels": store.config.labels.model_copy(update={"blur": blur})})
    store = replace(store, config=config)
    site = replace(plain_site(own), monitor=config, store=lambda: store)
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
