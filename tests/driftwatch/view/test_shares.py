"""Shares as texts: with their interval, rounded alike everywhere, and with a reason where there is none."""

from __future__ import annotations

import pytest

from driftwatch.artifacts.parts import Interval, Share
from driftwatch.view.shares import (
    accuracy_text,
    change_text,
    p_digits,
    plain_percent,
    share_text,
    share_with_ends,
    shown,
    whole_percent,
    wide_share,
)

FOUND = Share(value=0.6137, low=0.527, high=0.694, n=150)
NONE = Share(value=None, low=None, high=None, n=0, reason="no image of the sample has a label")


def test_a_share_is_shown_with_its_interval() -> None:
    assert (shown(FOUND).text, shown(FOUND).note) == ("61.4 %", "[53, 69]")
    assert shown(FOUND).both == share_text(FOUND) == accuracy_text(FOUND) == "61.4 % [53, 69]"
    assert wide_share(FOUND) == "61.4% (52.7% to 69.4%, n 150)"
    assert share_with_ends(FOUND) == "61.4% (52.7% to 69.4%)"


def test_an_undefined_share_says_why_and_never_zero() -> None:
    assert shown(NONE).both == "– no image of the sample has a label"
    assert (share_text(NONE), accuracy_text(NONE)) == ("–", "not measured")
    assert wide_share(NONE) == "none (no image of the sample has a label)"
    assert share_with_ends(NONE) == "none"


def test_an_undefined_share_without_a_reason_has_no_note() -> None:
    early = Share(value=None, low=None, high=None, n=0)
    assert (shown(early).text, shown(early).note) == ("–", "")


def test_zero_is_a_share_like_any_other() -> None:
    nothing = Share(value=0.0, low=0.0, high=0.0312, n=120)
    assert shown(nothing).both == accuracy_text(nothing) == "0 % [0, 3]"
    assert wide_share(nothing) == "0.0% (0.0% to 3.1%, n 120)"


def test_an_interval_that_is_not_of_a_share_reads_alike() -> None:
    assert share_text(Interval(value=1, low=0.9, high=1)) == "100 % [90, 100]"


@pytest.mark.parametrize(("value", "said"), [(0.6137, "61 %"), (0.0, "0 %"), (0.004, "0 %"), (0.996, "100 %")])
def test_cells_are_whole_percent(value: float, said: str) -> None:
    assert whole_percent(value) == said


def test_a_gain_and_a_loss_have_their_sign_and_one_digit_always() -> None:
    assert [change_text(0.1284), change_text(-0.2), change_text(0)] == ["+12.8%", "-20.0%", "+0.0%"]
    assert plain_percent(0.7) == "70.0%"


@pytest.mark.parametrize(
    ("p_value", "said"), [(0.02, "0.02"), (0.01234, "0.012"), (0.00002, "< 0.0001"), (0, "< 0.0001"), (None, "–")]
)
def test_a_column_of_p_values_has_digits_alone(p_value: float | None, said: str) -> None:
    assert p_digits(p_value) == said
