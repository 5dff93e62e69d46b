"""Routes for tests and demos, which WhyLabs does not have."""

from __future__ import annotations

from datetime import date, datetime, time, timezone
from typing import Any

from fastapi import APIRouter, Request

from driftwatch_sandbox.whylabs.days import day_of
from driftwatch_sandbox.whylabs.uploads import check_dataset

router = APIRouter(prefix="/_sandbox")


@router.get("/state")
def state(request: Request) -> dict[str, Any]:
    """By dataset: `days` (summary of each column, confusion matrix, upload ids, segments), `references`, `uploads`."""
    settings = request.app.state.settings
    datasets = {dataset: request.app.state.days.state(dataset) for dataset in settings.datasets}
    return {"organisation": settings.organisation, "datasets": datasets}


@router.post("/analyse")
def analyse(request: Request, dataset: str, day: date) -> dict[str, int]:
    """Runs the dataset's analyzers for a day now, also those that have run. `results`: how many rows that gave."""
    check_dataset(request, dataset)
    midnight = int(datetime.combine(day, time(), timezone.utc).timestamp() * 1000)
    return {"results": request.app.state.analyst.analyse(dataset, midnight, again=True)}


@router.get("/analysed")
def analysed(request: Request, dataset: str) -> list[date]:
    """The days that have been analysed since their last upload."""
    check_dataset(request, dataset)
    store, days = request.app.state.store, request.app.state.days
    return [
        day_of(start)
        for start, newest in days.newest(dataset)
        if (store.document(dataset, "analysed", f"{start:015d}") or 0) >= newest
    ]
