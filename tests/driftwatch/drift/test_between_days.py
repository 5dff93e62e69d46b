"""A segment whose days differ by nature is compared with its usual days as days."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from tests.stores import SMALLEST

from driftwatch.config import MonitorConfig
from driftwatch.drift.between_days import LEAST_DAYS, caps
from driftwatch.drift.segment_days import DAY, Segment
from driftwatch.drift.segment_features import judge_features
from driftwatch.drift.segment_tests import Sample
from driftwatch.drift.segments import Judged
from driftwatch.drift.two_sample import TESTS

IMAGES, DAYS = 40, 14


def days_of(rng: np.random.Generator, spread: float, days: int = DAYS, features: int = 2) -> np.ndarray:
    """[days, IMAGES, features]: the first feature's days differ by `spread`, in standard deviations of a day's images."""
    values = rng.normal(size=(days, IMAGES, features))
    values[:, :, 0] += spread * rng.normal(size=(days, 1))
    return values


def sample_of(values: np.ndarray, shift: float = 0.0, known: bool = True) -> Sample:
    """The first day against the others."""
    ours, usual = values[0] + shift, values[1:].reshape(-1, values.shape[2])
    return Sample(ours, usual, days=np.repeat(np.arange(len(values) - 1), IMAGES) if known else None)


def highest(values: np.ndarray, **more: float | bool) -> float:
    return float(sample_of(values, **more).scores()[0].max())  # type: ignore[arg-type]


def test_a_day_like_the_usual_ones_has_a_high_score_no_more_often_than_chance_says() -> None:
    rng = np.random.default_rng(1)
    worlds = [days_of(rng, 0.6, DAYS + 1) for _ in range(120)]
    taken_as_one, as_days = (np.array([highest(values, known=known) for values in worlds]) for known in (False, True))
    assert (taken_as_one > 3).mean() > 0.2  # one in a thousand is stated for each of four tests
    assert (as_days > 3).mean() <= 0.01


def test_a_day_far_from_all_usual_days_is_still_found() -> None:
    rng = np.random.default_rng(2)
    found = [highest(days_of(rng, 0.3, DAYS + 1), shift=4.0) for _ in range(20)]
    assert min(found) > 4


def test_features_whose_days_do_not_differ_keep_their_scores() -> None:
    values = days_of(np.random.default_rng(3), 0.6)
    sample, alone = sample_of(values, shift=1.0), sample_of(values, shift=1.0, known=False)
    capped = sample.scores() < alone.scores()
    assert capped[0].any()
    assert (sample.scores()[1] == alone.scores()[1]).all()


def test_few_features_are_capped_in_vain() -> None:
    rng = np.random.default_rng(4)
    samples = [sample_of(days_of(rng, 0.0, features=10)) for _ in range(20)]
    finite = np.mean(
        [np.isfinite(caps(one.ours, one.usual, one.days)) for one in samples if one.days is not None], axis=(0, 1)
    )
    assert finite[TESTS.index("shift")] < 0.1
    assert finite.max() < 0.25


@pytest.mark.parametrize("usual_days", [1, LEAST_DAYS - 1])
def test_of_few_usual_days_nothing_is_known(usual_days: int) -> None:
    one = sample_of(days_of(np.random.default_rng(5), 1.0, usual_days + 1))
    assert one.days is not None
    assert np.isinf(caps(one.ours, one.usual, one.days)).all()


def test_a_constant_feature_is_not_capped_and_has_no_score() -> None:
    values = np.ones((DAYS, IMAGES, 1))
    assert sample_of(values).scores().max() == 0


def test_the_test_of_a_segment_takes_its_usual_images_by_their_days() -> None:
    values = days_of(np.random.default_rng(6), 0.8, DAYS + 1)
    values[0, :, 0] += 1.2 - values[0, :, 0].mean()
    config, segment = (
        MonitorConfig.model_validate({**SMALLEST, "segments": {"camera": {"key": "^([^/]+)/"}}}),
        Segment("camera", "door-1"),
    )
    table = pd.DataFrame(values[0], columns=["a", "b"]).assign(image_id=[f"{n:03d}" for n in range(IMAGES)])
    usual = pd.DataFrame(values[1:].reshape(-1, 2), columns=["a", "b"]).assign(
        **{DAY: np.repeat(np.arange(DAYS), IMAGES)}
    )

    def p_value(of: pd.DataFrame) -> float:
        judged = judge_features(table, {segment: np.arange(IMAGES)}, {segment: [of]}, ["a", "b"], config)[segment][1]
        assert isinstance(judged, Judged)
        return judged.p_value

    assert p_value(usual) > 1000 * p_value(usual.drop(columns=DAY))
