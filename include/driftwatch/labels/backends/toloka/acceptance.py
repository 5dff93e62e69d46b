"""Accepts or rejects the pages that wait for a decision, by the monitor's quality rules, once, with the reason.

A page is rejected, and not paid, for two reasons alone, which its annotator is told: haste, or too many wrong control tasks.
What others answered plays no part, since the majority may be wrong. A page that was decided before stays as it is.
"""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, NamedTuple

from driftwatch.labels.assignments import ACCEPTED, REJECTED, SUBMITTED
from driftwatch.labels.rejected import poor_annotators

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import QualityRules
    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

log = logging.getLogger(__name__)


class Decision(NamedTuple):
    """`reason` is what the annotator reads; Toloka shows it beside the page."""

    assignment_id: str
    status: str
    reason: str


def settle(client: DriftwatchTolokaClient, pool_id: str, assignments: pd.DataFrame, rules: QualityRules) -> bool:
    """Decides every page of the assignments that waits for it; whether there was one."""
    decisions = decide(assignments, rules)
    if not decisions:
        return False
    carry_out(client, decisions)
    rejected = [decision for decision in decisions if decision.status == REJECTED]
    log.info("Pool %s: %s pages accepted, %s rejected", pool_id, len(decisions) - len(rejected), len(rejected))
    for decision in rejected:
        log.info("Rejected page %s: %s", decision.assignment_id, decision.reason)
    return True


def decide(assignments: pd.DataFrame, rules: QualityRules) -> list[Decision]:
    """A decision for each page that is SUBMITTED, sorted by assignment id."""
    pages = assignments.drop_duplicates("assignment_id").sort_values("assignment_id")
    poor = poor_annotators(assignments, rules)
    return [_decision(page, poor, rules) for page in pages[pages["status"] == SUBMITTED].itertuples(index=False)]


def _decision(page, poor: dict[str, str], rules: QualityRules) -> Decision:
    if page.seconds < rules.fast_seconds:
        reason = f"answered in {page.seconds:.0f} s; reading the page takes at least {rules.fast_seconds} s"
        return Decision(page.assignment_id, REJECTED, reason)
    if page.annotator_id in poor:
        return Decision(page.assignment_id, REJECTED, poor[page.annotator_id])
    return Decision(page.assignment_id, ACCEPTED, "Thank you")


def carry_out(client: DriftwatchTolokaClient, decisions: list[Decision]) -> None:
    """Tells Toloka each decision. One that somebody has taken meanwhile stands, whichever it was."""
    from toloka.client.exceptions import ConflictStateApiError, IncorrectActionsApiError

    for decision in decisions:
        judge = client.accept_assignment if decision.status == ACCEPTED else client.reject_assignment
        try:
            judge(decision.assignment_id, decision.reason)
        except (ConflictStateApiError, IncorrectActionsApiError):
            # Also the answer to a repeat of a request whose first answer was lost.
            if client.get_assignment(decision.assignment_id).status.value == SUBMITTED:
                raise
