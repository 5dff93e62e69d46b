"""The plan of a day's annotation: the same for the same day, within the limits, never naming a class to annotators."""

from __future__ import annotations

import hashlib
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pandas as pd
import pytest
from tests.stores import monitor_store

from driftwatch.artifacts.keys import MonitorKeys
from driftwatch.config import ExamConfig
from driftwatch.config.monitor_files import load_monitor
from driftwatch.errors import ChangedImage, DamagedArtifact, DriftwatchError
from driftwatch.labels.links import ImageLinks, ImageServer, sign
from driftwatch.labels.plan import OverBudget, cost_of, describe, images_for, plan_labelling, seeded_order
from driftwatch.storage import open_storage

DAY = date(2026, 11, 20)
NOW = datetime(2026, 11, 21, 6, tzinfo=timezone.utc)


@pytest.fixture
def monitor(root: Path):
    loaded = load_monitor(root / "include/monitors/cats_vs_dogs.yaml")
    return loaded.model_copy(
        update={"annotation": loaded.annotation.model_copy(update={"sample_size": 40, "control_tasks": 10})}
    )


@pytest.fixture
def storage(tmp_path, monitor):
    storage, layout = open_storage(f"file://{tmp_path}"), MonitorKeys(monitor.name)
    write_manifest(storage, layout, DAY, 100)
    known = pd.DataFrame(
        {
            "image_id": [f"known{number:03d}" for number in range(60)],
            "label": ["cat", "dog"] * 30,
            "split": ["train"] * 30 + ["evaluation"] * 30,
            "key": [f"m/training/{number}.jpg" for number in range(60)],
        }
    )
    storage.write_table(layout.training_set, known)
    for key in known["key"]:
        storage.write_bytes(key, b"a known picture")
    return storage


def write_manifest(storage, layout, day, images, order=1):
    rows = [(f"in/{number}.jpg", f"id{number:03d}", "accepted") for number in range(images)]
    rows += [("in/copy.jpg", "id000", "duplicate"), ("in/bad.jpg", "bad", "quarantined")]
    storage.write_table(layout.day(day).manifest, pd.DataFrame(rows[::order], columns=["key", "image_id", "status"]))


def plan(storage, monitor, day=DAY):
    return plan_labelling(monitor_store(storage, MonitorKeys(monitor.name), monitor), day, NOW)


def test_the_sample_is_random_by_day_and_the_same_in_any_row_order(storage, monitor):
    first = plan(storage, monitor)
    write_manifest(storage, MonitorKeys(monitor.name), DAY, 100, order=-1)
    assert plan(storage, monitor) == first
    other = date(2026, 11, 21)
    write_manifest(storage, MonitorKeys(monitor.name), other, 100)
    drawn, again = ({entry["image_id"] for entry in p["sample"]} for p in (first, plan(storage, monitor, other)))
    assert len(drawn) == len(again) == 40
    assert drawn != again


def test_only_accepted_images_are_sampled_once_each(storage, monitor):
    ids = [entry["image_id"] for entry in plan(storage, monitor)["sample"]]
    assert len(set(ids)) == len(ids)
    assert "bad" not in ids


def test_control_tasks_come_from_images_that_no_model_is_trained_on_with_classes_in_turn(storage, monitor):
    control = plan(storage, monitor)["control"]
    assert len(control) == 10
    assert all(int(entry["image_id"].removeprefix("known")) >= 30 for entry in control)
    assert sorted(entry["label"] for entry in control) == ["cat"] * 5 + ["dog"] * 5


def test_too_few_known_images_for_control_tasks_are_named(storage, monitor):
    layout = MonitorKeys(monitor.name)
    storage.write_table(layout.training_set, storage.read_table(layout.training_set).head(30))
    with pytest.raises(DriftwatchError, match=r"set\.parquet has 0 images outside its train split"):
        plan(storage, monitor)


def test_the_cost_counts_overlap_pages_and_fee(monitor):
    cost = cost_of(40, monitor.annotation)
    assert cost["pages"] == 5 * 3
    assert cost["total"] == pytest.approx(15 * 0.05 * 1.2)
    assert cost["control_share"] == 0.1


