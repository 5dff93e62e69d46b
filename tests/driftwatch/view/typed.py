"""Artifacts for tests: a whole one of `samples`, with some fields changed."""

from __future__ import annotations

import json
from collections.abc import Mapping
from datetime import date
from typing import Any, TypeVar

from tests.driftwatch.artifacts import samples

from driftwatch.artifacts.accuracy import Performance
from driftwatch.artifacts.base import Part
from driftwatch.artifacts.drift import ContentDrift, DayDrift
from driftwatch.artifacts.ingest import Ingest
from driftwatch.view.days import Day

P = TypeVar("P", bound=Part)
DAY = date(2026, 1, 5)


def typed(kind: type[P], sample: Mapping[str, Any], **changes: Any) -> P:
    return kind.model_validate_json(json.dumps({**sample, **changes}))


def a_day(day: date = DAY, drift: str | None = None, performance: str | None = None, **other: Any) -> Day:
    """A day with these verdicts; content, predictions and trend are as usual."""
    return Day(
        day,
        ingest=other.pop("ingest", typed(Ingest, samples.INGEST)),
        drift=typed(DayDrift, samples.DAY_DRIFT, verdict=drift, trend=trend("ok")) if drift else None,
        performance=typed(Performance, samples.PERFORMANCE, verdict=performance) if performance else None,
        **other,
    )


def trend(verdict: str) -> dict[str, Any]:
    return {**samples.DAY_DRIFT["trend"], "verdict": verdict}


def content(content: str, predictions: str) -> ContentDrift:
    """What was found once the model had answered, with these verdicts."""
    parts = {"content": content, "predictions": predictions}
    return typed(
        ContentDrift,
        samples.CONTENT_DRIFT,
        **{name: {**samples.CONTENT_DRIFT[name], "verdict": verdict} for name, verdict in parts.items()},
    )
