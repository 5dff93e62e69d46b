"""merge_answers by the settings of one test."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import pandas as pd

from driftwatch.labels.consensus import MergeRules, OnTie, merge_answers


def merged(
    answers: pd.DataFrame,
    classes: Sequence[str],
    on_tie: OnTie = "abstain",
    tasks: Sequence[str] | None = None,
    control: pd.DataFrame | None = None,
    **rules: Any,
) -> pd.DataFrame:
    return merge_answers(answers, MergeRules(classes, on_tie=on_tie, **rules), tasks, control)
