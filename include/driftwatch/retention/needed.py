"""The days whose inputs are still needed, though `storage.keep.inputs` says that they are over, and why."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, timedelta

from driftwatch.artifacts.base import find_each
from driftwatch.artifacts.days import stored_retrainings
from driftwatch.artifacts.keys import DATASET_CARD, GATE, ONLY_JUDGED, SET
from driftwatch.artifacts.retraining import DatasetCard, GateResult
from driftwatch.artifacts.store import MonitorStore
from driftwatch.drift.states import accepted_states


def days_still_needed(store: MonitorStore, days: list[date]) -> dict[date, str]:
    """For each of the stored `days` whose inputs somebody may still ask for: why.

    Raises DamagedArtifact where that cannot be known: then nothing is removed.
    """
    found: dict[date, str] = {}
    for why, needed in _needed(store, days):
        for day in needed:
            found.setdefault(day, why)
    return {day: why for day, why in found.items() if day in set(days)}


def _needed(store: MonitorStore, days: list[date]) -> Iterator[tuple[str, set[date]]]:
    config = store.config
    if config.labels.labelled and days:
        back = config.retraining.days_back + config.retraining.evaluation_days_back
        first = days[-1] - timedelta(days=back)
        yield f"a retraining takes days back to {first}", {day for day in days if day > first}
    run, of_run = _days_under_way(store)
    if run:
        yield f"the retraining {run} is not decided", of_run
    for state in accepted_states(store):
        if state.counts:
            yield f"the next model is asked about the accepted state {state.name}", set(state.days)
    for part in config.reference.days:
        yield "reference.days names it", {day for day in days if part.first <= day <= part.last}


def _days_under_way(store: MonitorStore) -> tuple[str, set[date]]:
    """The newest retraining and the days of its set, as long as its gate has not decided for good. An older one that was never decided
    is none any more: a newer one took its place."""
    names = stored_retrainings(store.storage, store.keys)
    keys = {store.keys.retraining(name, DATASET_CARD): name for name in names}
    cards = [(card.last_day, keys[key]) for key, card in find_each(store.storage, list(keys), DatasetCard)]
    if not cards:
        return "", set()
    run = max(cards)[1]
    gate = store.find(store.keys.retraining(run, GATE), GateResult)
    if gate is not None and not gate.looks_left:
        return "", set()
    tables = [key for name in (SET, ONLY_JUDGED) if store.storage.exists(key := store.keys.retraining(run, name))]
    named = {str(day) for key in tables for day in store.storage.read_arrow(key, ["day"])["day"].to_pylist()}
    return run, {date.fromisoformat(day) for day in named if day}
