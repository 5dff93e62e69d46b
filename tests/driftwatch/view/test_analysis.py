"""Each verdict of WhyLabs' analysis says what it rests on."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from driftwatch.publish.whylabs.analysis import Findings, Result
from driftwatch.view.analysis import reasons

CALM = Result("floor", 0.8, 0.7, None, anomaly=False, failure=None, document={})
FAILED = replace(CALM, analyzer="trend", value=None, failure="InsufficientBaseline 2 values")
LOW = replace(CALM, value=0.6, anomaly=True)


@pytest.mark.parametrize(
    ("verdict", "results", "missing", "said"),
    [
        ("ok", (CALM, FAILED), (), ["no anomaly in an accuracy of 0.800", "trend gave no judgement: InsufficientBaseline 2 values"]),
        ("alert", (LOW, FAILED), (), ["WhyLabs' floor: accuracy 0.600 is below 0.700."]),
        ("alert", (replace(LOW, lower=None),), (), ["WhyLabs' floor: accuracy 0.600 is an anomaly."]),
        ("not_enough_evidence", (replace(FAILED, analyzer="floor"),), (), ["floor gave no judgement: InsufficientBaseline 2 values"]),
        ("not_analysed", (CALM,), ("trend",), ["trend has no result for 2026-01-20"]),
    ],
)  # fmt: skip
def test_each_verdict_has_its_reasons(verdict: Any, results: Any, missing: Any, said: list[str]) -> None:
    accuracy = results[0].value or 0.8
    assert reasons(Findings(date(2026, 1, 20), accuracy, verdict, results, missing)) == said


def test_a_result_about_other_data_names_both_accuracies() -> None:
    found = Findings(date(2026, 1, 20), 0.9, "not_analysed", (CALM,), ("trend",))
    assert reasons(found) == [
        "floor judged an accuracy of 0.8000, and 0.9000 was uploaded: an earlier analysis, or something else writes to the day"
    ]
