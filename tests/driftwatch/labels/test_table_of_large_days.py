"""Labels from a table of a day that is judged by a sample: those of the sample are taken in, every row is accounted for, and nothing of the whole
day is held."""

from __future__ import annotations

import pandas as pd
import pytest
from tests.driftwatch.artifacts import samples
from tests.driftwatch.labels.table_days import DAY, SOON, answered_day, by_table, files_of, outside, put_csv, rows_of

from driftwatch.accuracy.evaluate import evaluate_day
from driftwatch.artifacts.label_table import LabelTable
from driftwatch.artifacts.store import DayStore
from driftwatch.images import judged
from driftwatch.images.features import COLUMNS
from driftwatch.images.judged import JudgedImages, keeping_answers
from driftwatch.labels.table import read_labels, write_labels
from driftwatch.models.metrics import share
from driftwatch.view.label_table import table_rows
from driftwatch.view.verdicts import reasons

MOST = 20


@pytest.fixture
def day(tmp_path, monkeypatch) -> DayStore:
    """A day of sixty images that is judged by twenty; a copy of each of two images, and a quarantined file."""
    found = answered_day(by_table(f"file://{tmp_path}"))
    storage, keys = found.storage, found.keys
    manifest = storage.read_table(keys.manifest)
    images = manifest[manifest["status"] == "accepted"].sort_values("image_id")
    copies = images.iloc[[0, -1]].assign(
        status="duplicate", key=[f"{keys.incoming}/{name}.jpg" for name in ("dog.first", "dog.last")]
    )
    bad = images.iloc[[1]].assign(status="quarantined", image_id="f" * 64, key=f"{keys.incoming}/dog.bad.jpg")
    storage.write_table(keys.manifest, pd.concat([manifest, copies, bad], ignore_index=True))
    monkeypatch.setattr(judged, "MOST", MOST)
    sample = JudgedImages()
    sample.add(storage.read_arrow(keys.manifest), storage.read_arrow(keys.features).select(["image_id", *COLUMNS]))
    storage.write_json(
        keys.ingest,
        samples.INGEST | {"day": str(DAY), "accepted": 60, "model_version": "v1", "judged": sample.write(found)},
    )  # fmt: skip
    answers = storage.read_arrow(keys.predictions)
    with keeping_answers(found, answers.schema, None) as kept:
        kept.add_table(answers)
    return found


def by_settings(day: DayStore, labels=None, **table) -> DayStore:
    return day.with_config(by_table(day.config.storage.uri, labels, **table))


def read(day: DayStore):
    return read_labels(day, outside(day.config), SOON)


def sampled(day: DayStore) -> list[str]:
    return sorted(day.storage.read_table(day.keys.judged)["image_id"])


def everything(day: DayStore) -> pd.DataFrame:
    """A row for each file, and for one that never came."""
    return rows_of([*files_of(day), "dog.first.jpg", "dog.last.jpg", "dog.bad.jpg", "dog.never.jpg"])


def test_the_labels_are_those_of_the_images_that_the_day_is_judged_by_and_every_row_is_accounted_for(day):
    put_csv(day, "a.csv", everything(day)[:30])
    put_csv(day, "b.csv", everything(day)[30:])
    found = read(day)
    table = found.found
    assert sorted(found.labels) == sampled(day) == sorted(found.asked)
    assert (table.images, table.of_images, table.labelled, table.open, found.enough) == (MOST, 60, MOST, False, True)
    assert (table.rows, table.earlier, table.refused) == (64, 1, 0)  # a copy of one of them is the later row
    assert table.strangers == {"no_file": 1, "not_judged": 41, "quarantined": 1}
    assert table.rows == table.labelled + table.earlier + table.without_image + table.refused
    write_labels(day, found)
    assert sorted(day.storage.read_table(day.keys.labels)["image_id"]) == sampled(day)
    assert dict(table_rows(day.read(LabelTable)))["Images with a label"].startswith(
        "20 of 20 images sampled from 60 (100 %)"
    )


def test_each_image_has_the_label_that_it_has_where_all_are_read(day, monkeypatch):
    put_csv(day, "a.csv", everything(day).drop(index=range(0, 60, 7)))
    small = read(day).labels
    monkeypatch.setattr("driftwatch.labels.table_rows.is_sampled", lambda _: False)
    whole = read(day).labels
    assert small == {image_id: label for image_id, label in whole.items() if image_id in sampled(day)}
    assert len(whole) > len(small) > 10


