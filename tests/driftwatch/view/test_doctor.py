"""The doctor's words: each check has some, and says what to do where something is wrong."""

from __future__ import annotations

from typing import get_args

import pytest

from driftwatch.doctor.results import Check, CheckResult, Said, Skew
from driftwatch.errors import NeedsAttention
from driftwatch.http import NoAnswer
from driftwatch.view.doctor import line_of, summary, text_of


@pytest.mark.parametrize("check", get_args(Check))
def test_each_check_has_a_name_and_something_to_do(check: Check) -> None:
    line = line_of(CheckResult(check, "wrong", problem=NeedsAttention("no")))
    assert line.what
    assert line.to_do
    assert not line_of(CheckResult(check, "ok")).to_do


def test_a_line_is_wrapped_and_what_to_do_stands_below_it() -> None:
    line = line_of(CheckResult("storage", "wrong", problem=NeedsAttention("word " * 40)))
    first, *rest = text_of([line], width=60).splitlines()
    assert first.startswith("WRONG  storage: word")
    assert all(len(text) <= 60 for text in (first, *rest))
    assert any(text.strip().startswith("-> correct storage.uri") for text in rest)


def test_an_error_that_is_not_ours_is_named_by_its_kind() -> None:
    assert line_of(CheckResult("model", "wrong", problem=ValueError("odd"))).said == "ValueError: odd"


@pytest.mark.parametrize(
    ("seconds", "said"), [(0.4, "agrees with"), (-90.0, "90 s behind this machine's"), (12.0, "12 s ahead of")]
)
def test_a_clock_is_told_by_its_side(seconds: float, said: str) -> None:
    assert said in line_of(CheckResult("clock", "ok", facts=Skew(seconds))).said


@pytest.mark.parametrize("check", ["clock", "model", "mlflow"])
def test_a_server_that_does_not_answer_is_no_fault_of_clocks_or_models(check: Check) -> None:
    """`set the clocks by a time server`, and `import the model again`, for a model server that was down."""
    silent = NoAnswer("Model server did not answer", "Connection refused", 5, "the address", uncertain=False)
    assert line_of(CheckResult(check, "wrong", problem=silent)).to_do.startswith("start what should answer there")
    assert "clock" in line_of(CheckResult("clock", "wrong", facts=Skew(400.0))).to_do


def test_the_summary_counts_each_state() -> None:
    found = [
        CheckResult("model", "ok"),
        CheckResult("model", "wrong"),
        CheckResult("cost", "not_checked", facts=Said("no")),
    ]
    assert summary(found) == "checks: fine 1, worth a look 0, wrong 1, not made 1"
