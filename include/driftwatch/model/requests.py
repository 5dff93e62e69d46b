"""One retraining at a time: what was asked for, which one runs, and what becomes of alerts meanwhile.

retraining/active.json names the newest request. It is written by the alert that is about to start one, and by each run's first
task; both are serialised by Airflow, so that two alerts at once make one run.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, timedelta
from typing import Any

from driftwatch.config import MonitorConfig
from driftwatch.layout import MonitorLayout
from driftwatch.performance.history import days_of_data_since
from driftwatch.storage import Storage

ALERT_RUN_PREFIX = "perf_alert__"
# Files of a request: its training set, what that is made of, and what the gate found.
SET, DATASET_CARD, GATE = "set.parquet", "dataset_card.json", "gate.json"
# Fields of the retraining DAG's form that replace the monitor file's in one run.
_RETRAINING = ("start_from", "promotion", "min_confidence", "seed", "imitate_drift", "max_clean_drop", "max_class_drop")
_TRAINING = ("epochs", "learning_rate")


def requested(config: MonitorConfig, form: Mapping[str, Any]) -> MonitorConfig:
    """The monitor file with what the form says instead; fields that are missing or empty change nothing.

    `epochs` and `learning_rate` are the fine-tuning's, or the recipe's where it starts from scratch.
    """
    given = {name: form[name] for name in (*_RETRAINING, *_TRAINING) if form.get(name) is not None}
    retraining = {**config.retraining.model_dump(), **{name: given[name] for name in _RETRAINING if name in given}}
    training = {name: given[name] for name in _TRAINING if name in given}
    model = config.model.model_dump()
    if retraining["start_from"] == "scratch":
        model["recipe"] |= training
    else:
        retraining |= training
    return MonitorConfig.model_validate({**config.model_dump(), "retraining": retraining, "model": model})


def run_key(run_id: str) -> str:
    """The folder name of a retraining request: one for each run id."""
    return re.sub(r"[^A-Za-z0-9_.-]+", "-", run_id)


def begin(storage: Storage, layout: MonitorLayout, run_key: str, run_id: str, day: str | None) -> None:
    """Notes that the run `run_id` is the newest request; `day` is the alert's, none for one by hand."""
    storage.write_json(layout.active_retraining, {"run_key": run_key, "run_id": run_id, "day": day})


def in_the_way(
    storage: Storage,
    layout: MonitorLayout,
    day: date,
    cooldown_days: int,
    runs: Callable[[str, bool], int],
) -> str | None:
    """Why the alert of `day` starts no retraining, or none where it does.

    It is attached to one that is queued, running or about to start; and none starts within `cooldown_days` of data after another
    alert's. `runs(run_id, unfinished)` counts the Airflow runs of this id, those not finished alone where `unfinished`.
    """
    active = storage.read_json(layout.active_retraining) if storage.exists(layout.active_retraining) else None
    own = f"{ALERT_RUN_PREFIX}{day.isoformat()}"
    if active and active["run_id"] != own and _goes_on(active, day, cooldown_days, runs):
        storage.write_json(
            layout.retraining(active["run_key"], f"alerts/{day.isoformat()}.json"), {"day": day.isoformat()}
        )
        return f"it is attached to the retraining {active['run_id']}, which is under way"
    for name in storage.folders(layout.retrainings):
        if name.startswith(ALERT_RUN_PREFIX) and storage.exists(layout.retraining(name, SET)):
            other = date.fromisoformat(name.removeprefix(ALERT_RUN_PREFIX))
            if other < day and days_of_data_since(storage, layout, other, day) <= cooldown_days:
                return f"the alert of {other} started one within retraining.cooldown_days ({cooldown_days})"
    return None


def _goes_on(active: Mapping[str, Any], day: date, cooldown_days: int, runs: Callable[[str, bool], int]) -> bool:
    if runs(active["run_id"], False):
        return bool(runs(active["run_id"], True))
    # An alert noted it and its trigger has not run yet; were it never to run, it would hold back only the days near to it.
    near = timedelta(days=max(1, cooldown_days))
    return active["day"] is not None and abs(day - date.fromisoformat(active["day"])) <= near


def attached_alerts(storage: Storage, layout: MonitorLayout, run_key: str) -> list[str]:
    """The days whose alerts came while this retraining was under way."""
    return [
        item.key.rsplit("/", 1)[-1].removesuffix(".json") for item in storage.list(layout.retraining(run_key, "alerts"))
    ]
