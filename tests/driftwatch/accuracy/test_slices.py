"""Slices that nobody named: found where they are, not where there are none, and told with an interval that reckons with the choice."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftwatch.accuracy import slices
from driftwatch.accuracy.slice_search import Answers, Factor, worst_slice, wrong_slices
from driftwatch.accuracy.slices import Searching, chosen_high, find_slices
from driftwatch.models.metrics import wilson

from .labelled import BRIGHTNESS, CAMERA, LIGHT, labelled_day

SEARCHING = Searching(alpha=0.05, least=10, confidence=0.95, permutations=199)


def where(found: tuple, place: int = 0) -> list[str]:
    return [each.name for each in found[place].where]


def searched(days: list[pd.DataFrame], searching: Searching = SEARCHING) -> tuple:
    return find_slices(days, {CAMERA: CAMERA, LIGHT: LIGHT, "predicted_class": "prediction"}, [BRIGHTNESS], searching)


def test_a_pair_of_segments_is_found_with_its_numbers() -> None:
    rng = np.random.default_rng(1)
    day = labelled_day(rng, 800)
    bad = ((day[CAMERA] == "door-3") & (day[LIGHT] == "night")) & (rng.random(800) < 0.6)
    day.loc[bad, "label"] = np.where(day.loc[bad, "prediction"] == "cat", "dog", "cat")
    found = searched([day])
    assert where(found) == ["door-3", "night"]
    assert [each.by for each in found[0].where] == [CAMERA, LIGHT]
    inside = day[(day[CAMERA] == "door-3") & (day[LIGHT] == "night")]
    right = (inside["label"] == inside["prediction"]).mean()
    assert (found[0].labels, found[0].accuracy.value) == (len(inside), pytest.approx(right))
    assert (
        found[0].accuracy.low
        < right
        < found[0].accuracy.high
        <= max(found[0].rest.value, wilson(right, len(inside), 0.95)[1])
    )
    assert found[0].p_value == 1 / 200
    assert set(found[0].examples) <= set(inside.loc[inside["label"] != inside["prediction"], "image_id"])


def test_a_range_of_a_feature_is_found_with_its_ends() -> None:
    rng = np.random.default_rng(2)
    day = labelled_day(rng, 600)
    dark = (day[BRIGHTNESS] < 85) & (rng.random(600) < 0.5)
    day.loc[dark, "label"] = "other"
    found = searched([day])
    (part,) = [each for each in found[0].where if each.by == BRIGHTNESS]
    assert part.low is None
    assert part.high == pytest.approx(day[BRIGHTNESS].quantile(1 / 3))


def test_two_bad_slices_are_told_one_after_the_other_and_the_second_is_not_the_first_again() -> None:
    rng = np.random.default_rng(4)
    day = labelled_day(rng, 1500)
    for name in ("door-2", "door-7"):
        bad = (day[CAMERA] == name) & (rng.random(1500) < 0.5)
        day.loc[bad, "label"] = "other"
    found = searched([day])
    assert {where(found, 0)[0], where(found, 1)[0]} == {"door-2", "door-7"}


def test_where_the_model_is_equally_right_a_slice_is_told_as_seldom_as_stated() -> None:
    rng, told = np.random.default_rng(6), 0
    for _ in range(80):
        told += bool(searched([labelled_day(rng, 150)], Searching(0.05, 10, 0.95, permutations=99)))
    assert told <= 9  # of 80; more have a chance of 1 % at 5 % a search


def test_a_bad_day_does_not_make_a_slice_of_the_camera_that_was_new_on_it() -> None:
    """Wrong answers are dealt within each day: a camera that was there on the bad day alone is as wrong as the day."""
    rng = np.random.default_rng(7)
    good, bad = labelled_day(rng, 300, wrong=0.05, day=1), labelled_day(rng, 300, wrong=0.5, day=0)
    bad[CAMERA] = np.where(rng.random(300) < 0.5, "new", bad[CAMERA])
    assert searched([bad, good]) == ()
    assert find_slices([pd.concat([bad, good])], {CAMERA: CAMERA}, [], SEARCHING) != ()


def test_the_same_images_give_the_same_slices_in_any_order() -> None:
    rng = np.random.default_rng(8)
    days = [labelled_day(rng, 300, bad=0.5, day=place) for place in range(2)]
    shuffled = [day.sample(frac=1, random_state=1) for day in days]
    assert searched(days) == searched(shuffled) != ()


def test_of_very_many_labels_a_fixed_draw_is_searched(monkeypatch: pytest.MonkeyPatch) -> None:
    """Such as the labels of a table: their dealings anew are 500 times as many."""
    rng = np.random.default_rng(12)
    days = [labelled_day(rng, 2000, bad=0.5, day=place) for place in range(3)]
    monkeypatch.setattr(slices, "MOST_SEARCHED", 1000)
    found = searched(days)
    assert (where(found), found[0].days) == (["door-0"], 3)
    assert found[0].labels + found[0].rest.n == 1000
    assert searched([day.sample(frac=1, random_state=1) for day in days]) == found


def test_nothing_is_searched_where_there_is_nothing_to_compare() -> None:
    day = labelled_day(np.random.default_rng(9), 60)
    assert searched([]) == ()
    assert searched([day.assign(label=day["prediction"])]) == ()
    assert find_slices([day], {}, [], SEARCHING) == ()
    unknown = day.assign(**{CAMERA: None, BRIGHTNESS: np.nan})
    assert find_slices([unknown], {CAMERA: CAMERA}, [BRIGHTNESS], SEARCHING) == ()


def test_images_of_a_greater_weight_count_more() -> None:
    """Wrong answers of a camera that stand for few images each are no sign of a bad camera."""
    rng = np.random.default_rng(10)
    n = 400
    inside = np.arange(n) < 100
    often = inside & (np.arange(n) % 2 == 0)  # asked about nine times as often, since the model is unsure
    wrong = np.where(often, rng.random(n) < 0.5, rng.random(n) < 0.1).astype(float)
    weight = np.where(often, 0.1, 1.0)
    factor = Factor("camera", ("one", "other"), np.where(inside, 0, 1))
    plain = worst_slice(Answers(wrong, np.ones(n), np.zeros(n, dtype=int)), [factor], 0.05, 10, 199)
    weighted = worst_slice(Answers(wrong, weight / weight.mean(), np.zeros(n, dtype=int)), [factor], 0.05, 10, 199)
    assert plain.p_value == 1 / 200
    assert weighted.p_value > 0.05


def test_the_upper_end_of_a_slice_that_was_just_told_is_higher_than_wilsons() -> None:
    just, clearly = chosen_high(20, 40, 0.5, 0.95), chosen_high(20, 40, 0.1, 0.95)
    assert just > 0.8
    assert clearly == pytest.approx(wilson(0.5, 40, 0.95)[1], abs=0.02)


@pytest.mark.parametrize("n", [200, 300, 2_000, 20_000])
def test_the_upper_end_of_a_large_slice_is_as_near_as_its_labels_make_it(n: int) -> None:
    """The chances of so many wrong answers are smaller than a number can be, where few are expected."""
    found = chosen_high(n // 2, n, 0.3, 0.95)
    assert found == pytest.approx(wilson(0.5, n, 0.95)[1], abs=0.005)
    assert chosen_high(n, n, 0.3, 0.95) < 0.05


def test_the_upper_end_of_a_chosen_slice_holds_as_often_as_it_says() -> None:
    wrong = np.random.default_rng(12).binomial(400, 0.3, 20_000)
    told, times = np.unique(wrong[wrong >= 132], return_counts=True)  # with 33 % or more it is told
    ends = np.array([chosen_high(int(one), 400, 0.33, 0.95) for one in told])
    assert 0.965 < times[ends >= 0.7].sum() / times.sum() < 0.99


def test_slices_have_enough_images_inside_and_outside() -> None:
    rng = np.random.default_rng(11)
    wrong = np.zeros(100)
    wrong[:9] = 1.0
    factor = Factor("camera", ("one", "other"), np.where(np.arange(100) < 9, 0, 1))
    answers = Answers(wrong, np.ones(100), rng.integers(0, 1, 100))
    assert wrong_slices(answers, [factor], 0.05, least=10, most=3, permutations=99) == []
    assert [found.where for found in wrong_slices(answers, [factor], 0.05, least=9, most=3, permutations=99)] == [
        (("camera", "one"),)
    ]
