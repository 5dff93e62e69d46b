"""Images and cost by day: files by what became of them, and what labels were planned to cost and have cost."""

from __future__ import annotations

from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY, typed

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.ingest import Ingest
from driftwatch.view.days import Day
from driftwatch.view.volume_series import cost_series, images_series


def test_files_add_up_to_what_was_listed() -> None:
    found = images_series([Day(DAY, ingest=typed(Ingest, samples.INGEST)), Day(DAY)])
    parts = ("accepted", "duplicate", "quarantined", "ignored")
    assert sum(found[name][0] or 0 for name in parts) == found["listed"][0] == samples.INGEST["listed"]
    assert [column[1] for column in found.values()] == [None] * 5


def test_the_cost_is_planned_and_paid_and_nobody_who_is_paid_has_none() -> None:
    found = cost_series([Day(DAY, annotation=typed(AnnotationPlan, samples.PLAN)), Day(DAY)])
    assert found is not None
    assert found.planned == [samples.PLAN["cost"]["total"], None]
    assert found.paid == [samples.PLAN["progress"]["spent"], None]
    assert found.images == [len(samples.PLAN["sample"]), None]
    assert cost_series([Day(DAY)]) is None
