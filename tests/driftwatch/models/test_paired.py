"""Two models on the same images: what was won and lost, the interval of the difference, and how many images would do."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftwatch.models.paired import bounds, chance_of, compare, counts_of, images_needed


def answers(both: int, won: int, lost: int, neither: int) -> tuple[pd.Series, pd.Series, pd.Series]:
    """The true classes, the champion's answers and the challenger's."""
    label = pd.Series(["cat"] * (both + won + lost + neither))
    champion = pd.Series(["cat"] * both + ["dog"] * won + ["cat"] * lost + ["dog"] * neither)
    challenger = pd.Series(["cat"] * (both + won) + ["dog"] * (lost + neither))
    return label, champion, challenger


def test_the_interval_is_newcombes() -> None:
    """Complete response after and before consolidation (Cavo et al., 2012): 59, 6, 16, 80. The two-sided 95 % interval is the
    one that the tests of the R package contingencytables expect of Newcombe_square_and_add_CI_paired_2x2."""
    found = compare(*answers(59, 6, 16, 80), 0.975)
    assert (found.won, found.lost, round(found.difference, 4)) == (6, 16, -0.0621)
    assert (round(found.low, 4), round(found.high, 4)) == (-0.1186, -0.0046)


def test_without_an_image_nothing_is_claimed() -> None:
    found = compare(*answers(0, 0, 0, 0))
    assert (found.n, found.won, found.lost) == (0, 0, 0)
    assert (found.difference, found.low, found.high, found.p_value) == (None, None, None, None)


def test_models_that_answer_alike_differ_by_nothing_and_by_chance_alone() -> None:
    found = compare(*answers(8, 0, 0, 2))
    assert (found.difference, found.p_value) == (0, 1)
    assert found.low < 0 < found.high


def test_the_p_value_is_mcnemars_exact_one_on_the_images_that_only_one_has_right() -> None:
    assert compare(*answers(50, 5, 0, 50)).p_value == pytest.approx(0.5**5)
    assert compare(*answers(0, 5, 0, 0)).p_value == pytest.approx(0.5**5)
    assert compare(*answers(50, 0, 5, 50)).p_value == 1


def test_the_two_models_changed_over_give_the_mirrored_interval() -> None:
    label, champion, challenger = answers(40, 9, 3, 8)
    found, mirrored = compare(label, champion, challenger), compare(label, challenger, champion)
    assert (mirrored.won, mirrored.lost) == (found.lost, found.won)
    assert (mirrored.low, mirrored.high) == pytest.approx((-found.high, -found.low))


@pytest.mark.parametrize("table", [(1, 0, 0, 0), (0, 1, 0, 0), (0, 0, 1, 0), (0, 0, 0, 1), (0, 500, 0, 0)])
def test_bounds_of_extreme_tables_stay_between_minus_one_and_one(table: tuple[int, ...]) -> None:
    low, high = bounds(np.array(table), 0.95)
    assert -1 <= low <= high <= 1


def test_the_table_is_found_again_in_the_comparison() -> None:
    assert counts_of(compare(*answers(59, 6, 16, 80))).tolist() == [59, 6, 16, 80]


def test_the_advice_on_clean_images_is_what_the_test_takes_though_nothing_was_won_or_lost() -> None:
    needed = images_needed(counts_of(compare(*answers(20, 0, 0, 0), 0.95)), 0.05, 0.95)
    assert needed > 60
    shares = (np.array([20, 0, 0, 0]) + 0.5) / 22
    assert chance_of(shares, needed, 0.05, 0.95) == pytest.approx(0.8, abs=0.03)


def test_a_stricter_limit_takes_more_images_and_more_than_there_are() -> None:
    counts = np.array([90, 2, 2, 6])
    strict, lenient = (images_needed(counts, most, 0.95) for most in (0.02, 0.05))
    assert strict > lenient > counts.sum()


def test_no_number_of_images_is_promised_where_the_challenger_is_worse_than_the_limit() -> None:
    assert images_needed(np.array([50, 0, 40, 10]), 0.05, 0.95) is None
