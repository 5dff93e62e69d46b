"""The table of answers is the same whichever way round a service lists them."""

from __future__ import annotations

import json
from datetime import date

import pandas as pd
from tests.driftwatch.artifacts import samples
from tests.stores import day_store

from driftwatch.artifacts.annotation import AnnotationPlan, SampledImage
from driftwatch.artifacts.day_keys import DayKeys
from driftwatch.artifacts.forgetting import FORGOTTEN
from driftwatch.labels.assignments import COUNTED, Answer, as_forgotten, assignments_table
from driftwatch.storage import open_storage

COLUMNS = [
    "assignment_id", "annotator_id", "image_id", "answer", "control", "known_label", "status", "submitted", "seconds", "reward",
]  # fmt: skip


def answer(page: str, image: str, control: bool = False) -> Answer:
    known = "cat" if control else None
    return Answer(page, "ann", image, "dog", control, known, "SUBMITTED", "2026-01-05T10:00:00+00:00", 30.0, 0.05)


def test_rows_are_sorted_by_page_and_image_and_have_the_columns_that_are_stored():
    table = assignments_table([answer("p2", "a"), answer("p1", "b", control=True), answer("p1", "a")])
    assert table.columns.tolist() == COLUMNS
    assert table[["assignment_id", "image_id"]].to_numpy().tolist() == [["p1", "a"], ["p1", "b"], ["p2", "a"]]
    assert table["control"].tolist() == [False, True, False]
    assert table["known_label"].tolist() == [None, "cat", None]
    assert table[["seconds", "reward"]].dtypes.astype(str).tolist() == ["float64", "float64"]


def test_a_pool_that_nobody_answered_has_the_same_columns():
    assert assignments_table([]).columns.tolist() == COLUMNS


def test_rejected_pages_neither_count_nor_are_paid():
    assert COUNTED == ("SUBMITTED", "ACCEPTED")


def test_answers_about_forgotten_images_alone_keep_their_types(tmp_path):
    """A service gives no other answer: what was stored is what there is."""
    stored, name = assignments_table([answer("p1", FORGOTTEN + "0" * 48)]), FORGOTTEN + "0" * 48
    day = day_store(open_storage(f"file://{tmp_path}"), DayKeys("cats", date(2026, 1, 5)))
    day.storage.write_table(day.keys.assignments, stored)
    image = SampledImage(image_id=name, key=name)
    plan = AnnotationPlan.model_validate_json(json.dumps(samples.PLAN)).model_copy(
        update={"sample": (image,), "control": ()}
    )
    for collected in (assignments_table([]), assignments_table([answer("p1", "its old name")])):
        found = as_forgotten(day, plan, collected)
        pd.testing.assert_frame_equal(found, stored)
