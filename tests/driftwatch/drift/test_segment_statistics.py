"""The tests behind the verdicts on segments: their chances far in the tail, with many segments, few classes, and huge differences."""

from __future__ import annotations

from datetime import date

import numpy as np
import pandas as pd
import pytest
from tests.stores import SMALLEST

from driftwatch.config import MonitorConfig
from driftwatch.drift import segment_tests
from driftwatch.drift.segment_days import Segment
from driftwatch.drift.segment_features import judge_features
from driftwatch.drift.segment_shares import compare_counts
from driftwatch.drift.segment_tests import Sample, judge_samples
from driftwatch.drift.segments import Silence, judge
from driftwatch.models.metrics import holm

FIRST = date(2026, 3, 1)
CAMERA = {"camera": {"key": "^([^/]+)/"}}


def test_far_in_the_tail_the_stated_chance_holds_with_features_that_are_alike():
    rng = np.random.default_rng(5)
    mixing = rng.normal(size=(4, 6))

    def images(n: int) -> np.ndarray:
        values = rng.normal(size=(n, 4)) @ mixing + 0.3 * rng.normal(size=(n, 6))
        values[:, 5] = values[:, 5].round()
        return values

    tests = judge_samples([Sample(images(20), images(80))], 0)[0].tests
    others = np.concatenate([segment_tests._splits(Sample(images(20), images(80)), 5000, [turn]) for turn in range(4)])
    p_values = tests * 10.0**-others
    assert (p_values <= 0.0005).sum() <= 22  # of 20,000: 10 are stated
    assert (p_values <= 0.01).sum() >= 80


def test_holm_corrects_for_the_number_of_segments():
    assert holm(np.array([0.04, 0.001, 0.02])).tolist() == pytest.approx([0.04, 0.003, 0.04])
    assert holm(np.array([])).tolist() == []


def test_the_shares_of_two_classes_have_fishers_exact_mid_p():
    found = compare_counts(np.array([1, 9]), np.array([9, 1]))
    assert found.p_value == pytest.approx(2 * (1 + 100 / 2) / 184756)
    assert found.of_classes[0] == pytest.approx(found.of_classes[1])
    assert compare_counts(np.array([0, 0, 5]), np.array([0, 0, 50])).p_value == 1


def test_of_a_camera_that_is_wholly_other_only_what_moved_is_named():
    rng = np.random.default_rng(3)
    columns = ["still", "moved", "moved.more"]
    ours, usual = (pd.DataFrame(rng.normal(size=(1_000, 3)), columns=columns) for _ in range(2))
    ours["moved"] += 9
    ours["moved.more"] += 99 + ours["moved"]
    table = ours.assign(image_id=[f"{number}" for number in range(1_000)], phash=None)
    door, config = Segment("camera", "door-1"), MonitorConfig.model_validate({**SMALLEST, "segments": CAMERA})
    tests = judge_features(table, {door: np.arange(1_000)}, {door: [usual]}, columns, config)
    (found,) = judge("image_quality", tests, [], config, FIRST, Silence())
    assert 0 < found.p_value < 1e-200
    assert {feature.feature for feature in found.features} == {"moved", "moved.more"}
