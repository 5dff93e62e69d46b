"""What was asked of the annotators: only what was paid counts as spent, and who was flagged comes first."""

from __future__ import annotations

from typing import Any

import pandas as pd
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.report.known import day_facts
from tests.driftwatch.view.typed import typed

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.label_table import LabelTable
from driftwatch.view.report.labelling_section import MOST_ANNOTATORS, Labelling, labelling, undecided

PLAN = typed(AnnotationPlan, samples.PLAN)
TABLE = {
    "day": samples.PERFORMANCE["day"],
    "source": "file:///labels",
    "covers": "all",
    "images": 300,
    "labelled": 286,
    "until": "2026-01-20T00:00:00Z",
    "open": False,
    "files": 1,
    "rows": 300,
    "earlier": 0,
    "without_image": 0,
    "refused": 0,
    "strangers": {},
    "reasons": {},
    "unknown_classes": [],
}


def section(**known: Any) -> Labelling:
    found = labelling(day_facts(annotation=PLAN, **known))
    assert found is not None
    return found


def annotators(*rows: tuple[str, int, bool, float | None]) -> pd.DataFrame:
    """(id, answers, flagged, agreement) of each."""
    table = pd.DataFrame(rows, columns=["annotator_id", "answers", "flagged", "agreement"])
    return table.assign(
        reason=["too fast" if flagged else "" for flagged in table["flagged"]],
        control_right=3,
        control_answers=4,
        seconds_median=41.4,
    )


def test_a_day_of_which_nobody_was_asked_has_no_section() -> None:
    assert labelling(day_facts()) is None


def test_before_an_answer_there_is_the_plan_alone() -> None:
    assert section().rows == [
        ("Asked", f"{len(PLAN.sample):,} images, {PLAN.overlap} annotators each"),
        ("Planned cost", f"{PLAN.cost.total:.2f} USD, fee included"),
    ]


def test_where_peoples_time_is_what_labels_cost_hours_are_planned_and_no_fee_is_named() -> None:
    by_hour = PLAN.model_copy(update={"cost": PLAN.cost.model_copy(update={"hours": 1.25, "total": 22.5})})
    found = labelling(day_facts(annotation=by_hour))
    assert found is not None
    assert dict(found.rows)["Planned cost"] == "1.2 hours, 22.50 USD"


def test_a_page_is_paid_once_and_a_rejected_one_is_not() -> None:
    rows = [("a1", "ACCEPTED"), ("a1", "ACCEPTED"), ("a2", "ACCEPTED"), ("a3", "REJECTED")]
    pages = pd.DataFrame(rows, columns=["assignment_id", "status"]).assign(reward=1.0)
    cost = PLAN.cost.model_copy(update={"reward": 2.0, "fee": 0.5})
    assert day_facts().config.labels.fee_share == 0.2, "the plan has its own"
    found = labelling(day_facts(annotation=PLAN.model_copy(update={"cost": cost}), assignments=pages))
    assert found is not None
    assert dict(found.rows)["Spent"] == "2.50 USD for 2 pages; 1 rejected"


def test_answers_that_do_not_count_are_counted_apart_and_hours_are_told_where_they_are_what_labels_cost() -> None:
    rows = [("a1", "SUBMITTED", 1.2), ("a2", "LATE", 0.0), ("a3", "LATE", 0.0), ("a4", "VOID", 0.0)]
    answers = pd.DataFrame(rows, columns=["assignment_id", "status", "reward"])
    assert PLAN.progress is not None
    progress = PLAN.progress.model_copy(update={"hours": 0.25, "spent": 1.5})
    plan = PLAN.model_copy(update={"progress": progress, "backend": "label_studio"})
    found = labelling(day_facts(annotation=plan, assignments=answers))
    assert found is not None
    told = dict(found.rows)
    assert told["Spent"] == "0.2 hours, 1.50 USD, for 1 answer"  # as on the day's page, skipped pages included
    assert told["Answers that do not count"].startswith("2 came, or changed, after the day was closed; 1 of no vote")


def test_flagged_annotators_come_first_and_their_votes_are_said_to_count() -> None:
    found = section(annotators=annotators(("busy", 90, False, 0.9), ("fast", 10, True, 0.4), ("slow", 20, False, None)))
    assert [row.name for row in found.annotators] == ["fast", "busy", "slow"]
    assert [row.reason for row in found.annotators] == ["too fast", "", ""]
    assert [row.agrees for row in found.annotators] == ["40 %", "90 %", "–"]
    assert (found.annotators[0].control, found.annotators[0].seconds) == ("3 / 4", "41")
    assert dict(found.rows)["Annotators"] == "3, 1 flagged (their votes count)"


def test_of_many_annotators_the_rest_is_counted() -> None:
    found = section(annotators=annotators(*[(f"{number:02d}", 5, False, 0.9) for number in range(MOST_ANNOTATORS + 3)]))
    assert (len(found.annotators), found.more) == (MOST_ANNOTATORS, 3)
    assert dict(found.rows)["Annotators"] == f"{MOST_ANNOTATORS + 3}, 0 flagged"


def test_answers_that_allow_no_agreement_are_not_called_zero() -> None:
    said = dict(section(performance=typed(Performance, samples.NO_LABELS)).rows)
    assert said["Agreement"] == "not defined"
    assert "Unanimous" not in said


def test_the_agreement_has_its_measures_name_and_how_the_answers_were_merged() -> None:
    agreement = {**samples.PERFORMANCE["agreement"], "alpha": 0.714, "control_right": 9, "control_answers": 10}
    found = typed(Performance, samples.PERFORMANCE, agreement=agreement, merged_by="majority")
    said = dict(section(performance=found).rows)
    assert said["Agreement"] == "Krippendorff's α = 0.71"
    assert said["Control tasks"] == "90 % of 10 right"
    assert said["Merged by"] == "majority vote"


def test_votes_that_are_left_out_are_said_to_be() -> None:
    table = annotators(("poor", 10, True, 0.4), ("fast", 10, True, 0.4), ("good", 20, False, None))
    rows = dict(section(annotators=table.assign(excluded=[True, False, False])).rows)
    assert rows["Annotators"] == (
        "3, 2 flagged (the votes of 1 are left out for their control tasks, those of the other 1 count)"
    )


def test_undecided_images_say_how_many_there_are_and_what_became_of_them() -> None:
    found = typed(Performance, samples.PERFORMANCE, ties=11, unclear=3, on_tie="abstain")
    assert undecided(day_facts(performance=found), 12).startswith(
        "11 ties, 3 unclear. 12 of them are shown. They have no label, so the accuracy says nothing of them."
    )
    found = found.model_copy(update={"on_tie": "first_class"})
    assert "A tie has the label that on_tie (first_class) gives it" in undecided(day_facts(performance=found), 14)
    assert undecided(day_facts(), 0) == ""


def test_of_a_table_the_images_without_a_class_have_no_ties_and_no_votes() -> None:
    found = typed(Performance, samples.PERFORMANCE, ties=0, unclear=14, on_tie="abstain")
    said = undecided(day_facts(performance=found, label_table=typed(LabelTable, TABLE)), 12)
    assert said == (
        "14 images, 12 of them shown. They have no label, so the accuracy says nothing of them. "
        "Those of which the model was surest come first."
    )