def test_a_day_above_its_limit_is_refused_before_anything_is_created(storage, monitor):
    poor = monitor.model_copy(update={"annotation": monitor.annotation.model_copy(update={"max_cost_per_day": 0.5})})
    with pytest.raises(OverBudget, match=r"would cost 0\.90 USD, above annotation\.max_cost_per_day 0\.50"):
        plan(storage, poor)


def test_the_month_counts_its_other_days_alone(storage, monitor):
    layout = MonitorKeys(monitor.name)
    for other, spent in ((date(2026, 11, 1), 4.0), (date(2026, 10, 31), 100.0)):
        storage.write_json(layout.day(other).annotation, {"state": "opened", "cost": {"total": spent}})
    tight = monitor.model_copy(update={"annotation": monitor.annotation.model_copy(update={"max_cost_per_month": 4.5})})
    with pytest.raises(OverBudget, match=r"would bring 2026-11 to 4\.90 USD"):
        plan(storage, tight)
    assert plan(storage, monitor)["cost"]["total"] == 0.9
    finished = {"state": "closed", "cost": {"total": 4.0}, "progress": {"spent": 0.1}}
    storage.write_json(layout.day(date(2026, 11, 1)).annotation, finished)
    assert plan(storage, tight)["cost"]["total"] == 0.9


def test_a_limit_that_is_reached_to_the_cent_is_kept_and_days_that_asked_nobody_cost_nothing(storage, monitor):
    layout = MonitorKeys(monitor.name)
    storage.write_json(layout.day(date(2026, 11, 1)).annotation, {"state": "opened", "cost": {"total": 4.0}})
    write_manifest(storage, layout, date(2026, 11, 2), 3)
    limits = {"max_cost_per_day": 0.9, "max_cost_per_month": 4.9}
    exact = monitor.model_copy(update={"annotation": monitor.annotation.model_copy(update=limits)})
    assert plan(storage, exact)["cost"]["total"] == 0.9
    for limit in limits:
        less = exact.annotation.model_copy(update={limit: limits[limit] - 0.01})
        with pytest.raises(OverBudget, match=rf"above annotation\.{limit} {limits[limit] - 0.01:.2f}"):
            plan(storage, exact.model_copy(update={"annotation": less}))


@pytest.mark.parametrize("tasks_per_page", [1, 2, 9])
def test_a_sum_buys_the_images_that_it_pays_for_and_not_one_more(monitor, tasks_per_page):
    settings = monitor.annotation.model_copy(update={"tasks_per_page": tasks_per_page})
    for usd in (0.0, 0.17, 0.18, 0.19, 1.0, 4.0):
        images = images_for(usd, settings)
        assert cost_of(images, settings)["total"] <= usd < cost_of(images + 1, settings)["total"]


@pytest.mark.parametrize("damaged", [[], {"state": "closed", "cost": {"total": 4.0}}, {"state": "opened", "cost": 4}])
def test_a_plan_of_the_month_that_does_not_say_what_it_cost_is_named(storage, monitor, damaged):
    storage.write_json(MonitorKeys(monitor.name).day(date(2026, 11, 1)).annotation, damaged)
    with pytest.raises(
        DamagedArtifact,
        match=r"days/2026-11-01/annotation\.json does not say what its labels cost.*delete it and clear",
    ):
        plan(storage, monitor)


def automatic(storage, monitor, **annotation):
    """The plan by `sample_size: auto`, for a model that had 88 % to 92 % on its holdout."""
    layout = MonitorKeys(monitor.name)
    storage.write_json(layout.day(DAY).ingest, {"model_version": "v1"})
    storage.write_json(layout.model_card("v1"), {"metrics": {"holdout": {"accuracy": {"low": 0.88}}}})
    update = {"sample_size": "auto", "interval_width": 0.3, **annotation}
    settings = monitor.model_copy(update={"annotation": monitor.annotation.model_copy(update=update)})
    return plan(storage, settings)