@pytest.mark.parametrize("path", ["truth/{day}/*", "truth/*/*"], ids=["of the day", "of all days"])
@pytest.mark.parametrize("role", ["key", "image_id"])
def test_a_table_of_all_days_and_one_by_ids_leave_the_same_labels(day, path, role):
    manifest = day.storage.read_table(day.keys.manifest)
    manifest = manifest[manifest["key"].str.endswith(tuple(everything(day)["file"]))]
    names = manifest["key"] if role == "key" else manifest["image_id"]
    other = "demo/incoming/2026-01-04/x.jpg" if role == "key" else "a" * 64
    truth = ["cat"] * len(names) + ["cow"]
    put_csv(day, "a.csv", pd.DataFrame({"file": [*names, other], "truth": truth}))
    found = read(by_settings(day, path=path, columns={role: "file", "label": "truth"}, max_unknown=0))
    assert sorted(found.labels) == sampled(day)
    assert found.found.rows == len(truth) == MOST + found.found.earlier + found.found.without_image
    unknown = "other_day" if "*/" in path else "no_file"
    assert found.found.strangers == {"not_judged": 41, "quarantined": 1, unknown: 1}


@pytest.mark.parametrize("is_sampled", [True, False], ids=["by a sample", "by all"])
@pytest.mark.parametrize(
    ("path", "pattern"), [("truth/{day}/*", None), ("truth/{day}/*", "^x/(.*)$"), ("truth/*/*", None)]
)
def test_a_row_is_accounted_for_whatever_its_key_looks_like(day, path, pattern, is_sampled, monkeypatch):
    """Also where nothing is left of it behind the day's folder, or the pattern does not fit."""
    monkeypatch.setattr("driftwatch.labels.table_rows.is_sampled", lambda _: is_sampled)
    folder = day.keys.incoming
    keys = [made for key in files_of(day) for made in (key, f"{folder}/{key}", f"x/{key}", f"file:///s/{folder}/{key}")]
    keys += ["./", "/", "x/", f"{folder}/", f"s3://b/{folder}/", folder, "", " ", "back\\slash.jpg", "never.jpg"]
    put_csv(day, "a.csv", pd.DataFrame({"file": keys, "truth": "cat"}))
    table = read(by_settings(day, path=path, key_pattern=pattern)).found
    assert table.rows == len(keys) == table.labelled + table.earlier + table.without_image + table.refused


def test_a_label_that_is_no_class_counts_of_the_sample_alone(day):
    table = everything(day).assign(truth="cow")
    put_csv(day, "a.csv", table)
    found = read(by_settings(day, max_unknown=1))
    assert (found.found.refused, found.labels) == (MOST + 1, {})
    assert found.found.strangers["not_judged"] == 41


def test_the_day_is_scored_by_its_sample_and_is_done_when_that_has_its_labels(day):
    put_csv(day, "a.csv", everything(day))
    write_labels(day, read(day))
    found = evaluate_day(day, share(90, 100, 0.95), reasons)
    assert (found.labels, found.truth.images, found.truth.of_images, found.truth.open) == (MOST, MOST, 60, False)
    answers = day.storage.read_table(day.keys.predictions).set_index("image_id")["prediction"]
    labels = day.storage.read_table(day.keys.labels).set_index("image_id")["label"]
    assert found.accuracy.value == pytest.approx((answers[labels.index] == labels).mean(), abs=0.05)


def test_what_is_said_of_a_day_with_few_labels_says_that_they_are_of_a_sample(day):
    put_csv(day, "a.csv", everything(day)[:30])
    found = read(day).found
    assert found.no_interval.startswith(f"{found.labelled} of 20 images sampled from 60 have a label, and")


def test_images_that_people_label_beside_the_table_have_its_label_too(day):
    others = sorted({*day.storage.read_table(day.keys.features)["image_id"]} - {*sampled(day)})[:3]
    plan = {**samples.PLAN, "sample": [{"image_id": each, "key": "-"} for each in others], "supplements": []}
    day.storage.write_json(day.keys.annotation, plan)
    put_csv(day, "a.csv", everything(day))
    found = read(day)
    assert sorted(found.labels) == sorted([*sampled(day), *others])
    assert found.found.images == MOST + 3


def test_labels_of_a_random_part_are_all_taken_in(day):
    put_csv(day, "a.csv", everything(day)[:60])
    found = read(by_settings(day, covers="random"))
    assert (len(found.labels), found.found.images, found.found.of_images) == (60, 60, None)


def test_half_a_letter_in_a_text_stops_nothing(day):
    lines = [
        b'{"file": "half \\ud800.jpg", "truth": "cat"}',
        b'{"file": "x.jpg", "truth": "\\udc00"}',
        b'{"file": null, "truth": "cat"}',
    ]
    whole = b'{"file": "smile \\ud83d\\ude00.jpg", "truth": "cat"}'  # both halves
    day.storage.write_bytes(f"truth/{DAY}/a.jsonl", b"\n".join([*lines, whole]))
    found = read(day).found
    assert (found.strangers, found.reasons, found.rows) == ({"no_file": 3}, {"no_key": 1}, 4)
