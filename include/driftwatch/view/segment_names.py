"""How a segment is named in a sentence."""

from __future__ import annotations

from driftwatch.config.segments import PREDICTED_CLASS


def segment_title(by: str, name: str) -> str:
    """`camera door-17`, or `predicted cat`."""
    return f"predicted {name}" if by == PREDICTED_CLASS else f"{by} {name}"
