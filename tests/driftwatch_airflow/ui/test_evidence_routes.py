"""Evidence in pictures over HTTP: who may see it, what an image's address may be, and what is said where a file is gone."""

from __future__ import annotations

import base64
import os
import re
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
import yaml
from tests import covered_images, evidence_days
from tests.driftwatch.artifacts import samples
from tests.evidence_days import CHANGED, USUAL, write_days, write_labels

from driftwatch.artifacts.day_map import DayMap, MapPoints
from driftwatch.artifacts.drift import DayDrift
from driftwatch.artifacts.nested_keys import file_name
from driftwatch.artifacts.segments import SegmentDrift
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config.loader import load_monitor
from driftwatch.storage import open_storage
from driftwatch.view.pair_pictures import in_report
from driftwatch.view.pictures import examples as pictures_of
from driftwatch.view.report.facts import gather
from driftwatch_airflow.ui import airflow_state


@pytest.fixture
def store(tmp_path: Path, client: Any) -> MonitorStore:
    """What the monitor `ours` left. `theirs` has the same days."""
    found = {}
    for name in ("ours", "theirs"):
        config = load_monitor(tmp_path / f"{name}.yaml")
        found[name] = MonitorStore(open_storage(config.storage.uri), config)
        write_days(found[name])
        write_labels(found[name].day(CHANGED))
    return found["ours"]


def image_of(store: MonitorStore, place: int = 0) -> tuple[str, str]:
    """An image of the changed day: its id, and its key."""
    row = store.storage.read_table(store.keys.day(CHANGED).manifest).iloc[place]
    return str(row["image_id"]), str(row["key"])


def test_the_day_s_pairs_open_their_images_and_are_narrowed_down_by_the_address(
    client: Any, store: MonitorStore
) -> None:
    page = client.get(f"/m/ours/days/{CHANGED}/evidence")
    assert page.status_code == 200
    assert "20 images, the most changed first." in page.text
    assert f"/m/ours/images/{CHANGED}/{image_of(store)[0][:5]}" in client.get(f"/m/ours/days/{CHANGED}/evidence?page=1").text + client.get(f"/m/ours/days/{CHANGED}/evidence?page=2").text  # fmt: skip
    assert f"/m/ours/images/{USUAL}/" in page.text
    assert "2 images, " in client.get(f"/m/ours/days/{CHANGED}/evidence?answer=wrong").text
    assert "No image of the day fits" in client.get(f"/m/ours/days/{CHANGED}/evidence?segment=camera%3D%3Cb%3E").text
    assert client.get(f"/m/ours/days/{CHANGED}/evidence?page=0").status_code == 400


def test_without_a_choice_the_page_shows_the_segment_that_changed(client: Any, store: MonitorStore) -> None:
    day = store.day(CHANGED)
    changed = SegmentDrift(by="camera", name="door-2", images=10, status="drifted")
    day.write(day.read(DayDrift).model_copy(update={"whole": "ok", "segments": (changed,)}))
    first, everything = (client.get(f"/m/ours/days/{CHANGED}/evidence{query}").text for query in ("", "?segment="))
    assert "10 images, " in first
    assert re.search(r'<option value="camera=door-2" selected>', first)
    assert "20 images, " in everything


def test_an_image_is_served_as_it_was_taken_in_and_as_nothing_else(client: Any, store: MonitorStore) -> None:
    image_id, key = image_of(store)
    there = f"/m/ours/images/{CHANGED}/{image_id}"
    original = client.get(f"{there}/original")
    assert original.content == store.storage.read_bytes(key)
    assert original.headers["content-type"] == "image/jpeg"
    assert original.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in original.headers["content-security-policy"]
    assert client.get(f"{there}/view.jpg").headers["content-type"] == "image/jpeg"
    page = client.get(f"{there}/").text
    assert all(words in page for words in ("brightness", "outside", "90 %", "s votes", "door-1"))


