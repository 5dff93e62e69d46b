"""Each version of a day has its own accuracy, and is compared with the serving one on images that no other version answered."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from driftwatch.accuracy.day_verdict import judge_day
from driftwatch.accuracy.history import PastDay, ScoredDay
from driftwatch.accuracy.versions import LEAST_OF_CLASS, independent_difference, version_rows
from driftwatch.artifacts.parts import Interval
from driftwatch.artifacts.versions import VersionAccuracy
from driftwatch.config import MonitorConfig
from driftwatch.models.metrics import share, wilson

from .days import HOLDOUT, with_settings
from .version_days import Counts, by, past_day, scored_day


def rows_of(
    today: ScoredDay, counts: Counts, monitor: MonitorConfig, before: list[PastDay] | None = None
) -> tuple[VersionAccuracy, ...]:
    verdict = judge_day(today, before or [], monitor, HOLDOUT).verdict.accuracy
    return version_rows(today, before or [], monitor, by(counts, today.serving), verdict)


def test_the_difference_is_newcombes_for_independent_shares() -> None:
    """His own example, method 10: 56 of 70 against 48 of 80."""
    found = independent_difference(share(56, 70, 0.95), share(48, 80, 0.95))
    assert found.value == pytest.approx(0.2)
    assert (found.low, found.high) == (pytest.approx(0.0524, abs=1e-4), pytest.approx(0.3339, abs=1e-4))


@pytest.mark.parametrize(
    ("n", "m", "good", "bad"), [(150, 150, 0.95, 0.95), (285, 30, 0.92, 0.85), (1000, 40, 0.99, 0.97)]
)
def test_its_interval_holds_the_true_difference_about_as_often_as_it_says(
    n: int, m: int, good: float, bad: float
) -> None:
    rng = np.random.default_rng([n, m])
    drawn = zip(rng.binomial(m, bad, 1000) / m, rng.binomial(n, good, 1000) / n, strict=True)
    found = [independent_difference(of_share(one, m), of_share(other, n)) for one, other in drawn]
    assert 0.93 < np.mean([row.low <= bad - good <= row.high for row in found]) <= 0.995


def of_share(value: float, n: int) -> Interval:
    low, high = wilson(value, n, 0.95)
    return Interval(value=float(value), low=float(low), high=float(high))


def test_each_version_has_a_row_and_the_serving_one_is_compared_with_nothing(monitor: MonitorConfig) -> None:
    counts = {"8": (60, 42), "7": (140, 133), "9": (50, 47)}
    found = rows_of(scored_day(20, counts, "7"), counts, monitor)
    assert [(row.version, row.answered, row.labels) for row in found] == [
        ("7", 1400, 140),
        ("8", 600, 60),
        ("9", 500, 50),
    ]
    seven, eight, nine = found
    assert seven.difference is None
    assert (eight.difference.finding, nine.difference.finding) == ("worse", "not_told_apart")
    assert eight.difference.value == pytest.approx(42 / 60 - 133 / 140)
    assert (eight.accuracy.low, eight.accuracy.high) == pytest.approx(wilson(0.7, 60, 0.95))
    assert set(seven.recall) == {"cat", "dog"}


def test_both_are_corrected_for_the_same_wrong_labels_where_the_verdict_is(monitor: MonitorConfig) -> None:
    counts = {"7": (140, 126), "8": (100, 75)}
    seven, eight = rows_of(scored_day(20, counts, "7", control=400), counts, monitor)
    assert (seven.judged.kind, eight.judged.kind) == ("corrected", "corrected")
    assert eight.judged.value > eight.accuracy.value  # some labels are wrong
    # The same wrong labels take more from the better model: corrected, the two are further apart.
    assert eight.difference.value < eight.accuracy.value - seven.accuracy.value
    assert eight.difference.value == pytest.approx(eight.judged.value - seven.judged.value, abs=0.01)


def test_what_is_not_known_of_people_is_not_counted_for_both_versions(monitor: MonitorConfig) -> None:
    """Few control answers leave each accuracy unsure, and the difference much less so."""
    counts = {"7": (300, 270), "8": (300, 270)}
    seven, eight = rows_of(scored_day(20, counts, "7", control=6), counts, monitor)
    apart = independent_difference(eight.judged, seven.judged)
    assert eight.difference.value == pytest.approx(0, abs=0.01)
    assert eight.difference.high - eight.difference.low < 0.8 * (apart.high - apart.low)


def test_labels_that_say_nothing_leave_no_difference(monitor: MonitorConfig) -> None:
    counts = {"7": (140, 126), "8": (100, 75)}
    today = scored_day(20, counts, "7", control=400)
    votes = replace(today.evidence.votes, control_right=np.array([10, 10]), control_wrong=np.array([190, 190]))
    by_version = {name: replace(found, votes=votes) for name, found in today.by_version.items()}
    today = replace(today, evidence=by_version["7"], by_version=by_version)
    _, eight = rows_of(today, counts, monitor)
    assert (eight.difference.finding, eight.difference.numbers) == ("not_enough_evidence", None)
    assert "of the labels are wrong: they say nothing about the model" in eight.difference.reason


def test_a_version_with_few_labels_is_not_judged(monitor: MonitorConfig) -> None:
    counts = {"7": (140, 126), "8": (7, 3)}
    _, eight = rows_of(scored_day(20, counts, "7"), counts, monitor)
    assert (eight.judged, eight.recall) == (None, {})
    assert (eight.difference.finding, eight.difference.value) == ("not_enough_evidence", None)
    assert eight.difference.reason == "8 has 7 labels; a comparison needs 30 (performance.min_labels)"
    assert eight.accuracy.numbers is not None  # what there is, is told, with its wide interval


def test_a_version_without_a_label_is_told_without_an_accuracy(monitor: MonitorConfig) -> None:
    counts = {"7": (140, 126), "8": (0, 0)}
    _, eight = rows_of(scored_day(20, counts, "7"), counts, monitor)
    assert (eight.accuracy.value, eight.accuracy.reason) == (None, "no image of the sample has a label")
    assert eight.difference.finding == "not_enough_evidence"


def test_a_small_canary_is_compared_over_days_that_both_answered(monitor: MonitorConfig) -> None:
    counts = {"7": (130, 120), "8": (12, 7)}
    today = scored_day(20, counts, "7")
    only = past_day(17, {"7": (150, 140)}, "7")
    another = past_day(16, {"6": (130, 120), "8": (12, 0)}, "6")  # its own serving version is another
    before = [another, only, *(past_day(number, counts, "7") for number in (18, 19))]
    seven, eight = rows_of(today, counts, monitor, before)
    assert (eight.labels, eight.judged.n, eight.judged.days) == (12, 36, 3)
    assert eight.difference.value == pytest.approx(7 / 12 - 120 / 130)
    assert eight.difference.finding == "worse"
    assert seven.judged.days == 1  # the verdict is that of the day
    found = rows_of(today, counts, with_settings(monitor, pool_days=2), before)[1].difference
    assert found.reason == "8 has 24 labels on 2 days; a comparison needs 30 (performance.min_labels)"


def test_no_more_days_than_needed_are_taken_together(monitor: MonitorConfig) -> None:
    counts = {"7": (130, 120), "8": (31, 20)}
    before = [past_day(number, counts, "7") for number in (18, 19)]
    assert rows_of(scored_day(20, counts, "7"), counts, monitor, before)[1].judged.days == 1


def test_recall_is_given_for_classes_with_enough_labels(monitor: MonitorConfig) -> None:
    counts = {"7": (140, 126), "8": (40, 2 * (LEAST_OF_CLASS - 1))}
    _, eight = rows_of(scored_day(20, counts, "7"), counts, monitor)
    assert set(eight.recall) == {"cat"}  # all mistakes are on cats
    assert eight.recall["cat"].value == pytest.approx(9 / 31)


def test_one_version_has_no_rows(monitor: MonitorConfig) -> None:
    counts = {"7": (140, 126)}
    assert rows_of(scored_day(20, counts, "7"), counts, monitor) == ()
