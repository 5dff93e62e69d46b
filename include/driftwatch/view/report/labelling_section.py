"""What was asked of the annotators, what it cost, and how far their answers can be trusted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pandas as pd

from driftwatch.artifacts.accuracy import LabelAgreement
from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.config.labels import LABEL_STUDIO
from driftwatch.labels.assignments import COUNTED, LATE, REJECTED, VOID
from driftwatch.view.label_table import check_rows, table_rows
from driftwatch.view.numbers import percent
from driftwatch.view.report.facts import DayFacts
from driftwatch.view.shares import whole_percent
from driftwatch.view.words import count

MOST_ANNOTATORS = 12
_MERGED_BY = {"majority": "majority vote", "weighted": "votes weighted by control tasks", "dawid_skene": "Dawid-Skene"}


@dataclass(frozen=True)
class Annotator:
    """One who answered. `agrees`: with the others, in percent; `seconds`: the median for a page; `reason`: why flagged."""

    name: str
    flagged: bool
    reason: str
    answers: int
    control: str
    agrees: str
    seconds: str


@dataclass(frozen=True)
class Labelling:
    """`rows`: name and value; `annotators`: the flagged ones first, and how many `more` there are."""

    rows: list[tuple[str, str]]
    annotators: list[Annotator]
    more: int


def labelling(facts: DayFacts) -> Labelling | None:
    """The labelling of the day, by people or from a table. None if nobody was asked, and no table read."""
    plan, check = facts.annotation, facts.performance.table_check if facts.performance else None
    table = [*table_rows(facts.label_table), *check_rows(check)]
    if plan is None:
        return Labelling(table, [], 0) if table else None
    rows = [
        *table,
        ("Asked", f"{count(len(plan.asked_about), 'image')}, {plan.overlap} annotators each"),
        *_chosen(plan),
        _planned(plan),
        *_spent(facts, plan),
        *_answers(facts),
    ]
    if facts.annotators is None:
        return Labelling(rows, [], 0)
    ordered = facts.annotators.sort_values(["flagged", "answers", "annotator_id"], ascending=[False, False, True])
    shown = [_annotator(row) for row in ordered.head(MOST_ANNOTATORS).itertuples()]
    flagged = int(ordered["flagged"].sum())
    rows.append(("Annotators", f"{len(ordered)}, {flagged} flagged{_whose_votes_count(ordered)}"))
    return Labelling(rows, shown, len(ordered) - len(shown))


def _whose_votes_count(annotators: pd.DataFrame) -> str:
    """What became of the votes of the flagged ones; empty where nobody is."""
    flagged = int(annotators["flagged"].sum())
    excluded = int(annotators["excluded"].sum()) if "excluded" in annotators else 0
    if not excluded:
        return " (their votes count)" if flagged else ""
    counted = f", those of the other {flagged - excluded} count" if flagged > excluded else ""
    return f" (the votes of {excluded} are left out for their control tasks{counted})"


def _chosen(plan: AnnotationPlan) -> list[tuple[str, str]]:
    """What a day has beside a plain random sample."""
    found = []
    if plan.strata:
        chances = [stratum.asked / stratum.images for stratum in plan.all_strata]
        told = f"{len(chances)} strata; of the images of one, {percent(min(chances))} to {percent(max(chances))} were asked about"
        found.append(("Drawn by", told))
    if plan.extra:
        found.append(("For training alone", f"{count(len(plan.extra), 'unsure image')}, in no estimate"))
    return found


def _planned(plan: AnnotationPlan) -> tuple[str, str]:
    """What all parts of the plan were to cost; where people's time is what labels cost, their hours too, and there is no fee."""
    usd = f"{sum(part.cost.total for part in plan.parts):.2f} USD"
    if plan.cost.hours is None:
        return "Planned cost", f"{usd}, fee included"
    return "Planned cost", f"{sum(part.cost.hours or 0 for part in plan.parts):.1f} hours, {usd}"