def test_who_may_not_read_the_dag_gets_no_page_and_no_picture(client: Any, store: MonitorStore) -> None:
    image_id, _ = image_of(store)
    for address in (f"days/{CHANGED}/evidence", f"days/{CHANGED}/people", *(f"images/{CHANGED}/{image_id}/{what}" for what in ("", "view.jpg", "original"))):  # fmt: skip
        assert client.get(f"/m/theirs/{address}").status_code == 403, address
        assert client.get(f"/m/ours/{address}").status_code == 200, address


@pytest.mark.parametrize(
    "address",
    [
        "images/2026-01-06/../../../secret/original",
        "images/2026-01-06/%2e%2e%2f%2e%2e%2fsecret/original",
        "images/..%2f..%2fincoming/{id}/original",
        "images/2026-1-6/{id}/original",
        "images/training/{id}/original",
        "images/2026-01-05/{id}/original",
        "images/2026-01-06/{other}/original",
        "images/2026-01-06/ABC/view.jpg",
    ],
)
def test_no_address_leads_out_of_the_day_s_images(client: Any, store: MonitorStore, address: str) -> None:
    image_id, _ = image_of(store)
    answer = client.get("/m/ours/" + address.format(id=image_id, other="0" * 64))
    assert answer.status_code == 404, answer.text


def test_a_manifest_that_names_a_file_elsewhere_gives_none(client: Any, store: MonitorStore, tmp_path: Path) -> None:
    """A link to a file outside of the folder where images are left, and a file that was replaced."""
    (tmp_path / "secret.jpg").write_bytes(b"\xff\xd8 secret")
    linked, key = image_of(store, 0)
    path = store.storage.local_path(key)
    assert path
    path.unlink()
    os.symlink(tmp_path / "secret.jpg", path)
    replaced, other = image_of(store, 1)
    store.storage.write_bytes(other, b"\xff\xd8 something else")
    for image_id in (linked, replaced):
        answer = client.get(f"/m/ours/images/{CHANGED}/{image_id}/original")
        assert answer.status_code == 404
        assert "is no longer the image" in answer.text
        assert "secret" not in answer.text


def test_where_the_file_is_gone_the_page_says_why_and_shows_the_rest(client: Any, store: MonitorStore) -> None:
    image_id, key = image_of(store)
    store.storage.delete(key)
    page = client.get(f"/m/ours/images/{CHANGED}/{image_id}/")
    assert page.status_code == 200
    assert "The file itself cannot be shown" in page.text
    assert "brightness" in page.text
    assert (
        client.get(f"/m/ours/images/{CHANGED}/{image_id}/view.jpg").status_code == 404
    )  # these days have no stored inputs
    assert client.get(f"/m/ours/days/{CHANGED}/evidence").status_code == 200


