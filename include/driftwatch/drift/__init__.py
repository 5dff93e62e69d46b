"""whylogs profiles, and drift tests against the reference.

from driftwatch.profiling import Reference, extract_features
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
