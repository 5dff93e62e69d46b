"""The table of answers is the same whichever way round a service lists them."""

from __future__ import annotations

from driftwatch.labels.assignments import COUNTED, Answer, assignments_table

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
