"""Has anything changed in what arrives? Drift of the day's images and predictions against a reference, and whylogs profiles.

Some words that the package uses:
- drift: the images, or what the model predicts of them, are distributed differently from the reference.
- reference: what images without drift look like. Each model version has its own.
- batch: the images that are compared with it, mostly those of a day.
- false-alarm rate: how often a day without drift may be called drifted. A test's p-value says how often chance alone makes so large a
  difference; a day has drifted where it is no more than the rate.
- mid-p: a p-value in which an outcome as extreme as the one found counts half.
- near-duplicates, bursts: images that are nearly the same, found by their perceptual hash (`phash`).

Three kinds are judged, each at its share of the rate: image quality (image_quality.py), by the features; content (content.py), by the
model's embeddings; predictions (predictions.py), by the shares of the predicted classes. A fourth verdict is about the trend over
days (cusum.py).

In a notebook: from driftwatch.drift import Reference, extract_features
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftwatch.drift.reference import DriftReport, Reference
    from driftwatch.images.features import extract_features

__all__ = ["DriftReport", "Reference", "extract_features"]


def __getattr__(name: str) -> Any:
    """Imports what a notebook asks for when it asks: this package is imported where NumPy and OpenCV must not be."""
    from importlib import import_module

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module = "driftwatch.images.features" if name == "extract_features" else "driftwatch.drift.reference"
    return getattr(import_module(module), name)
