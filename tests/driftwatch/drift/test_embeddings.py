"""The components of embeddings: whitened, and with a place for what they leave out."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.drift.embeddings import COMPONENTS, fit_projection, project


def test_components_are_whitened_and_new_directions_show_in_the_residual():
    rng = np.random.default_rng(0)
    basis = np.linalg.qr(rng.normal(size=(40, 40)))[0]
    scale = np.r_[np.linspace(5, 1, 20), np.full(20, 1e-3)]
    embeddings = 3 + (rng.normal(size=(500, 40)) * scale) @ basis
    projection = fit_projection(embeddings.astype("float16"))
    assert projection.shape == (1 + COMPONENTS, 41)
    table = project(embeddings, projection)
    assert table.filter(like="component").std().to_numpy() == pytest.approx(np.ones(COMPONENTS), abs=0.05)
    beyond = project(embeddings + 4 * basis[30], projection)
    assert beyond["residual"].mean() > table["residual"].mean() + 0.2
    assert beyond["distance"].mean() == pytest.approx(table["distance"].mean(), abs=0.02)


def test_few_or_constant_embeddings_have_fewer_components():
    rng = np.random.default_rng(1)
    assert fit_projection(rng.normal(size=(5, 30))).shape == (5, 31)
    assert fit_projection(np.ones((60, 8))).shape == (1, 9)
    assert project(np.ones((3, 8)), fit_projection(np.ones((60, 8)))).shape == (3, 2)
    assert len(project(np.zeros((0, 30)), fit_projection(rng.normal(size=(50, 30))))) == 0
