"""The evidence over all days: rarely false however often it is looked at, fast, and gone when the accuracy is back."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.accuracy.sequential import FIRST_DAY, Found, Looks, look

DAYS, SERIES = 120, 300
# Of a chance of 20 % in DAYS.
LIMIT = (DAYS + FIRST_DAY - 1) / 0.2


def looks(agreement: np.ndarray, labels: float, error: float = 0.0) -> Looks:
    """Days one after the other, whose labels are wrong with the chance `error` in two classes."""
    every = np.ones_like(agreement)
    return Looks(agreement, labels * every, error * every, error * every)


def simulated(accuracy: np.ndarray, labels: int, images: int, seed: int = 0, error: float = 0.0, holdout: float = 0.9):
    """What is found of `accuracy` [series, days] with `labels` a day, and a holdout of so many images."""
    rng = np.random.default_rng(seed)
    agreeing = accuracy * (1 - error) + (1 - accuracy) * error
    held = rng.binomial(images, holdout, len(accuracy)) / images
    shares = rng.binomial(labels, agreeing) / labels
    return look(looks(shares, labels, error), held, np.full(len(held), images), LIMIT)


def alarms(found: Found) -> float:
    return float((found.evidence >= 1).any(axis=1).mean())


def delay(found: Found, start: int) -> float:
    """Median days from `start` to the first alarm, 1 being the same day."""
    after = found.evidence[:, start:] >= 1
    return float(np.median(np.where(after.any(axis=1), after.argmax(axis=1) + 1, np.inf)))


def fallen(by: float, start: int, days: int, series: int = 60) -> np.ndarray:
    accuracy = np.full((series, days), 0.9)
    accuracy[:, start:] -= by
    return accuracy


@pytest.mark.parametrize(
    ("accuracy", "labels", "images", "error"),
    [(0.95, 30, 100, 0.0), (0.7, 30, 200, 0.0), (0.99, 100, 300, 0.0), (0.9, 200, 1000, 0.05), (0.95, 5, 600, 0.0)],
)
def test_looking_every_day_raises_no_more_false_alarms_than_stated(accuracy, labels, images, error) -> None:
    usual = np.full((SERIES, DAYS), accuracy)
    assert alarms(simulated(usual, labels, images, error=error, holdout=accuracy)) <= 0.2


def test_a_collapse_is_seen_the_same_day() -> None:
    accuracy = np.full((1, 4), 0.88)
    agreement = np.concatenate([accuracy, [[0.6]]], axis=1)
    found = look(looks(agreement, 100), np.array([0.88]), np.array([600]), 2 * 394 / 0.1)
    assert (found.evidence[0, :4].max() < 0.1, found.evidence[0, 4] > 1, found.since[0, 4]) == (True, True, 4)


def test_a_fall_after_many_days_is_seen_as_soon_as_one_after_few() -> None:
    early, late = (simulated(fallen(0.08, start, start + 30), 100, 3000) for start in (5, 150))
    assert delay(late, 150) <= delay(early, 5) <= 5
    assert np.median(np.abs(late.since[:, -1] - 150)) <= 2


def test_the_holdouts_own_error_is_one_error_that_days_do_not_average_out() -> None:
    """A production that is steadily 3 points below what few held-out images say is no news; what many say is."""
    below = np.full((60, DAYS), 0.87)
    unsure, sure = (simulated(below, 100, images, holdout=0.9) for images in (100, 20_000))
    assert alarms(unsure) < 0.2
    assert alarms(sure) > 0.9


def test_an_alarm_lasts_while_the_accuracy_is_low_and_ends_when_it_is_back() -> None:
    accuracy = fallen(0.1, 20, 80)
    accuracy[:, 60:] = 0.9
    found = simulated(accuracy, 100, 600)
    fires = found.evidence >= 1
    assert fires[:, 30:60].mean() > 0.97
    back = np.where(~fires[:, 60:].all(axis=1), (~fires[:, 60:]).argmax(axis=1) + 1, 99)
    assert np.median(back) <= 4
    # The bad days did not become usual ones, and the same fall is seen again.
    assert np.median(np.abs(found.usual[:, -1] - 0.9)) < 0.015


def test_days_of_the_same_numbers_give_the_same_evidence_alone_and_among_others() -> None:
    shares = np.random.default_rng(3).binomial(50, 0.9, (4, 30)) / 50
    held, images = np.array([0.9, 0.92, 0.88, 0.9]), np.array([100, 300, 500, 800])
    together = look(looks(shares, 50), held, images, 1e4)
    for row in range(4):
        alone = look(looks(shares[[row], :20], 50), held[[row]], images[[row]], 1e4)
        assert np.allclose(alone.evidence[0], together.evidence[row, :20], rtol=1e-9)


@pytest.mark.parametrize("share", [0.0, 1.0])
def test_a_day_without_a_mistake_or_without_a_right_answer_has_evidence(share) -> None:
    found = look(looks(np.full((1, 3), share), 40), np.array([1.0]), np.array([100]), 1e4)
    assert np.isfinite(found.evidence).all()
    assert (found.evidence[0, -1] > 1) == (share == 0)


@pytest.mark.parametrize("images", [600, 1e9])
@pytest.mark.parametrize("labels", [5_000, 1_000_000])
def test_a_collapse_on_very_many_labels_is_seen_and_ends_like_one_on_few(labels, images) -> None:
    """Such as the labels of a table: their likelihood ratio is more than a number holds."""
    shares = np.array([[0.9] * 3 + [0.1] * 3 + [0.9] * 5])
    found = look(looks(shares, labels), np.array([0.85]), np.array([images]), LIMIT)
    assert np.isfinite(found.evidence).all()
    assert (found.evidence[0] >= 1).tolist() == [False] * 3 + [True] * 3 + [False] * 5
    assert found.since[0, 3:6].tolist() == [3, 3, 3]


@pytest.mark.parametrize("images", [0.01, 0.3, 1.0])
def test_a_holdout_that_is_worth_less_than_an_image_raises_no_alarm_and_no_error(images) -> None:
    found = look(looks(np.full((1, 5), 0.9), 60), np.array([0.9]), np.array([images]), LIMIT)
    assert np.isfinite(found.evidence).all()
    assert (found.usual > 0).all()
    assert (found.evidence < 1).all()
