"""How many images came on each day, and what their labels cost, for the charts."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from driftwatch.view.curves import Column
from driftwatch.view.spend import paid, planned

if TYPE_CHECKING:
    from driftwatch.view.days import Day

_COUNTS = ("listed", "accepted", "duplicate", "quarantined", "ignored")


@dataclass(frozen=True)
class CostSeries:
    """USD of each day's labels, fee included: what was planned, and what is paid so far. `images`: how many were asked about."""

    planned: Column
    paid: Column
    images: Column


def images_series(days: Sequence[Day]) -> dict[str, Column]:
    """Files by what became of them: listed = accepted + duplicate + quarantined + ignored."""
    return {name: [getattr(day.ingest, name) if day.ingest else None for day in days] for name in _COUNTS}


def cost_series(days: Sequence[Day]) -> CostSeries | None:
    """None where no day's labels were asked for."""
    if not any(day.annotation for day in days):
        return None
    return CostSeries(
        planned=[planned(day) if day.annotation else None for day in days],
        paid=[paid(day) if day.annotation else None for day in days],
        images=[_asked(day) for day in days],
    )


def _asked(day: Day) -> float | None:
    return sum(part.sample_size.images for part in day.annotation.parts) if day.annotation else None
