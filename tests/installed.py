"""Packages that bring entry points, as if they were installed."""

from __future__ import annotations

from importlib.metadata import EntryPoint, EntryPoints

import pytest


def installed(monkeypatch: pytest.MonkeyPatch, *found: EntryPoint) -> None:
    """Until the test ends only `found` are installed."""

    def entry_points(**wanted: str) -> EntryPoints:
        return EntryPoints(found).select(**wanted)

    for module in ("seams", "config.storage", "config.publish"):
        monkeypatch.setattr(f"driftwatch.{module}.entry_points", entry_points)
