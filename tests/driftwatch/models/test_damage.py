"""The damage that features show is found, and a day like the reference shows none."""

from __future__ import annotations

from collections.abc import Iterator

import cv2
import numpy as np
import pandas as pd
import pytest

from driftwatch.images.features import COLUMNS, image_features
from driftwatch.models.damage import STRENGTHS, apply_damage, estimate_damage


def scene(rng: np.random.Generator) -> np.ndarray:
    """uint8 [96, 128, 3]: shapes over clouds over grain, about as sharp as a photo."""
    clouds = cv2.resize(rng.normal(0, 40, (10, 14, 3)).astype("float32"), (128, 96), interpolation=cv2.INTER_CUBIC)
    picture = np.clip(rng.uniform(70, 180, 3) + clouds, 0, 255).astype("uint8")
    for _ in range(14):
        centre = (int(rng.integers(128)), int(rng.integers(96)))
        cv2.circle(picture, centre, int(rng.integers(2, 22)), [int(c) for c in rng.integers(0, 256, 3)], -1)
    return np.clip(picture + rng.normal(0, 3, picture.shape), 0, 255).astype("uint8")


def features_of(images: list[np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame([image_features(rgb) for rgb in images], columns=list(COLUMNS))


@pytest.fixture(scope="module")
def reference() -> list[np.ndarray]:
    rng = np.random.default_rng(0)
    return [scene(rng) for _ in range(30)]


@pytest.fixture(scope="module", autouse=True)
def _looked_at_once() -> Iterator[None]:
    """Each test gives the same reference the same damages: their features, which take the time, are kept."""
    kept: dict[bytes, dict[str, float]] = {}

    def features(rgb: np.ndarray) -> dict[str, float]:
        key = rgb.tobytes()
        if key not in kept:
            kept[key] = image_features(rgb)
        return kept[key]

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("driftwatch.models.damage.image_features", features)
        yield


@pytest.mark.parametrize(
    ("kind", "strength"),
    [
        ("blur", 5),
        ("brightness", 0.2),
        *(
            pytest.param(kind, strength, marks=pytest.mark.all_faults("two kinds are in the plain suite"))
            for kind, strength in (("pixelate", 12), ("noise", 40), ("contrast", 0.25), ("jpeg", 8))
        ),
    ],
)
def test_the_kind_of_damage_is_found_and_its_strength_nearly(reference, kind, strength) -> None:
    rng = np.random.default_rng(1)
    day = [apply_damage(scene(rng), kind, strength, number) for number in range(50)]
    found = estimate_damage(reference, features_of(day))
    assert found.kind == kind
    assert max(found.strength / strength, strength / found.strength) < 1.4
    assert found.distance < found.undamaged_distance / 2


def test_a_day_like_the_reference_shows_no_damage(reference) -> None:
    rng = np.random.default_rng(2)
    assert estimate_damage(reference, features_of([scene(rng) for _ in range(50)])).kind == "none"


@pytest.mark.parametrize("kind", sorted(STRENGTHS))
def test_damage_keeps_the_size_and_changes_the_picture(reference, kind) -> None:
    damaged = apply_damage(reference[0], kind, STRENGTHS[kind][2])
    assert damaged.shape == reference[0].shape
    assert damaged.dtype == np.uint8
    assert np.abs(damaged.astype(int) - reference[0]).mean() > 2
