"""What holds of every predictor. A new one joins by its name in KINDS, in conftest.py."""

from __future__ import annotations

import numpy as np
import pytest

from driftwatch.errors import NeedsAttention
from driftwatch.models.predictors.base import Asked, Predictions, Predictor

from .conftest import CLASSES, SIDE, extremes, ids_of, pictures

NEAR = 1e-6


def asked(predictor: Predictor, n: int, batch_size: int = 4) -> Predictions:
    return predictor.predict(Asked([pictures(n)], image_ids=ids_of(pictures(n))), batch_size)


def test_scores_stand_in_the_order_of_the_cards_classes(any_predictor) -> None:
    assert any_predictor.classes == len(CLASSES)
    found = asked(any_predictor, 9)
    assert found.scores.argmax(axis=1).tolist() == [0, 1, 2] * 3
    assert found.table(CLASSES)["prediction"].tolist() == [*CLASSES] * 3


@pytest.mark.parametrize("n", [0, 1, 4, 11])
def test_each_image_has_scores_a_version_and_the_same_width_of_embedding(any_predictor, n) -> None:
    found = asked(any_predictor, n)
    assert found.scores.shape == (n, len(CLASSES))
    assert found.scores.dtype == np.float64
    assert len(found.versions) == n
    assert all(found.versions)
    if found.embeddings is not None:
        assert found.embeddings.dtype == np.float16
        assert found.embeddings.shape == (n, asked(any_predictor, 2).embeddings.shape[1])


def test_scores_are_finite_probabilities(any_predictor) -> None:
    of_extremes = any_predictor.predict(Asked([extremes()], image_ids=ids_of(extremes())), 4)
    for scores in (asked(any_predictor, 11).scores, of_extremes.scores):
        assert np.isfinite(scores).all()
        assert ((scores >= 0) & (scores <= 1)).all()
        np.testing.assert_allclose(scores.sum(axis=1), 1, atol=NEAR)


@pytest.mark.parametrize("batch_size", [1, 3, 11, 64])
def test_an_image_has_the_same_scores_in_whatever_batch_and_block(any_predictor, batch_size) -> None:
    whole, images = asked(any_predictor, 11), pictures(11)
    cut = Asked(iter([images[:5], images[5:5], images[5:]]), image_ids=ids_of(images))
    found = any_predictor.predict(cut, batch_size)
    np.testing.assert_allclose(found.scores, whole.scores, atol=NEAR)
    if whole.embeddings is not None:
        np.testing.assert_allclose(found.embeddings, whole.embeddings, rtol=2e-3)


def test_the_same_images_in_the_same_batches_give_the_same_bytes(any_predictor) -> None:
    one, again = (asked(any_predictor, 11) for _ in range(2))
    assert one.scores.tobytes() == again.scores.tobytes()
    assert (one.embeddings is None) == (again.embeddings is None)
    assert one.embeddings is None or one.embeddings.tobytes() == again.embeddings.tobytes()


def test_images_of_another_size_are_refused_with_both_sizes(any_predictor) -> None:
    if any_predictor.input_size is None:
        pytest.skip("it looks at no image")
    assert any_predictor.input_size == (SIDE, SIDE)
    with pytest.raises(NeedsAttention, match=rf"{SIDE}.*{2 * SIDE}"):
        any_predictor.predict(Asked([np.zeros((2, 2 * SIDE, 2 * SIDE, 3), np.uint8)]), 4)
