"""The paired difference that images without a label sharpen: its error rate holds, and it gains where the scores explain something."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftwatch.models.powered import LEAST_DIFFERING, Answers, expected_difference, sharpened


def drawn(
    rng: np.random.Generator, n: int, images: int, gain: float, differing: float = 0.2, explained: float = 0.6
) -> tuple[np.ndarray, Answers, Answers]:
    """`images` of a day, the first `n` with a label: what is won and lost follows the scores as `explained` says."""
    differ = rng.random(images) < differing
    expected = np.where(differ, rng.uniform(-0.6, 0.6, images), 0)
    won = rng.random(images) < 0.5 + gain / differing / 2 + explained * expected
    gained = np.where(differ, np.where(won, 1, -1), 0)
    every = Answers(differ, expected, np.ones(images))
    return gained[:n], Answers(differ[:n], expected[:n], np.ones(n)), every


@pytest.mark.parametrize("n", [60, 150])
@pytest.mark.parametrize("explained", [0.0, 0.6])
def test_models_that_are_equally_good_pass_at_most_one_time_in_twenty(n: int, explained: float) -> None:
    rng = np.random.default_rng(n)
    found = [sharpened(*drawn(rng, n, 800, 0.0, explained=explained), level=0.95) for _ in range(1500)]
    assert np.mean([each is not None and each.p_value <= 0.05 for each in found]) <= 0.05


def test_the_lower_bound_is_above_the_truth_about_one_time_in_twenty() -> None:
    rng = np.random.default_rng(3)
    found = [sharpened(*drawn(rng, 150, 800, 0.08), level=0.95) for _ in range(1500)]
    assert 0.02 <= np.mean([each is not None and each.low > 0.08 for each in found]) <= 0.065


def test_scores_that_explain_who_is_right_make_the_difference_more_certain_than_more_luck_of_the_labels() -> None:
    rng = np.random.default_rng(4)
    errors = []
    for _ in range(50):
        gained, labelled, every = drawn(rng, 300, 3000, 0.08)
        silent = (Answers(each.differ, np.zeros(len(each.differ)), each.weight) for each in (labelled, every))
        errors.append([sharpened(gained, *each, 0.95).error for each in ((labelled, every), tuple(silent))])
    with_scores, without = np.mean(errors, axis=0)
    assert with_scores < 0.95 * without


def test_labels_that_fell_on_easy_images_of_the_challenger_are_corrected() -> None:
    """Where it is expected to win it does, and the labels are of such images only: half of the day's are of the other kind."""
    expected = np.array([0.5, 0.5, -0.5, -0.5] * 50)
    gained = np.where(expected > 0, 1, -1)
    chosen = np.r_[np.where(expected > 0)[0][:60], np.where(expected < 0)[0][:15]]
    every = Answers(np.ones(200, bool), expected, np.ones(200))
    labelled = Answers(np.ones(75, bool), expected[chosen], np.ones(75))
    assert gained[chosen].mean() == pytest.approx(0.6)
    assert sharpened(gained[chosen], labelled, every, 0.95).difference == pytest.approx(0, abs=0.02)


def test_a_day_counts_by_its_weight_and_not_by_its_images() -> None:
    differ = np.r_[np.ones(100, bool), np.zeros(900, bool)]
    every = Answers(differ, np.zeros(1000), np.r_[np.full(100, 9.0), np.ones(900)])
    labelled = Answers(np.ones(20, bool), np.zeros(20), np.ones(20))
    found = sharpened(np.tile([1, 1, 1, -1], 5), labelled, every, 0.95)
    assert found.share_differing == pytest.approx(0.5)


def test_wins_alone_are_not_certain() -> None:
    every = Answers(np.arange(500) < 100, np.zeros(500), np.ones(500))
    found = sharpened(np.ones(12, int), Answers(np.ones(12, bool), np.zeros(12), np.ones(12)), every, 0.95)
    assert 0 < found.low < found.difference < found.high <= found.share_differing * 1.2
    assert found.p_value > 0.5**20


def test_with_few_labels_on_which_the_answers_differ_nothing_is_sharpened() -> None:
    few = LEAST_DIFFERING - 1
    every = Answers(np.ones(100, bool), np.zeros(100), np.ones(100))
    assert sharpened(np.ones(few, int), Answers(np.ones(few, bool), np.zeros(few), np.ones(few)), every, 0.95) is None


def test_images_of_days_without_a_label_count_nothing_and_sharpen_nothing() -> None:
    every = Answers(np.arange(100) < 20, np.zeros(100), np.r_[np.zeros(20), np.ones(80)])
    labelled = Answers(np.ones(12, bool), np.zeros(12), np.ones(12))
    assert sharpened(np.ones(12, int), labelled, every, 0.95) is None


def test_the_expected_difference_is_that_of_the_challengers_scores() -> None:
    champion = pd.DataFrame({"prediction": ["cat", "cat", "cat", None]})
    challenger = pd.DataFrame({"prediction": ["dog", "cat", "dog", "dog"], "score.cat": [0.3, 0.8, np.nan, 0.1]})
    challenger["score.dog"] = 1 - challenger["score.cat"]
    assert expected_difference(champion, challenger, ["cat", "dog"]) == pytest.approx([0.4, 0, 0, 0])


def test_without_any_scores_nothing_is_expected() -> None:
    said = pd.DataFrame({"prediction": ["cat", "dog"]})
    assert expected_difference(said, said[::-1].reset_index(drop=True), ["cat", "dog"]).tolist() == [0, 0]
