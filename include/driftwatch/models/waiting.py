"""A challenger that waits for evidence. It seems better, but its first labels do not show it beyond chance.

Each day whose labels come in meanwhile, with an alert or without, has a retraining run that trains nothing. It compares the same challenger
with the same champion, and adds the evaluation labels of the days since. All comparisons of a challenger keep to one error rate
(driftwatch.models.looks). The waiting ends when one of them decides, when another model is champion, or after `retraining.pending_days` days
of data. Each day has one comparison at most, since a day's run has a fixed id. What was compared is read from the gates themselves, so a repeated run finds the same.
"""

from __future__ import annotations

from datetime import date, timedelta

import pandas as pd

from driftwatch.artifacts import base
from driftwatch.artifacts.days import days_of_data_since, stored_retrainings
from driftwatch.artifacts.keys import CHALLENGER, DATASET_CARD, FOLDS, GATE, ONLY_JUDGED, SET
from driftwatch.artifacts.retraining import ChallengerNote, DatasetCard, GateResult, Look
from driftwatch.artifacts.store import MonitorStore
from driftwatch.errors import NeedsAttention
from driftwatch.models import registry
from driftwatch.models.dataset import days_between
from driftwatch.models.gate_rules import NOT_ENOUGH_EVIDENCE, Decision
from driftwatch.models.human_labels import HumanLabels
from driftwatch.models.judging_days import has_images
from driftwatch.models.looks import confidence_of_look
from driftwatch.models.splits import EVALUATION, known_splits, splits_lock


class NobodyWaits(NeedsAttention):
    """No challenger waits for the labels of this day."""


def looks_with(store: MonitorStore, run_key: str, note: ChallengerNote, labels: int, clean: int) -> tuple[Look, ...]:
    """The comparisons of the note's challenger up to that of `run_key`, which has so many `labels` of recent days, and `clean` ones."""
    settings = store.config.retraining
    before: tuple[Look, ...] = ()
    if note.after:
        before = store.read(store.keys.retraining(note.after, GATE), GateResult).looks
    day = note.day or store.read(store.keys.retraining(run_key, DATASET_CARD), DatasetCard).last_day
    seen = [*(look.labels for look in before), labels]
    most = max(settings.pending_days + 1, len(seen))
    of_clean = [*(clean if look.clean is None else look.clean for look in before), clean]
    confidences = [confidence_of_look(counts, most, settings.gate_confidence) for counts in (seen, of_clean)]
    look = Look(
        run_key=run_key, day=day, labels=labels, confidence=confidences[0], clean=clean, clean_confidence=confidences[1]
    )
    return (*before, look)


def looks_left(looks: tuple[Look, ...], found: Decision, pending_days: int) -> int:
    """How many more comparisons there may be. 0 if the decision is final: it is clear, or the challenger does not even seem better."""
    difference = found.recent.deciding.difference
    if found.decision != NOT_ENOUGH_EVIDENCE or difference is None or difference <= 0:
        return 0
    return max(pending_days + 1 - len(looks), 0)


def waiting(store: MonitorStore, run_key: str, day: date) -> GateResult | None:
    """The newest comparison of the challenger that waits for the labels of `day`, which the run `run_key` is about; None if none waits."""
    names = [name for name in stored_retrainings(store.storage, store.keys) if name != run_key]
    gates = base.find_each(store.storage, [store.keys.retraining(name, GATE) for name in names], GateResult)
    looked = [gate for _, gate in gates if gate.looks]
    before = [gate for gate in looked if gate.looks[-1].day < day]
    looked_later = {gate.version for gate in looked if gate.looks[-1].day >= day}
    if not before:
        return None
    newest, current = max(before, key=lambda gate: (gate.looks[-1].day, len(gate.looks))), registry.champion(store)
    if not newest.looks_left or current is None or current.version != newest.champion:
        return None
    if newest.version in looked_later:  # a look between two others would belong to no sequence of looks
        return None
    if not registry.is_kept(store, newest.version):  # newer challengers took its place (retraining.keep_challengers)
        return None
    since = days_of_data_since(store.storage, store.keys, newest.looks[0].day, day)
    return newest if since <= store.config.retraining.pending_days else None


def looks_again(store: MonitorStore, run_key: str, day: date) -> bool:
    """Whether the retraining run of `day` compares the challenger that waits, in place of training one."""
    note = store.find(store.keys.retraining(run_key, CHALLENGER), ChallengerNote)
    return note.after is not None if note else waiting(store, run_key, day) is not None


def take_up_waiting(store: MonitorStore, run_key: str, day: date, requested_by: str) -> ChallengerNote:
    """Makes the challenger that waits that of the run `run_key`, and returns its note. A second call returns the first one's note.

    The run has the set of the training. The evaluation images that only judge get those of the days since the last comparison, up to
    `day`. Raises NobodyWaits.
    """
    done = store.keys.retraining(run_key, CHALLENGER)
    if note := store.find(done, ChallengerNote):
        return note
    gate = waiting(store, run_key, day)
    if gate is None:
        raise NobodyWaits(
            f"{store.keys.monitor}: no challenger waits for the labels of {day} any more: clear choose_action, and the run trains one"
        )
    for name in (SET, DATASET_CARD, FOLDS):
        source = store.keys.retraining(gate.run_key, name)
        if name != FOLDS or store.storage.exists(source):
            store.storage.copy(source, store.keys.retraining(run_key, name))
    with splits_lock(store) as lock:
        splits, judged = _judged(store, gate, day)
        lock.check()
        store.storage.write_table(store.keys.splits, splits)
        if len(judged):
            store.storage.write_table(store.keys.retraining(run_key, ONLY_JUDGED), judged)
    before = store.read(store.keys.retraining(gate.run_key, CHALLENGER), ChallengerNote)
    note = ChallengerNote(
        version=gate.version,
        parent=gate.champion,
        requested_by=requested_by,
        trained_for=before.trained_for or gate.run_key,
        after=gate.run_key,
        day=day,
    )
    store.write(done, note)
    return note


def _judged(store: MonitorStore, gate: GateResult, day: date) -> tuple[pd.DataFrame, pd.DataFrame]:
    """The splits with those of the days since the last comparison, and all images that only judge."""
    key = store.keys.retraining(gate.run_key, ONLY_JUDGED)
    known = [store.storage.read_table(key)] if store.storage.exists(key) else []
    learnt = store.storage.read_table(store.keys.retraining(gate.run_key, SET))
    seen = pd.concat([table["image_id"] for table in [learnt, *known]])
    labels, splits = HumanLabels(store.config, set(seen)), known_splits(store)
    for name in days_between(store, gate.looks[-1].day + timedelta(days=1), day):
        if has_images(store, date.fromisoformat(name)):
            splits = labels.add(store, name, splits)
    found = labels.usable(splits)
    columns = [name for name in learnt.columns if name != "extra"]
    new = found.loc[found["split"] == EVALUATION, columns]
    return splits, pd.concat([*known, new], ignore_index=True)