def test_auto_asks_for_what_the_width_needs(storage, monitor):
    small = automatic(storage, monitor, interval_width=0.2)
    assert small["sample_size"]["wanted"] == 42 == len(small["sample"])
    assert len(automatic(storage, monitor, interval_width=0.16)["sample"]) == 65


def test_auto_never_asks_for_fewer_than_a_verdict_needs(storage, monitor):
    found = automatic(storage, monitor, interval_width=0.5)
    assert found["sample_size"]["wanted"] < 30 == len(found["sample"])


def test_auto_stays_within_the_days_limit_and_its_part_of_what_is_left_of_the_month(storage, monitor):
    found = automatic(storage, monitor, interval_width=0.1, max_cost_per_day=0.55)
    assert (len(found["sample"]), found["cost"]["total"]) == (27, 0.54)  # three pages of nine for three people
    layout = MonitorKeys(monitor.name)
    storage.write_json(layout.day(date(2026, 11, 1)).annotation, {"state": "opened", "cost": {"total": 4.0}})
    found = automatic(
        storage, monitor, interval_width=0.1, max_cost_per_month=8.0
    )  # 4 USD for the 11 days from the 20th
    assert (len(found["sample"]), found["cost"]["total"]) == (18, 0.36)


def test_auto_without_money_for_a_single_image_is_refused(storage, monitor):
    with pytest.raises(OverBudget, match=r"above annotation\.max_cost_per_day 0\.10: .*nothing was created"):
        automatic(storage, monitor, max_cost_per_day=0.1)


def test_auto_counts_what_a_label_was_worth_on_the_days_before(storage, monitor):
    layout = MonitorKeys(monitor.name)
    before = {"model_version": "v1", "sampled": 100, "effective_labels": 80.0}
    storage.write_json(layout.day(date(2026, 11, 19)).performance, before)
    storage.write_json(
        layout.day(date(2026, 11, 18)).performance, {**before, "model_version": "v0", "effective_labels": 9.0}
    )
    found = automatic(storage, monitor, interval_width=0.2)
    assert (found["sample_size"]["worth"], len(found["sample"])) == (0.8, 53)  # 42 / .8


def test_a_recorded_plan_is_kept_whatever_the_settings_have_become(storage, monitor):
    layout = MonitorKeys(monitor.name)
    recorded = plan(storage, monitor)
    storage.write_json(layout.day(DAY).annotation, recorded)
    changed = monitor.model_copy(
        update={"annotation": monitor.annotation.model_copy(update={"sample_size": 5, "seed": 9})}
    )
    assert plan(storage, changed) == recorded


def test_a_recorded_plan_ends_as_it_says_only_once_its_pool_was_asked_for(storage, monitor):
    layout, later = MonitorKeys(monitor.name), NOW + timedelta(hours=200)
    annotation = monitor.annotation.model_copy(update={"exam": ExamConfig(tasks=4)})
    monitor = monitor.model_copy(update={"annotation": annotation})

    def planned(recorded, now):
        storage.write_json(layout.day(DAY).annotation, recorded)
        return plan_labelling(monitor_store(storage, layout, monitor), DAY, now)

    recorded = plan(storage, monitor)
    again = planned(recorded, later)
    for name, hours in (("expires", 48), ("links_expire", 52)):
        assert again.pop(name) == (later + timedelta(hours=hours)).isoformat()
    assert again.pop("exam") == {**recorded["exam"], "links_end": (later + timedelta(hours=167)).isoformat()}
    assert again.items() < recorded.items()
    for asked in ({"creations": {"pool": 1}}, {"pool_id": "7"}):
        assert planned({**recorded, **asked}, later) == {**recorded, **asked}


