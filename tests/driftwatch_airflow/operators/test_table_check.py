"""People who check a table: they label at the real service, and the day's own labels, which are the table's, stay as they are."""

from __future__ import annotations

import pytest

from driftwatch.artifacts.store import MonitorStore
from driftwatch.labels.table_check import CheckedDay, check_of
from driftwatch_airflow.operators.label_table import MergeCheckOperator

DAY = "2026-11-20"
TABLE = {"covers": "all", "path": "truth/{day}.csv", "columns": {"key": "file", "label": "truth"}}


@pytest.fixture
def checked(day):
    """The labelled day, of a monitor whose labels come from a table."""
    labels = day.monitor.labels.model_dump(exclude_unset=True)
    changed = type(day.monitor.labels).model_validate(
        {**labels, "backend": "table", "check_with": "toloka", "table": TABLE}
    )
    day.monitor = day.monitor.model_copy(update={"labels": changed})
    return day


def test_their_answers_are_kept_beside_the_labels_of_the_table_and_compared_with_them(checked):
    own = f"cats_vs_dogs/days/{DAY}/labels.parquet"
    manifest = checked.storage.read_table(f"cats_vs_dogs/days/{DAY}/manifest.parquet")
    table = manifest[["image_id"]].assign(label=["cat"] * 9 + ["dog"] * 3)
    checked.storage.write_table(own, table)
    before = checked.storage.read_bytes(own)

    pool_id = checked.create()["pool_id"]
    for name in ("ann", "bea", "cy"):
        checked.answers(pool_id, name, "cat")
    assert checked.sensor().execute(checked.context())["close_reason"] == "COMPLETED"
    merge = MergeCheckOperator(task_id="merge_people", monitor=checked.monitor, day=DAY)
    first = merge.execute(checked.context())
    assert (first["sampled"], first["consensus"]) == (12, 12)

    assert checked.storage.read_bytes(own) == before
    day = merge.of_day
    assert isinstance(day, CheckedDay)
    assert not checked.storage.exists(f"cats_vs_dogs/days/{DAY}/assignments.parquet")
    found = check_of(MonitorStore(checked.storage, checked.monitor).day(day.date))
    assert (found.sampled, found.by_people, found.agreement.n, found.agreement.value) == (12, 12, 12, 0.75)
    assert [(row.table, row.people) for row in found.differing] == [("dog", "cat")] * 3
    assert merge.execute(checked.context()) == first
