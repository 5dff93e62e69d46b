"""One retraining of bench.retraining by the product's own steps, and what the gate says of its challenger."""

from __future__ import annotations

import time
from datetime import date, timedelta
from typing import Any

from bench.retraining_world import CLEAN_DAY, DAMAGES, DAYS, NEXT_DAYS, World
from driftwatch.artifacts.store import MonitorStore


def retrain(world: World, name: str, training: int, imitate: bool) -> dict[str, Any]:
    """One retraining by the product's steps; accuracy before and after, and what the gate says."""
    from driftwatch.models.challenger import train_challenger
    from driftwatch.models.dataset import collect_training_set
    from driftwatch.models.registry import card, champion_version

    run_key, day = f"{name}-{training}-{imitate}".replace(" ", "_"), DAYS[name]
    world.forget()
    world.label(CLEAN_DAY, 0)
    world.label(day, training)
    store = with_settings(world, imitate_drift=imitate)
    collect_training_set(store, run_key, CLEAN_DAY, day)
    cpu = time.process_time()
    version = train_challenger(store, run_key, "bench")
    cpu = time.process_time() - cpu
    row: dict[str, Any] = {"seed": world.seed, "damage": name, "labels": training, "imitated": imitate}
    found = card(store, version).data.damage
    row["estimate"] = f"{found.kind} {found.strength or ''}".strip() if found else "-"
    for where, broken_by in (("day", DAMAGES.get(name)), ("clean", None)):
        inputs, truth = world.inputs(broken_by)
        row[f"{where}_before"] = round(world.accuracy(champion_version(store), inputs, truth), 4)
        row[f"{where}_after"] = round(world.accuracy(version, inputs, truth), 4)
    return {**row, "tested_on": len(world.test), **gates(world, run_key, day, imitate), "cpu_seconds": round(cpu)}


def gates(world: World, run_key: str, day: date, imitate: bool) -> dict[str, Any]:
    """What the gate decides on the same challenger: by the labels alone, by one look (`pending_days: 0`), and by default, with the days that
    it waits for. `evaluation_labels`: how many of broken days the last look of the default had."""
    labels_alone = _decided(with_settings(world, imitate_drift=imitate, pending_days=0, unlabelled_images=0), run_key)
    one_look = _decided(with_settings(world, imitate_drift=imitate, pending_days=0), run_key)
    store = with_settings(world, imitate_drift=imitate)
    first, labels = decided, _ = _decided(store, run_key)
    for number in range(1, NEXT_DAYS + 1):
        if not (after := _next_look(world, store, day + timedelta(days=number))):
            break
        decided, labels = after
    return {
        "gate_labels_alone": labels_alone[0],
        "gate_one_look": one_look[0],
        "gate_first_look": first,
        "gate": decided,
        "evaluation_labels": labels,
    }


def _next_look(world: World, store: MonitorStore, day: date) -> tuple[str, int] | None:
    """The look of the alert of `day`, if the challenger waits for it."""
    from driftwatch.models.waiting import take_up_waiting, waiting

    world.label(day, 0)
    run_key = f"perf_alert__{day}"
    if waiting(store, run_key, day) is None:
        return None
    take_up_waiting(store, run_key, day, "bench")
    return _decided(store, run_key)


def _decided(store: MonitorStore, run_key: str) -> tuple[str, int]:
    from driftwatch.models.gate import evaluate_challenger
    from driftwatch.view.gate import reason_text

    gate = evaluate_challenger(store, run_key, in_words=reason_text)
    return gate.decision, gate.recent.n


def with_settings(world: World, **retraining: Any) -> MonitorStore:
    """The world's monitor with other settings of `retraining`."""
    settings = world.config.retraining.model_copy(update=retraining)
    return MonitorStore(world.storage, world.config.model_copy(update={"retraining": settings}))


def once_for_each_day(seed: int, name: str) -> None:
    """What a day's damage is and its copies of the originals look like does not depend on the labels: made once for all variants."""
    from driftwatch.models import challenger

    for function in ("damage_of", "_damaged"):
        make = _MAKE.setdefault(function, getattr(challenger, function))

        def kept(store: MonitorStore, *rest: Any, of: str = function, make: Any = make) -> Any:
            if not store.config.retraining.imitate_drift:
                return make(store, *rest)
            key = (seed, name, of, rest[-1] if of == "_damaged" else "")
            if key not in _KEPT:
                _KEPT[key] = make(store, *rest)
            return _KEPT[key]

        setattr(challenger, function, kept)


_MAKE: dict[str, Any] = {}
_KEPT: dict[tuple[Any, ...], Any] = {}
