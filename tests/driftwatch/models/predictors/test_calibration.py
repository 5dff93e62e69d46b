"""Probabilities mean what they say."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.models.predictors.calibration import fit_temperature, probabilities


def test_the_temperature_undoes_what_made_a_model_too_sure() -> None:
    rng = np.random.default_rng(0)
    honest = rng.normal(0, 1.5, (4000, 2))
    labels = (rng.random(4000) < probabilities(honest, 1.0)[:, 1]).astype(int)
    assert fit_temperature(honest * 2.5, labels) == pytest.approx(2.5, rel=0.1)
    assert fit_temperature(honest[:20], labels[:20]) == 1.0
