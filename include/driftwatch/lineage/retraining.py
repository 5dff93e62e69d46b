"""What the steps of a retraining read and write. `request`: the key of the retraining's folder."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from driftwatch.artifacts.keys import CHALLENGER, DATASET_CARD, GATE, SET
from driftwatch.artifacts.models import ChampionPointer, ModelCard
from driftwatch.artifacts.retraining import ChallengerNote, DatasetCard, GateResult
from driftwatch.lineage import verdicts
from driftwatch.lineage.datasets import Dataset, Lineage, objects

if TYPE_CHECKING:
    from driftwatch.artifacts.store import MonitorStore


def collected(store: MonitorStore, request: str) -> Lineage:
    """`collect_training_set`: the original set, and the labels of each day that gave any."""
    keys, card = store.keys, store.read(store.keys.retraining(request, DATASET_CARD), DatasetCard)
    days = [day for day in store.days() if card.first_day <= day <= card.last_day and str(day) in card.by_day]
    read = [keys.training_set, *(keys.day(day).labels for day in days)]
    written = [keys.retraining(request, name) for name in (SET, DATASET_CARD)]
    return Lineage(objects(store.storage, *read), objects(store.storage, *written, keys.splits))


def trained(store: MonitorStore, request: str) -> Lineage:
    """`train_challenger` and `take_up_challenger`."""
    note = store.find(store.keys.retraining(request, CHALLENGER), ChallengerNote)
    read = objects(store.storage, store.keys.retraining(request, SET))
    if note is None:
        return Lineage(read)
    return Lineage((*read, *model_files(store, note.parent)), model_files(store, note.version))


def compared(store: MonitorStore, request: str) -> Lineage:
    """`evaluate_challenger`: the challenger's answers have the gate's verdict."""
    keys, gate = store.keys, store.read(store.keys.retraining(request, GATE), GateResult)
    answers = objects(store.storage, keys.model_evaluation(gate.version))
    judged = [replace(found, checks=tuple(verdicts.of_gate(gate))) for found in answers]
    models = (*model_files(store, gate.champion), *model_files(store, gate.version))
    tables = objects(store.storage, keys.retraining(request, SET))
    return Lineage((*tables, *models, *judged), (*objects(store.storage, keys.retraining(request, GATE)), *answers))


def gated(store: MonitorStore, request: str) -> Lineage:
    """`gate` and `approve_promotion`: they only choose."""
    found = objects(store.storage, store.keys.retraining(request, GATE))
    gate = store.find(store.keys.retraining(request, GATE), GateResult)
    return Lineage(tuple(replace(each, checks=tuple(verdicts.of_gate(gate)) if gate else ()) for each in found))


def promoted(store: MonitorStore, request: str) -> Lineage:
    """`promote_model`."""
    keys, version = store.keys, _champion(store)
    read = (*objects(store.storage, keys.retraining(request, GATE)), *model_files(store, version))
    return Lineage(read, objects(store.storage, keys.champion, keys.reference_features(version)))


def rolled_back(store: MonitorStore) -> Lineage:
    """`roll_back`."""
    return Lineage(model_files(store, _champion(store)), objects(store.storage, store.keys.champion))


def reference_renewed(store: MonitorStore) -> Lineage:
    """`refresh_reference`."""
    keys, version = store.keys, _champion(store)
    read = objects(store.storage, keys.champion, keys.reference_features(version))
    return Lineage(read, objects(store.storage, keys.reference_profile(version), keys.reference_published(version)))


def handed_over(store: MonitorStore, request: str) -> Lineage:
    """`hand_over`."""
    from driftwatch.artifacts.handover import Handover

    handover = store.keys.of_retraining(request).handover
    found = store.read(handover.manifest, Handover)
    files = [handover.file(name) for name in (found.set.name, found.never_train.name)]
    read = objects(store.storage, store.keys.retraining(request, SET))
    return Lineage(read, objects(store.storage, *files, handover.manifest))


def model_files(store: MonitorStore, version: str) -> tuple[Dataset, ...]:
    """The version's file and its card."""
    keys = store.keys
    card = store.find(keys.model_card(version), ModelCard)
    return objects(store.storage, keys.model(version, card.kind), keys.model_card(version)) if card else ()


def _champion(store: MonitorStore) -> str:
    return store.read(store.keys.champion, ChampionPointer).version
