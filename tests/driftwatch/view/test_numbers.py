"""Numbers as people read them."""

from __future__ import annotations

from driftwatch.artifacts.parts import Interval
from driftwatch.view.numbers import interval, p_text, percent, points
from driftwatch.view.shares import plain_percent


def test_shares_have_one_digit_and_no_zero_behind_the_point() -> None:
    assert [percent(0.6137), percent(0.7), percent(1)] == ["61.4 %", "70 %", "100 %"]


def test_what_is_neither_none_nor_all_is_not_rounded_to_that() -> None:
    assert [percent(value) for value in (0.00016, 0.0006, 0.9994, 0.9996)] == ["< 0.1 %", "0.1 %", "99.9 %", "> 99.9 %"]
    assert [plain_percent(value) for value in (0.00016, 0.9996)] == ["<0.1%", ">99.9%"]
    assert [percent(0), percent(1 - 1e-12), plain_percent(0), plain_percent(1)] == ["0 %", "100 %", "0.0%", "100.0%"]


def test_intervals_are_whole_percent() -> None:
    assert interval(Interval(value=0.6, low=0.527, high=0.694)) == "[53, 69]"


def test_a_difference_is_in_points_and_says_its_direction() -> None:
    assert points(Interval(value=-0.0741, low=-0.152, high=0.014)) == "-7.4 points [-15, +1]"
    assert points(Interval(value=None, low=None, high=None)) == ""


def test_p_values_have_two_digits_and_are_never_zero() -> None:
    assert [p_text(0.01234), p_text(0), p_text(0.00002)] == ["p = 0.012", "p < 0.0001", "p < 0.0001"]
