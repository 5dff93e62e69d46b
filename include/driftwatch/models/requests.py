"""Only one retraining runs at a time. This module knows what was asked for, which one runs, and what happens to alerts meanwhile.

retraining/active.json names the newest request. An alert that is about to start a run writes it, and so does the first task of each run.
Both do it under a lock. So two alerts at the same time, of two days or from two deployments, start only one run.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from datetime import date, timedelta
from typing import Any

from driftwatch.artifacts.days import day_of, days_of_attached_alerts, days_of_data_since, stored_retrainings
from driftwatch.artifacts.keys import CHALLENGER, SET
from driftwatch.artifacts.nested_keys import ALERT_RUN_PREFIX, lock_of
from driftwatch.artifacts.retraining import AttachedAlert, ChallengerNote, RetrainingRequest
from driftwatch.artifacts.store import MonitorStore
from driftwatch.config import MonitorConfig
from driftwatch.models.pending import pending
from driftwatch.models.waiting import looks_again, waiting
from driftwatch.storage.lock import Lock, exclusive

# Fields of the retraining DAG's form. For one run they replace the fields of the monitor file.
_RETRAINING = (
    "start_from",
    "promotion",
    "min_confidence",
    "seed",
    "imitate_drift",
    "max_clean_drop",
    "max_class_drop",
    "segments",
)
_TRAINING = ("epochs", "learning_rate")


def requested(config: MonitorConfig, form: Mapping[str, Any]) -> MonitorConfig:
    """The monitor file, changed as the form says. A field that is missing or empty changes nothing.

    `epochs` and `learning_rate` are those of the fine-tuning. If the training starts from scratch, they are those of the recipe.
    """
    given = {name: form[name] for name in (*_RETRAINING, *_TRAINING) if form.get(name) is not None}
    settings = config.model_dump(exclude_unset=True)  # a default that is named is refused where it does not belong
    retraining = settings.setdefault("retraining", {})
    retraining |= {name: given[name] for name in _RETRAINING if name in given}
    training = {name: given[name] for name in _TRAINING if name in given}
    if given.get("start_from", config.retraining.start_from) == "scratch":
        settings.setdefault("model", {}).setdefault("recipe", {}).update(training)
    else:
        retraining |= training
    return MonitorConfig.model_validate(settings)


def alert_day(run_id: str) -> date | None:
    """The day of the alert that started this run. None if somebody started it by hand, whatever its name is."""
    return day_of(run_id.removeprefix(ALERT_RUN_PREFIX)) if run_id.startswith(ALERT_RUN_PREFIX) else None


def begin(store: MonitorStore, run_key: str, run_id: str) -> None:
    """Notes that the run `run_id` is the newest request. It was started by hand or by an alert."""
    with _locked(store) as lock:
        _note_newest(store, lock, run_key, run_id)


def begin_unless_in_the_way(
    store: MonitorStore,
    day: date,
    cooldown_days: int,
    runs: Callable[[str, bool], int],
) -> str | None:
    """Notes, as the newest request, the run that the alert of `day` is about to start. Or returns the reason why it starts none.

    If a run is queued, running or about to start, the alert is attached to it. So it is to a run whose training set was handed over, as
    long as its model is waited for (driftwatch.models.pending). No run starts within `cooldown_days` of data after the
    run of another alert. A run that only compares the challenger that waits (driftwatch.models.waiting) is never in the way, and nothing is in its way but a run under way. `runs(run_id, unfinished)` counts the Airflow runs of this id; with `unfinished`, only those not finished.
    """
    with _locked(store) as lock:
        held = _in_the_way(store, day, cooldown_days, runs)
        if held is None:
            run_id = f"{ALERT_RUN_PREFIX}{day.isoformat()}"
            _note_newest(store, lock, run_id, run_id)
        return held


def begin_if_one_waits(store: MonitorStore, day: date, runs: Callable[[str, bool], int]) -> str | None:
    """Notes, as the newest request, the run that compares the waiting challenger by the labels of `day`, which has no alert, and returns the
    challenger's version. None if none waits for them, or if another run is under way. `runs`: as above."""
    run_id = f"{ALERT_RUN_PREFIX}{day.isoformat()}"
    if waiting(store, run_id, day) is None:  # nearly every day: no lock is needed to know
        return None
    with _locked(store) as lock:
        active = store.find(store.keys.active_retraining, RetrainingRequest)
        if active and active.run_id != run_id and _goes_on(active, day, 0, runs):
            return None
        found = waiting(store, run_id, day)
        if found is not None:
            _note_newest(store, lock, run_id, run_id)
        return found.version if found else None


def _locked(store: MonitorStore) -> AbstractContextManager[Lock]:
    return exclusive(store.storage, lock_of(store.keys.active_retraining))


def _note_newest(store: MonitorStore, lock: Lock, run_key: str, run_id: str) -> None:
    lock.check()
    day = alert_day(run_id)
    store.write(store.keys.active_retraining, RetrainingRequest(run_key=run_key, run_id=run_id, day=day))


def _in_the_way(store: MonitorStore, day: date, cooldown_days: int, runs: Callable[[str, bool], int]) -> str | None:
    active = store.find(store.keys.active_retraining, RetrainingRequest)
    own = f"{ALERT_RUN_PREFIX}{day.isoformat()}"
    if active and active.run_id != own and _goes_on(active, day, cooldown_days, runs):
        store.write(store.keys.of_retraining(active.run_key).attached_alert(day), AttachedAlert(day=day))
        return f"it is attached to the retraining {active.run_id}, which is under way"
    waited_for = pending(store, day)
    if waited_for and waited_for.run_key != own:
        store.write(store.keys.of_retraining(waited_for.run_key).attached_alert(day), AttachedAlert(day=day))
        return (
            f"it is attached to the retraining {waited_for.run_key}, whose training set was handed over and whose model was not compared yet "
            f"(retraining.handover_days is {store.config.retraining.handover_days})"
        )
    if looks_again(store, own, day):
        return None
    for name in stored_retrainings(store.storage, store.keys):
        other = alert_day(name)
        if other is None or other >= day or not store.storage.exists(store.keys.retraining(name, SET)):
            continue
        note = store.find(store.keys.retraining(name, CHALLENGER), ChallengerNote)
        if note and note.after:  # it trained nothing
            continue
        if days_of_data_since(store.storage, store.keys, other, day) <= cooldown_days:
            return f"the alert of {other} started one within retraining.cooldown_days ({cooldown_days})"
    return None


def _goes_on(active: RetrainingRequest, day: date, cooldown_days: int, runs: Callable[[str, bool], int]) -> bool:
    if runs(active.run_id, False):
        return bool(runs(active.run_id, True))
    # An alert noted it, and its trigger has not run yet. If the trigger never runs, this holds back only the days near to it.
    near = timedelta(days=max(1, cooldown_days))
    return active.day is not None and abs(day - active.day) <= near


def attached_alerts(store: MonitorStore, run_key: str) -> list[date]:
    """The days whose alerts came while this retraining was under way."""
    return days_of_attached_alerts(store.storage, store.keys, run_key)
