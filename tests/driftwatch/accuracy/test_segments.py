"""Segments' accuracy: what is told of many and of few labels, the level for all segments together, weights."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest

from driftwatch.accuracy.segments import Judging, Labelled, judge_segments, together
from driftwatch.artifacts.segment_accuracy import SegmentAccuracy
from driftwatch.models.metrics import holm, wilson

from .labelled import CAMERA, labelled_day, of_shares

JUDGING = Judging(floor=0.7, alpha=0.01, least=10, needed=30, confidence=0.95)


def judged(days: list[pd.DataFrame], judging: Judging = JUDGING) -> dict[str, SegmentAccuracy]:
    images = days[0][CAMERA].value_counts() * 3
    return {each.name: each for each in judge_segments(days, {CAMERA: CAMERA}, {CAMERA: images.to_dict()}, judging)}


def test_one_bad_camera_is_named_first_with_the_others_beside_it_and_its_mistakes() -> None:
    day = of_shares([("door-1", 40, 36), ("door-2", 40, 16), ("door-3", 40, 35)])
    found = judged([day])
    assert next(iter(found)) == "door-2"
    bad = found["door-2"]
    assert (bad.verdict, bad.found, bad.labels, bad.images) == ("alert", ("below_floor", "worse_than_rest"), 40, 120)
    assert bad.accuracy.value == pytest.approx(0.4)
    assert bad.rest.value == pytest.approx(71 / 80)
    assert bad.p_value < 0.001
    assert set(bad.examples) <= set(day.loc[day["prediction"] == "dog", "image_id"])
    assert [found[name].verdict for name in ("door-1", "door-3")] == ["ok", "ok"]
    assert found["door-1"].examples == ()


def test_a_segment_with_few_labels_is_never_ok_and_with_very_few_not_asked() -> None:
    found = judged([of_shares([("many", 200, 180), ("few", 20, 18), ("bad", 20, 4), ("hardly", 5, 0)])])
    assert {name: each.verdict for name, each in found.items()} == {
        "many": "ok", "few": "not_enough_evidence", "bad": "alert", "hardly": "not_enough_evidence"
    }  # fmt: skip
    assert found["hardly"].p_value is None
    assert found["hardly"].accuracy.numbers is not None


def test_only_a_segment_with_few_labels_is_judged_together_with_days_before() -> None:
    days = [of_shares([("many", 60, 54), ("few", 12, 4)]) for _ in range(5)]
    found = judged(days)
    assert (found["many"].days, found["many"].labels) == (1, 60)
    assert (found["few"].days, found["few"].labels, found["few"].verdict) == (3, 36, "alert")
    assert (found["few"].rest.n, found["many"].rest.n) == (180, 12)


def test_a_segment_below_the_floor_but_like_the_rest_is_below_the_floor_alone() -> None:
    found = judged([of_shares([("one", 200, 100), ("other", 200, 100)])])
    assert [each.found for each in found.values()] == [("below_floor",), ("below_floor",)]


def test_images_in_no_segment_are_part_of_the_rest() -> None:
    day = of_shares([("one", 40, 10), ("nowhere", 80, 72)])
    day.loc[day[CAMERA] == "nowhere", CAMERA] = None
    found = judged([day])
    assert (list(found), found["one"].rest.n, found["one"].verdict) == (["one"], 80, "alert")


def test_a_plain_sample_has_wilsons_interval_on_one_day_and_on_several() -> None:
    rows = of_shares([("one", 50, 40)])
    found = Labelled.of(together([rows])).share(np.ones(50, dtype=bool), 0.95)
    assert (found.value, found.effective_n) == (0.8, pytest.approx(50))
    assert (found.low, found.high) == pytest.approx(wilson(0.8, 50, 0.95))
    halves = Labelled.of(together([rows[::2], rows[1::2]])).share(np.ones(50, dtype=bool), 0.95)
    assert (halves.value, halves.effective_n) == (pytest.approx(0.8), pytest.approx(50))


def test_a_stratified_sample_is_weighted_and_its_interval_holds() -> None:
    """Of 2,000 images a third is sure and right on 95 %, and the unsure ones, right on 60 %, are asked about four times as often."""
    rng, inside, values = np.random.default_rng(5), 0, []
    for _ in range(400):
        n = {"sure": int(rng.binomial(60, 0.5)), "unsure": int(rng.binomial(80, 0.5))}
        right = np.concatenate([rng.random(n["sure"]) < 0.95, rng.random(n["unsure"]) < 0.6])
        weight, stratum = np.repeat([1 / 0.06, 1 / 0.24], [*n.values()]), np.repeat([0, 1], [*n.values()])
        labelled = Labelled(np.arange(len(right)), right, weight, np.zeros(len(right), dtype=int), stratum)
        found = labelled.share(np.ones(len(right), dtype=bool), 0.95)
        truth = 0.95 * 0.75 + 0.6 * 0.25  # 1,000 sure images, 333 unsure ones
        values.append(found.value)
        inside += found.low <= truth <= found.high
    assert np.mean(values) == pytest.approx(0.8625, abs=0.005)
    assert 0.93 <= inside / 400 <= 0.995


def test_of_equal_segments_any_is_named_on_at_most_the_stated_share_of_days() -> None:
    """20 cameras with some 25 labels each, of a model that is just at the floor; 5 % stated."""
    judging = Judging(floor=0.85, alpha=0.05, least=10, needed=30, confidence=0.95)
    rng, named = np.random.default_rng(3), 0
    for _ in range(40):
        day = labelled_day(rng, labels=20 * 25, cameras=20)
        named += any(each.verdict == "alert" for each in judged([day], judging).values())
    assert named <= 5  # of 40; more have a chance of 1.4 % at 5 % a day


def test_holm_is_as_by_hand_and_leaves_out_what_was_not_asked() -> None:
    found = holm(np.array([[0.01, np.nan], [0.04, 0.03], [0.005, np.nan]]))
    assert found[:, 0] == pytest.approx([0.03, 0.06, 0.02])
    assert found[1, 1] == pytest.approx(0.06)
    assert np.isnan(found[[0, 2], 1]).all()


def test_wrong_labels_are_reckoned_with_in_the_floor(small_monitor: object) -> None:
    from driftwatch.config.performance import PerformanceConfig

    settings = PerformanceConfig(floor=0.8)
    assert Judging.of(settings, 0.0, 2).floor == pytest.approx(0.8)
    assert Judging.of(settings, 0.1, 2).floor == pytest.approx(0.8 * 0.9 + 0.2 * 0.1)
    assert Judging.of(PerformanceConfig(floor=0.1), 0.3, 2).floor == 0.1