def test_where_another_bucket_cannot_be_read_the_rest_of_the_page_stands(
    client: Any, store: MonitorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of a monitor whose images lay there before: it was a page of an error alone."""
    keys = store.keys.day(CHANGED)
    manifest: pd.DataFrame = store.storage.read_table(keys.manifest)
    manifest["key"] = [f"tape://cams/{number}.jpg" for number in range(len(manifest))]
    store.storage.write_table(keys.manifest, manifest)
    image_id = str(manifest["image_id"][0])
    page = client.get(f"/m/ours/images/{CHANGED}/{image_id}/")
    assert page.status_code == 200
    assert "The file itself cannot be shown: " in page.text
    assert "tape://" in page.text
    assert "brightness" in page.text
    picture = f"/m/ours/images/{CHANGED}/{image_id}/view.jpg"
    nothing = client.get(picture)
    assert nothing.status_code == 404
    assert "tape://" in nothing.text
    assert "is gone" not in nothing.text
    monkeypatch.setattr("driftwatch_airflow.ui.evidence_routes.thumbnail_of", lambda *_: b"what the model was given")
    given = client.get(picture)
    assert (given.status_code, given.headers["Cache-Control"]) == (200, "no-store")  # its file may be read again


def test_what_is_not_stored_yet_is_said(client: Any, store: MonitorStore) -> None:
    assert "were not profiled yet" in client.get("/m/ours/days/2026-02-01/evidence").text
    assert "No labels of 2026-01-05 are stored" in client.get(f"/m/ours/days/{USUAL}/people").text


def test_people_s_disagreements_are_shown_with_their_votes(client: Any, store: MonitorStore) -> None:
    page = client.get(f"/m/ours/days/{CHANGED}/people").text
    assert all(words in page for words in ("Ties: 1", "Unclear: 1", "All people against the model: 2"))


def test_names_from_outside_are_shown_as_text(client: Any, store: MonitorStore) -> None:
    keys = store.keys.day(CHANGED)
    manifest: pd.DataFrame = store.storage.read_table(keys.manifest)
    hostile = manifest.assign(key=[f"{keys.incoming}/<img src=x onerror=alert({n})>.jpg" for n in range(len(manifest))])
    hostile["segment.camera"] = '"><script>alert(1)</script>'
    store.storage.write_table(keys.manifest, hostile)
    image_id = str(hostile["image_id"][0])
    for address in (f"days/{CHANGED}/evidence", f"images/{CHANGED}/{image_id}/", f"days/{CHANGED}/people"):
        page = client.get(f"/m/ours/{address}").text
        assert "<script>alert" not in page
        assert "<img src=x" not in page


def test_the_map_s_points_are_those_of_the_artifact_with_what_was_said_of_each(
    client: Any, store: MonitorStore
) -> None:
    address = f"/m/ours/days/{CHANGED}/map"
    assert client.get(address).status_code == client.get(f"{address}.json").status_code == 404
    day = store.day(CHANGED)
    ids = store.storage.read_table(day.keys.manifest)["image_id"].tolist()
    here = MapPoints(images=tuple(ids), x=tuple(float(n) for n in range(len(ids))), y=(0.5,) * len(ids))
    usual = MapPoints(images=("", "ab" * 32), x=(0.0, 1.0), y=(0.0, 1.0))
    written = DayMap(
        day=CHANGED, reference_version="v1", shares=(0.4, 0.2), of_day=here, of_reference=usual, images=len(ids)
    )
    day.write(written)
    found = client.get(f"{address}.json").json()
    assert [found["of_day"][name] for name in ("images", "x", "y")] == [list(here.images), list(here.x), list(here.y)]
    assert found["of_reference"]["images"] == ["", "ab" * 32]
    predictions = store.storage.read_table(day.keys.predictions).set_index("image_id")["prediction"]
    assert found["of_day"]["told"]["predicted class"] == predictions[ids].tolist()
    assert found["of_day"]["told"]["right or wrong"][:4] == ["wrong", "wrong", "", ""]
    assert found["of_day"]["told"]["camera"][:2] == ["door-1", "door-2"]
    page = client.get(address).text
    assert "40 % and 20 % of all differences" in page
    assert page.count("/view.jpg") == 12
    assert ids[-1] in page  # the furthest one
    assert client.get(address.replace("ours", "theirs")).status_code == 403


def test_a_hundred_classes_with_long_names_can_be_looked_through(
    client: Any, store: MonitorStore, tmp_path: Path
) -> None:
    raw = yaml.safe_load((tmp_path / "ours.yaml").read_text())
    raw["classes"] = [f"a class with quite a long name, number {number}" for number in range(100)]
    (tmp_path / "ours.yaml").write_text(yaml.safe_dump(raw))
    many = MonitorStore(store.storage, load_monitor(tmp_path / "ours.yaml"))
    write_days(many)
    write_labels(many.day(CHANGED))
    image_id, _ = image_of(many)
    page = client.get(f"/m/ours/images/{CHANGED}/{image_id}/").text
    assert "94 more classes, each with no higher score." in page
    assert client.get(f"/m/ours/days/{CHANGED}/people").status_code == 200
    answered = raw["classes"][3].replace(" ", "%20")
    assert "2 images, " in client.get(f"/m/ours/days/{CHANGED}/evidence?class={answered}").text


def test_no_page_and_no_report_shows_what_is_to_be_covered(
    client: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """`labels.blur`: thumbnails, large pictures, the original through the page, the report's examples and pairs, the reference."""
    raw = yaml.safe_load((tmp_path / "ours.yaml").read_text())
    raw["labels"]["blur"] = {"path": covered_images.TABLE, "training": "hide"}
    raw["labels"] |= {"control_tasks": 0, "exam": None, "backend": "label_studio"}
    for name in ("exam", "languages", "acceptance", "accept_after_days", "reward_per_page", "fee_share", "tasks_per_page", "control_tasks_per_page", "page_seconds"):  # fmt: skip
        raw["labels"].pop(name, None)
    (tmp_path / "ours.yaml").write_text(yaml.safe_dump(raw))
    numbers = iter(range(1000))
    monkeypatch.setattr(
        evidence_days, "jpeg_of", lambda random, light: covered_images.file_of(covered_images.upright(next(numbers)), 6)
    )
    config = load_monitor(tmp_path / "ours.yaml")
    store = MonitorStore(open_storage(config.storage.uri), config)
    write_days(store)
    day = store.day(CHANGED)
    write_labels(day)
    rows = store.storage.read_table(day.keys.manifest)
    names = rows["key"].str.removeprefix(f"{day.keys.incoming}/")
    for of in (day, store.day(USUAL)):
        covered_images.write_boxes(of, *map(covered_images.row, names[1:]))
    hidden = str(rows["image_id"].iloc[0])
    for image_id, key in zip(rows["image_id"], rows["key"], strict=True):
        there = f"/m/ours/images/{CHANGED}/{image_id}"
        pictures = [f"{there}/view.jpg", f"{there}/original", f"/m/ours/days/{CHANGED}/images/{image_id}.jpg"]
        answers = [client.get(address) for address in pictures]
        if image_id == hidden:
            assert [answer.status_code for answer in answers] == [404, 404, 404]
            assert all("shown to nobody" in answer.text or "lets nobody see it" in answer.text for answer in answers)
            assert "is shown to nobody" in client.get(f"{there}/").text
            continue
        for answer in answers:
            assert answer.status_code == 200, answer.url
            assert covered_images.vivid(answer.content) == 0, answer.url
        assert covered_images.vivid(store.storage.read_bytes(key)) > 1500

    store.storage.write_json(day.keys.ingest, {**samples.INGEST, "day": str(CHANGED)})
    typical = tuple(rows["image_id"])
    day.write(day.read(DayDrift).model_copy(update={"examples": typical[:6]}))
    examples = pictures_of(day, gather(day))
    assert len(examples["drifted"]) == 5  # all but the hidden one
    assert {file_name(key) for key in rows["key"][1:6]} == {picture.name for picture in examples["drifted"]}
    assert examples["disagreements"]
    assert examples["reference"] == []
    drawn = [
        picture for pair in in_report(day, day.read(DayDrift)) for picture in (pair.changed, pair.usual) if picture
    ]
    assert drawn
    for picture in (*drawn, *(each for group in examples.values() for each in group)):
        assert covered_images.vivid(base64.b64decode(picture.src.partition(",")[2])) == 0


def test_a_changed_day_whose_features_are_damaged_has_its_page_and_they_are_named(
    client: Any, store: MonitorStore, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(airflow_state, "runs_of_day", lambda session, config, day: [])
    key = store.day(CHANGED).keys.features
    store.storage.write_json(store.day(CHANGED).keys.ingest, {**samples.INGEST, "day": str(CHANGED)})
    store.storage.write_bytes(key, b"{broken")
    answer = client.get(f"/m/ours/days/{CHANGED}/")
    assert answer.status_code == 200
    assert f"{key} is no whole parquet table" in answer.text
