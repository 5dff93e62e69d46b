"""The old address of what `driftwatch.drift` offers notebooks: `from driftwatch.profiling import Reference, extract_features`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from driftwatch.drift import DriftReport, Reference, extract_features

__all__ = ["DriftReport", "Reference", "extract_features"]


def __getattr__(name: str) -> Any:
    from driftwatch import drift

    if name not in __all__:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(drift, name)
