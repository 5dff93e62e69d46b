"""The gate at work: both models answer the evaluation images, and images without a label, and the rules decide (gate_rules)."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from datetime import date
from typing import NamedTuple

import numpy as np
import pandas as pd

from driftwatch.artifacts.keys import CHALLENGER, GATE, ONLY_JUDGED, SET
from driftwatch.artifacts.retraining import ChallengerNote, CleanPart, GatePart, GateResult, PairedComparison
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models.as_trained import refuse_other
from driftwatch.models.dataset import EVALUATION, ORIGINAL, bad_and_good_days, image_keys, load_inputs
from driftwatch.models.folds import fold_answers
from driftwatch.models.gate_rules import CLEAN, RECENT, Decision, Finding, InWords, Reason, decide
from driftwatch.models.gate_segments import gate_segments
from driftwatch.models.judging_days import days_told_apart
from driftwatch.models.metrics import measure
from driftwatch.models.paired import LEVEL
from driftwatch.models.powered import expected_difference
from driftwatch.models.predictors.base import Asked, predictor
from driftwatch.models.unlabelled import images_of_days, inputs_of
from driftwatch.models.waiting import looks_left, looks_with

ROLES = ("champion", "challenger")
EXAMPLES = 12
_COLUMNS = ["image_id", "key", "part", "day", "label", "champion", "challenger"]


def evaluate_challenger(store: MonitorStore, run_key: str, in_words: InWords) -> GateResult:
    """Compares the challenger of `run_key` with the champion of its note, and decides.

    Writes models/<version>/evaluation.parquet (image_id, key, part, day, label, champion and challenger), the card's `gate` and
    the `alerts` that came meanwhile, and the gate as retraining/<run_key>/gate.json, with each reason as `in_words` says it. A
    repeated run gives the same result.
    """
    from driftwatch.models.registry import add_to_card
    from driftwatch.models.requests import attached_alerts

    note = store.read(store.keys.retraining(run_key, CHALLENGER), ChallengerNote)
    asked, settings = _asked(store, run_key, note), store.config.retraining
    counts = (int((asked.labelled["part"] == name).sum()) for name in (RECENT, CLEAN))
    looks = looks_with(store, run_key, note, *counts)
    confidences = looks[-1].confidence, looks[-1].clean_confidence
    found = decide(asked.labelled, store.config.classes, settings, asked.every, *confidences)
    left = looks_left(looks, found, settings.pending_days)
    table = _rows_compared(asked.labelled, found)
    store.storage.write_table(store.keys.model_evaluation(note.version), table[_COLUMNS])
    reasons = (*found.reasons, *([Reason(Finding.WAITS, needed=left)] if left else []))
    said = tuple(in_words(reason, found.rules) for reason in reasons)
    gate = _result(store, run_key, note, asked, table, found).model_copy(update={"reasons": said})
    also = {
        "unanswered": asked.unanswered,
        "looks": looks if settings.pending_days else (),
        "looks_left": left,
        "segments": gate_segments(store, table),
    }
    gate = gate.model_copy(update={name: value for name, value in also.items() if value})
    runs = {run_key, *(look.run_key for look in looks), *([note.trained_for] if note.trained_for else [])}
    alerts = tuple(sorted({day for run in runs for day in attached_alerts(store, run)}))
    add_to_card(store, note.version, gate=gate, alerts=alerts)
    store.write(store.keys.retraining(run_key, GATE), gate)
    return gate


def _rows_compared(labelled: pd.DataFrame, found: Decision) -> pd.DataFrame:
    """The rows that the decision rests on. Those of folds are not among them where nothing could be sharpened."""
    if found.recent.n < int((labelled["part"] == RECENT).sum()):
        return labelled[labelled["fold"].isna()].reset_index(drop=True)
    return labelled


def _result(
    store: MonitorStore, run_key: str, note: ChallengerNote, asked: _Asked, table: pd.DataFrame, found: Decision
) -> GateResult:
    classes = store.config.classes
    recent, clean = (table[table["part"] == name] for name in (RECENT, CLEAN))
    return GateResult(
        run_key=run_key,
        version=note.version,
        champion=note.parent,
        recent_days=asked.recent_days,
        clean_days=asked.clean_days,
        decision=found.decision,
        reasons=(),
        recent=_part(recent, found.recent, classes),
        clean=CleanPart(**dict(_part(clean, found.clean, classes)), by_class=found.by_class),
        rules=found.rules,
    )


class _Asked(NamedTuple):
    """What the rules look at, as `decide` takes it: the evaluation images, and images of the same days, if any. `unanswered`: evaluation images
    that production never answered, or with a class that is gone; they tell nothing of either model."""

    labelled: pd.DataFrame
    every: pd.DataFrame | None
    recent_days: tuple[date, ...]
    clean_days: tuple[date, ...]
    unanswered: int


def _asked(store: MonitorStore, run_key: str, note: ChallengerNote) -> _Asked:
    whole = store.storage.read_table(store.keys.retraining(run_key, SET))
    table = whole[whole["split"] == EVALUATION].reset_index(drop=True)
    recent_days, clean_days = bad_and_good_days(store, table)
    before = store.keys.retraining(run_key, ONLY_JUDGED)
    if store.storage.exists(before):
        earlier = store.storage.read_table(before)
        bad, good = days_told_apart(store, earlier)
        recent_days, clean_days = sorted(bad + recent_days), sorted(good + clean_days)
        table = pd.concat([earlier, table], ignore_index=True)
    of_clean = (table["source"] == ORIGINAL) | table["day"].isin(clean_days)
    part = np.where(of_clean, CLEAN, np.where(table["day"].isin(recent_days), RECENT, ""))
    table = table.assign(part=part)[part != ""].reset_index(drop=True)
    table["key"] = image_keys(store, table)
    labelled = _answered(store, note, table, [load_inputs(store, table)])
    unanswered = len(table) - len(labelled)
    if (of_folds := _of_folds(store, run_key, note, whole, recent_days)) is not None:
        labelled = pd.concat([labelled.assign(fold=np.nan), of_folds], ignore_index=True)
    most, parts = store.config.retraining.unlabelled_images, []
    for name in (RECENT, CLEAN) if most else ():
        rows = images_of_days(store, table[table["part"] == name], whole, most).assign(part=name)
        if len(rows):
            parts.append(_answered(store, note, rows, inputs_of(store, rows)))
    recent, clean = (tuple(date.fromisoformat(day) for day in days) for days in (recent_days, clean_days))
    every = pd.concat(parts, ignore_index=True) if parts else None
    return _Asked(labelled, every, recent, clean, unanswered)


def _answered(
    store: MonitorStore, note: ChallengerNote, table: pd.DataFrame, inputs: Iterable[np.ndarray]
) -> pd.DataFrame:
    """The rows that both models answer, with their answers, and the difference that the scores let one expect."""
    from driftwatch.models.registry import card

    classes, answers = store.config.classes, []
    blocks = list(inputs)
    batch_size = min(store.config.model.batch_size, max(1, max(len(block) for block in blocks)))
    for role, version in zip(ROLES, (note.parent, note.version), strict=True):
        refuse_other(card(store, version), store.config, role)
        found = predictor(store, version).predict(Asked(blocks, image_ids=table["image_id"].tolist()), batch_size)
        answers.append(found.table(classes))
    champion, challenger = answers
    both = table.assign(
        champion=champion["prediction"],
        challenger=challenger["prediction"],
        expected=expected_difference(champion, challenger, classes),
    )
    return both.dropna(subset=list(ROLES), ignore_index=True)


def _of_folds(
    store: MonitorStore, run_key: str, note: ChallengerNote, whole: pd.DataFrame, recent_days: Sequence[str]
) -> pd.DataFrame | None:
    """The rows that models of folds answered, as `_answered` has them; None without cross-fitting."""
    rows = fold_answers(store, run_key, whole)
    if rows is None or (rows := rows[rows["day"].isin(recent_days)].reset_index(drop=True)).empty:
        return None
    rows = rows.assign(part=RECENT, key=image_keys(store, rows))
    asked = Asked([load_inputs(store, rows)], image_ids=rows["image_id"].tolist())
    champion = predictor(store, note.parent).predict(asked, min(store.config.model.batch_size, len(rows)))
    answers = champion.table(store.config.classes)
    expected = expected_difference(answers, rows, store.config.classes)
    both = rows.assign(champion=answers["prediction"], challenger=rows["prediction"], expected=expected)
    return both.dropna(subset=list(ROLES), ignore_index=True)


def _part(rows: pd.DataFrame, compared: PairedComparison, classes: tuple[str, ...]) -> GatePart:
    champion, challenger = (measure(rows["label"], rows[role], classes, LEVEL) for role in ROLES)
    repaired, broken = _examples(rows)
    return GatePart(**dict(compared), champion=champion, challenger=challenger, repaired=repaired, broken=broken)


def _examples(rows: pd.DataFrame) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """Ids of the first images, by id, that only the challenger has right, and of those that only the champion has right."""
    champion, challenger = (rows[role] == rows["label"] for role in ROLES)
    repaired, broken = (
        tuple(sorted(rows.loc[chosen, "image_id"])[:EXAMPLES])
        for chosen in (challenger & ~champion, champion & ~challenger)
    )
    return repaired, broken
