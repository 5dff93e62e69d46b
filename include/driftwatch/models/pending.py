"""Which training sets were handed over, and whether a model is still waited for."""

from __future__ import annotations

from datetime import date

from driftwatch.artifacts import base
from driftwatch.artifacts.days import days_of_data_since, stored_retrainings
from driftwatch.artifacts.handover import Handover
from driftwatch.artifacts.keys import CHALLENGER
from driftwatch.artifacts.retraining import ChallengerNote
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models import registry


def handed_over(store: MonitorStore) -> list[Handover]:
    """Every training set that was handed over, the one with the newest labels first."""
    names = stored_retrainings(store.storage, store.keys)
    keys = [store.keys.of_retraining(name).handover.manifest for name in names]
    found = [manifest for _, manifest in base.find_each(store.storage, keys, Handover)]
    return sorted(found, key=lambda manifest: (manifest.last_day, manifest.run_key), reverse=True)


def pending(store: MonitorStore, day: date) -> Handover | None:
    """The newest hand-over, if its model is still waited for when `day` is handled; else None.

    The wait ends when the model that came back was compared, when another model became champion, or after `retraining.handover_days` days
    of data. A later hand-over takes the place of an earlier one.
    """
    current, newest = registry.champion(store), next(iter(handed_over(store)), None)
    if newest is None or current is None or newest.champion != current.version or _compared(store, newest.run_key):
        return None
    days = days_of_data_since(store.storage, store.keys, newest.last_day, day)
    return newest if days <= store.config.retraining.handover_days else None


def _compared(store: MonitorStore, run_key: str) -> bool:
    """Whether the model that came back for the run was compared with the champion."""
    note = store.find(store.keys.retraining(run_key, CHALLENGER), ChallengerNote)
    return note is not None and registry.card(store, note.version).gate is not None
