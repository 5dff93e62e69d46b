"""Damage: what seems to be wrong with the camera. It is estimated from the features alone, and labelled images can be given the same damage.

The kinds of damage and their scales follow ImageNet-C (Hendrycks and Dietterich, 2019), at the strengths that cost accuracy. Clean
labelled images with the same damage are worth hundreds of new labels in a training, and they need no new label.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import cv2
import numpy as np
import pandas as pd

from driftwatch.artifacts.models import DamageEstimate
from driftwatch.images.features import COLUMNS, image_features

NONE = "none"
# Strengths from weak to strong, and what they are measured in.
STRENGTHS: dict[str, tuple[float, ...]] = {
    "blur": (0.75, 1.5, 3, 4.5, 6, 9),  # sigma in pixels of an image 224 wide
    "pixelate": (64, 40, 28, 20, 14, 10, 7),  # blocks over the width
    "noise": (8, 16, 30, 50, 75),  # sigma, of 255
    "contrast": (0.65, 0.45, 0.3, 0.2, 0.12),  # factor on the distance from the mean
    "brightness": (1.7, 0.65, 0.4, 0.25, 0.15),  # factor
    "jpeg": (30, 18, 10, 6),  # quality
}
_REFERENCE_WIDTH = 224
_QUANTILES = (0.1, 0.25, 0.5, 0.75, 0.9)
# A limit for each feature: one that a damage moves by dozens of standard deviations must not outweigh all others.
_MOST_DEVIATIONS = 3.0
# A damage must explain the days better than no damage by so much (mean standard deviations). This value is a choice: on real photos,
# damages that cost accuracy gained about .5 or more.
_LEAST_GAIN = 0.06
# The strengths above are coarse for a camera whose pictures are much alike. So the likeliest kinds are tried in finer steps.
_REFINED_KINDS, _REFINEMENTS = 3, 2
_FILE_QUALITY = 90  # damaged pictures are stored as JPEG files, and the features see the traces of JPEG


def apply_damage(rgb: np.ndarray, kind: str, strength: float, seed: int = 0) -> np.ndarray:
    """uint8 [h, w, 3] as the damaged camera would have stored it, at the same size. `seed` matters to noise alone."""
    height, width = rgb.shape[:2]
    if kind == "blur":
        return _stored(cv2.GaussianBlur(rgb, (0, 0), strength * width / _REFERENCE_WIDTH))
    if kind == "pixelate":
        across = max(1, min(round(strength), width))
        blocks = (across, max(1, round(across * height / width)))
        return _stored(
            cv2.resize(
                cv2.resize(rgb, blocks, interpolation=cv2.INTER_AREA), (width, height), interpolation=cv2.INTER_NEAREST
            )
        )
    if kind == "noise":
        noise = np.random.default_rng(seed).standard_normal(rgb.shape, dtype=np.float32)
        return _stored(_to_bytes(rgb + noise * strength))
    if kind == "contrast":
        mean = rgb.mean(axis=(0, 1), keepdims=True, dtype=np.float32)
        return _stored(_to_bytes((rgb - mean) * strength + mean))
    if kind == "brightness":
        return _stored(_to_bytes(rgb * np.float32(strength)))
    if kind == "jpeg":
        return _stored(rgb, round(strength))
    raise ValueError(f"damage {kind!r}: allowed are {sorted(STRENGTHS)}")


def estimate_damage(images: Sequence[np.ndarray], days: pd.DataFrame) -> DamageEstimate:
    """The damage that makes the features of reference `images` (uint8 [h, w, 3], about 40) most like those of the `days`.

    The quantiles of each feature are compared, in standard deviations of the undamaged images. Width and height are left out: no
    damage changes them. The answer is "none" if no damage explains the days clearly better.
    """
    columns = [column for column in COLUMNS if "ImagePixel" not in column]
    target = days[columns].quantile(list(_QUANTILES)).to_numpy()
    undamaged = _features(images)[columns]
    scale = np.maximum(undamaged.std().to_numpy(), 1e-6)

    def distance(features: pd.DataFrame) -> float:
        gaps = np.abs(features[columns].quantile(list(_QUANTILES)).to_numpy() - target) / scale
        return float(np.minimum(gaps, _MOST_DEVIATIONS).mean())

    def distance_by(kind: str, strength: float) -> float:
        return distance(_features([apply_damage(rgb, kind, strength, n) for n, rgb in enumerate(images)]))

    as_is = distance(undamaged)
    tried = {kind: {float(strength): 0.0 for strength in strengths} for kind, strengths in STRENGTHS.items()}
    for kind, distances in tried.items():
        distances.update({strength: distance_by(kind, strength) for strength in distances})
    for kind in sorted(tried, key=lambda name: min(tried[name].values()))[:_REFINED_KINDS]:
        for _ in range(_REFINEMENTS):
            for strength in _between(tried[kind]):
                tried[kind][strength] = distance_by(kind, strength)
    best, kind, strength = min(
        (found, kind, at) for kind, distances in tried.items() for at, found in distances.items()
    )
    if as_is - best < _LEAST_GAIN:
        return DamageEstimate(kind=NONE, strength=None, distance=round(as_is, 4), undamaged_distance=round(as_is, 4))
    return DamageEstimate(
        kind=kind, strength=round(strength, 4), distance=round(best, 4), undamaged_distance=round(as_is, 4)
    )


def _between(distances: Mapping[float, float]) -> list[float]:
    """The geometric means of the best strength and its neighbours."""
    known = sorted(distances)
    best = known.index(min(known, key=lambda strength: distances[strength]))
    return [float(np.sqrt(known[best] * other)) for other in known[max(0, best - 1) : best + 2] if other != known[best]]


def _features(images: Sequence[np.ndarray]) -> pd.DataFrame:
    return pd.DataFrame([image_features(rgb) for rgb in images], columns=list(COLUMNS))


def _to_bytes(values: np.ndarray) -> np.ndarray:
    return np.clip(np.rint(values), 0, 255).astype(np.uint8)


def _stored(rgb: np.ndarray, quality: int = _FILE_QUALITY) -> np.ndarray:
    """The picture after a JPEG file of this quality."""
    encoded = cv2.imencode(".jpg", rgb[..., ::-1], [cv2.IMWRITE_JPEG_QUALITY, quality])[1]
    return np.asarray(cv2.imdecode(encoded, cv2.IMREAD_COLOR_RGB))
