"""Whose pages are rejected and not paid, beside hasty ones. What others answered plays no part."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.config import QualityRules


def poor_annotators(assignments: pd.DataFrame, rules: QualityRules) -> dict[str, str]:
    """Who missed too many of the last control tasks, as the pool's own control-task rule counts them, and the reason."""
    control = assignments[assignments["control"].astype(bool)]
    control = control.sort_values(["submitted", "assignment_id", "image_id"])
    found = {}
    for annotator, answers in control.groupby("annotator_id"):
        last = answers.tail(rules.control_history)
        right = int((last["answer"] == last["known_label"]).sum())
        if len(last) >= rules.control_min_answers and 100 * right / len(last) < rules.control_min_correct_percent:
            found[str(annotator)] = (
                f"{right} of the last {len(last)} control tasks right; at least {rules.control_min_correct_percent:g} % are needed"
            )
    return found