def _annotator(row: Any) -> Annotator:
    """`row`: of annotators.parquet."""
    return Annotator(
        name=row.annotator_id,
        flagged=bool(row.flagged),
        reason=row.reason,
        answers=row.answers,
        control=f"{row.control_right} / {row.control_answers}",
        agrees="–" if pd.isna(row.agreement) else whole_percent(row.agreement),
        seconds=f"{row.seconds_median:.0f}",
    )


def _spent(facts: DayFacts, plan: AnnotationPlan) -> list[tuple[str, str]]:
    """What labels have cost, by the fee and the place that the day was planned with: the monitor file may name others by now."""
    if facts.assignments is None:
        return []
    pages: pd.DataFrame = facts.assignments.drop_duplicates("assignment_id")
    paid = pages[pages["status"].isin(COUNTED)]
    fee = plan.cost.fee / plan.cost.reward if plan.cost.reward else 0.0
    spent = float(paid["reward"].sum()) * (1 + fee)
    rejected = int((pages["status"] == REJECTED).sum())
    rows = [("Spent", f"{spent:.2f} USD for {count(len(paid), 'page')}; {rejected} rejected")]
    known = [part.progress for part in plan.parts if part.progress and part.progress.hours is not None]
    if known:
        each = "answer" if plan.backend == LABEL_STUDIO else "page"
        hours, spent = sum(found.hours or 0.0 for found in known), sum(found.spent for found in known)
        rows = [("Spent", f"{hours:.1f} hours, {spent:.2f} USD, for {count(len(paid), each)}")]
    reasons = (
        (LATE, "came, or changed, after the day was closed"),
        (VOID, "of no vote: skipped, not offered, or by another hand"),
    )
    apart = [f"{found} {why}" for status, why in reasons if (found := int((pages["status"] == status).sum()))]
    return [*rows, ("Answers that do not count", "; ".join(apart))] if apart else rows


def _answers(facts: DayFacts) -> list[tuple[str, str]]:
    """How the answers were merged, and how far they agree."""
    if facts.performance is None or facts.performance.truth:
        return []
    agreement, unclear = facts.performance.agreement, facts.config.labels.unclear_answer
    rows = [("Merged by", _MERGED_BY[facts.performance.merged_by])]
    if unclear:
        apart = "set aside" if facts.config.labels.unclear_votes == "set_aside" else "counted apart"
        said = int(facts.labels["votes.unclear"].sum()) if facts.labels is not None else 0
        rows.append((f"Answered {unclear!r}", f"{said} of {count(agreement.votes, 'answer')}, {apart}"))
    rows.append(("Agreement", agreement_text(agreement, "Krippendorff's α", "not defined")))
    if agreement.unanimous is not None:
        rows.append(("Unanimous", f"{percent(agreement.unanimous)} of the labels"))
    if agreement.control_answers:
        right = agreement.control_right / agreement.control_answers
        rows.append(("Control tasks", f"{percent(right)} of {agreement.control_answers} right"))
    return rows


def undecided(facts: DayFacts, shown: int) -> str:
    """What the images are that people could not decide, of which so many are shown, and what became of them."""
    found = facts.performance
    if found is None:
        return ""
    if facts.label_table:  # one answer for each image: there are no ties, and no votes to go by
        more = f", {shown} of them shown" if shown < found.unclear else ""
        images = count(found.unclear, "image")
        return f"{images}{more}. They have no label, so the accuracy says nothing of them. Those of which the model was surest come first."
    ties, unclear = count(found.ties, "tie"), f"{found.unclear} unclear"
    more = f" {shown} of them are shown." if shown < found.ties + found.unclear else ""
    fate = "They have no label, so the accuracy says nothing of them."
    if found.on_tie != "abstain":
        fate = f"A tie has the label that on_tie ({found.on_tie}) gives it. An unclear image has none, so the accuracy says nothing of it."
    return f"{ties}, {unclear}.{more} {fate} The images with the most votes come first, and of these the ones of which the model was surest."


def agreement_text(agreement: LabelAgreement, name: str, undefined: str) -> str:
    """`α = 0.71`, with the name that stands before it, or `undefined`."""
    return undefined if agreement.alpha is None else f"{name} = {agreement.alpha:.2f}"
