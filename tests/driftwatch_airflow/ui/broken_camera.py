"""Four days of three cameras, as the real steps leave them: on the third, one camera breaks; on the fourth the model is an alert, was retrained,
and the new one serves. The retraining is the one that a demo of version 0.1 left behind."""

from __future__ import annotations

import shutil
from datetime import date, timedelta
from pathlib import Path
from typing import Any

import numpy as np
from tests.driftwatch.view.conftest import day_builder, drawn_pictures, pixelate

from driftwatch.artifacts.annotation import AnnotationPlan
from driftwatch.artifacts.decision import RetrainingDecision
from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.episodes.days import noted
from driftwatch.storage import open_storage
from driftwatch.view.report import write_report

NAME, BROKEN, CAMERAS = "three_cameras", "door-2", ("door-1", "door-2", "door-3")
LAST, SINCE = date(2026, 1, 8), date(2026, 1, 7)
RUN = f"perf_alert__{LAST}"
SETTINGS: dict[str, Any] = {"segments": {"camera": {"key": "^(door-[0-9])"}}}
IMAGES, PLANNED = 90, 9.0
_DATA = Path(__file__).parents[2] / "data/artifacts_0_1/cats_vs_dogs"
FIRST_MODEL = "v0001-2f099e5a"


def write_days(config: MonitorConfig) -> DayStore:
    """Writes the days; gives the last."""
    store = MonitorStore(open_storage(config.storage.uri), config)
    build = day_builder(store.storage, config)
    cameras = [CAMERAS[number % 3] for number in range(IMAGES)]
    of_broken = np.array(cameras) == BROKEN
    for back in (3, 2, 1, 0):
        day = store.day(LAST - timedelta(days=back))
        pictures = drawn_pictures(IMAGES, np.random.default_rng(back + 1))
        if day.date >= SINCE:
            pictures = [pixelate(one) if it else one for one, it in zip(pictures, of_broken, strict=True)]
        accuracy = np.where(of_broken, 0.2, 0.8) if day.date == LAST else 0.92
        truth = [("cat", "dog")[number // 3 % 2] for number in range(IMAGES)]
        build(day.date, pictures, truth, accuracy, version=FIRST_MODEL, cameras=cameras)
        plan = day.read(AnnotationPlan)
        day.write(plan.model_copy(update={"cost": plan.cost.model_copy(update={"total": PLANNED})}))
        with noted(day):
            pass
    for folder in ("models", "retraining"):
        shutil.copytree(_DATA / folder, store.storage.path(f"{config.name}/{folder}"), dirs_exist_ok=True)
    last = store.day(LAST)
    last.write(RetrainingDecision(day=LAST, verdict="alert", run_id=RUN))
    write_report(last)
    return last