def test_a_plan_whose_images_are_gone_is_made_again_as_long_as_no_pool_was_asked_for(storage, monitor):
    layout, recorded = MonitorKeys(monitor.name), plan(storage, monitor)
    learnt = {"project_id": "p1", "state": "creating_exam", "creations": {"project": 1, "exam": 1}}
    storage.write_json(layout.day(DAY).annotation, {**recorded, **learnt})
    assert plan(storage, monitor) == {**recorded, **learnt}

    storage.delete(recorded["control"][0]["key"])
    again = plan(storage, monitor)
    assert again["sample"] == recorded["sample"]
    assert recorded["control"][0] not in again["control"]
    assert again.items() >= learnt.items()

    write_manifest(storage, layout, DAY, 20)  # the day was taken in again, with fewer images
    assert len(plan(storage, monitor)["sample"]) == 20
    storage.write_json(layout.day(DAY).annotation, {**recorded, "creations": {"pool": 1}})
    assert plan(storage, monitor)["sample"] == recorded["sample"]


def test_images_that_come_before_a_pool_was_asked_for_take_part_in_the_sample_and_later_ones_do_not(storage, monitor):
    layout, recorded = MonitorKeys(monitor.name), plan(storage, monitor)
    write_manifest(storage, layout, DAY, 200)
    drawn = plan(storage, monitor)["sample"]
    for asked, sample in (({}, drawn), ({"pool_id": "7"}, recorded["sample"])):
        storage.write_json(layout.day(DAY).annotation, {**recorded, **asked})
        assert plan(storage, monitor)["sample"] == sample
    assert len(drawn) == 40
    assert drawn != recorded["sample"]


def test_the_order_depends_on_salt_and_ids_alone():
    ids = [f"i{number}" for number in range(50)]
    assert seeded_order(ids, 1, "d") == seeded_order(reversed(ids), 1, "d")
    assert seeded_order(ids, 1, "d") != seeded_order(ids, 2, "d")


def test_a_link_ends_is_signed_and_tells_neither_the_images_class_nor_its_name(tmp_path):
    storage = open_storage(f"file://{tmp_path}")
    data = b"\xff\xd8\xffpicture"
    image_id = hashlib.sha256(data).hexdigest()
    storage.write_bytes("m/in/cat b'ü.HTML", data)
    links = ImageLinks(storage, "m/shown", NOW, NOW + timedelta(hours=1), ImageServer("http://h:1/", "s3cret"))
    expires = int((NOW + timedelta(hours=1)).timestamp())
    signature = sign(f"m/shown/{image_id}.jpg", expires, "s3cret")
    assert (
        links.link(image_id, "m/in/cat b'ü.HTML")
        == f"http://h:1/m/shown/{image_id}.jpg?expires={expires}&signature={signature}"
    )
    assert storage.read_bytes(f"m/shown/{image_id}.jpg") == data
    assert sign("k", 1, "s3cret") != sign("k", 1, "other")
    assert "s3cret" not in repr(links)


def test_a_file_that_was_replaced_is_left_out_of_the_sample_and_of_the_control_tasks_and_named(
    storage, monitor, caplog
):
    layout = MonitorKeys(monitor.name)
    whole = plan(storage, monitor)
    replaced = {whole["sample"][0]["image_id"], whole["sample"][7]["image_id"], whole["control"][3]["image_id"]}
    found = plan_labelling(
        monitor_store(storage, layout, monitor), DAY, NOW, lambda image_id, key: image_id not in replaced
    )
    assert len(found["sample"]) == 40
    assert {entry["image_id"] for entry in found["changed"]} == replaced & {e["image_id"] for e in whole["sample"]}
    assert not replaced & {entry["image_id"] for entry in [*found["sample"], *found["control"]]}
    assert "2 images are left out of the sample" in caplog.text
    assert "40 images (2 left out, their files have changed since)" in describe(found, monitor)
    assert "changed" not in whole
    with pytest.raises(ChangedImage, match=r"none of 100 images can be shown.*clear ingest_images"):
        plan_labelling(monitor_store(storage, layout, monitor), DAY, NOW, lambda image_id, key: "known" in image_id)


def test_file_storage_without_an_image_server_says_what_to_set(tmp_path):
    with pytest.raises(DriftwatchError, match=r"annotation\.image_links"):
        ImageLinks(open_storage(f"file://{tmp_path}"), "m/shown", NOW, NOW).link("id1", "a.jpg")
