"""What is known about a day, for tests that look at one section of the report."""

from __future__ import annotations

from typing import Any

import pandas as pd
from tests.driftwatch.artifacts import samples
from tests.driftwatch.view.typed import DAY, typed
from tests.stores import SMALLEST

from driftwatch.artifacts.ingest import Ingest
from driftwatch.config import MonitorConfig
from driftwatch.view.report.facts import DayFacts

_LATER = (
    "drift", "content_drift", "predictions", "estimate", "annotation", "assignments", "labels", "annotators", "performance",
    "card", "late_files",
)  # fmt: skip


def day_facts(**known: Any) -> DayFacts:
    """A day that was taken in, of the smallest monitor file, with what else is `known`."""
    taken_in: dict[str, Any] = {
        "config": MonitorConfig.model_validate(SMALLEST),
        "day": DAY,
        "ingest": typed(Ingest, samples.INGEST),
        "manifest": pd.DataFrame({"image_id": [], "key": [], "status": []}),
        "history": [],
    }
    return DayFacts(**{**taken_in, **dict.fromkeys(_LATER), **known})
