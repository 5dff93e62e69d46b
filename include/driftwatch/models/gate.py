"""The gate compares champion and challenger on the same images. Neither was trained on them.

1. Recent part: the evaluation images of the days with an alert, or of all days if none had one. The challenger must be better. An exact
   one-sided McNemar test must say so, and also the lower end of the interval of the difference.
2. Clean part: the original holdout, and the evaluation images of days without drift or alert. The challenger must not be worse: the
   lower end of the interval must stay above -max_clean_drop.
3. Classes of the clean part: all are tested together (driftwatch.models.class_losses). If a class lost more than max_class_drop or half
   of its recall, beyond chance, the champion stays. It also stays if a class has so few images that the test would not see a loss of
   half its recall with a power of 80 %, unless the class's own interval shows that it gained.

Each test is one-sided at `retraining.gate_confidence`. What the rules find is a value here (`Reason`). `driftwatch.view.gate` puts it
into words.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import date
from enum import Enum
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd

from driftwatch.artifacts.keys import CHALLENGER, GATE, SET
from driftwatch.artifacts.retraining import (
    ChallengerNote,
    ClassComparison,
    CleanPart,
    GatePart,
    GateResult,
    GateRules,
    PairedComparison,
)
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models.as_trained import refuse_other
from driftwatch.models.class_losses import POWER, ClassLosses
from driftwatch.models.dataset import EVALUATION, ORIGINAL, bad_and_good_days, image_keys, load_inputs
from driftwatch.models.gate_segments import gate_segments
from driftwatch.models.metrics import measure
from driftwatch.models.paired import LEVEL, compare, counts_of, images_needed
from driftwatch.models.predictors.base import Asked, predictor

if TYPE_CHECKING:
    from driftwatch.config.retraining import RetrainingConfig

Decided = Literal["promote", "keep", "not_enough_evidence"]
PROMOTE: Literal["promote"] = "promote"
KEEP: Literal["keep"] = "keep"
NOT_ENOUGH_EVIDENCE: Literal["not_enough_evidence"] = "not_enough_evidence"
RECENT, CLEAN = "recent", "clean"
ROLES = ("champion", "challenger")
EXAMPLES = 12


class Finding(Enum):
    """What a rule of the gate can find, each with its decision."""

    RECENT_TOO_FEW = "recent_too_few", NOT_ENOUGH_EVIDENCE
    RECENT_BETTER = "recent_better", PROMOTE
    RECENT_NOT_BETTER = "recent_not_better", KEEP
    RECENT_PERHAPS_BETTER = "recent_perhaps_better", NOT_ENOUGH_EVIDENCE
    CLEAN_NONE = "clean_none", NOT_ENOUGH_EVIDENCE
    CLEAN_NOT_WORSE = "clean_not_worse", PROMOTE
    CLEAN_WORSE = "clean_worse", KEEP
    CLEAN_PERHAPS_WORSE = "clean_perhaps_worse", NOT_ENOUGH_EVIDENCE
    CLASS_COLLAPSED = "class_collapsed", KEEP
    CLASS_WORSE = "class_worse", KEEP
    CLASSES_TOO_FEW = "classes_too_few", NOT_ENOUGH_EVIDENCE
    CLASSES_NOT_WORSE = "classes_not_worse", PROMOTE

    @property
    def decides(self) -> Decided:
        decided: Decided = self.value[1]
        return decided


@dataclass(frozen=True)
class Reason:
    """What one rule found, with its numbers. Numbers that the rule does not have are empty.

    `compared`: the two models on the part or class that the rule is about. `needed`: how many images of that kind would settle it; None
    if MOST_IMAGES would not. `name`: the class. `classes`: how many classes there are. `too_few`: the classes with too few images, and
    how many they have.
    """

    finding: Finding
    compared: PairedComparison | None = None
    needed: int | None = None
    name: str = ""
    classes: int = 0
    too_few: Mapping[str, int] = field(default_factory=dict)


# A function that says a reason in words. GateRules are the settings by which it was found.
InWords = Callable[[Reason, GateRules], str]


@dataclass(frozen=True)
class Decision:
    """What the gate decides and why. It has the comparison of each part, and of each class on clean images."""

    decision: Decided
    reasons: tuple[Reason, ...]
    recent: PairedComparison
    clean: PairedComparison
    by_class: dict[str, ClassComparison]
    rules: GateRules


def evaluate_challenger(store: MonitorStore, run_key: str, in_words: InWords) -> GateResult:
    """Compares the challenger of `run_key` with the champion of its note, and decides.

    Writes models/<version>/evaluation.parquet (image_id, key, part, day, label, champion and challenger), the card's `gate` and
    the `alerts` that came meanwhile, and the gate as retraining/<run_key>/gate.json, with each reason as `in_words` says it. A
    repeated run gives the same result.
    """
    from driftwatch.models.registry import add_to_card
    from driftwatch.models.requests import attached_alerts

    note = store.read(store.keys.retraining(run_key, CHALLENGER), ChallengerNote)
    asked, recent_days, clean_days = _answered(store, run_key, note)
    # What production has not answered tells nothing of either.
    table = asked.dropna(subset=list(ROLES), ignore_index=True)
    columns = ["image_id", "key", "part", "day", "label", "champion", "challenger"]
    store.storage.write_table(store.keys.model_evaluation(note.version), table[columns])
    found = decide(table, store.config.classes, store.config.retraining)
    parts = {name: table[table["part"] == name] for name in (RECENT, CLEAN)}
    gate = GateResult(
        run_key=run_key,
        version=note.version,
        champion=note.parent,
        recent_days=recent_days,
        clean_days=clean_days,
        decision=found.decision,
        reasons=tuple(in_words(reason, found.rules) for reason in found.reasons),
        recent=_part(parts[RECENT], found.recent, store.config.classes),
        clean=CleanPart(
            **dict(_part(parts[CLEAN], found.clean, store.config.classes)),
            by_class=found.by_class,
        ),
        rules=found.rules,
    )
    also = {"unanswered": len(asked) - len(table), "segments": gate_segments(store, table)}
    gate = gate.model_copy(update={name: value for name, value in also.items() if value})
    runs = [run_key, *([note.trained_for] if note.trained_for else [])]
    alerts = tuple(sorted({day for run in runs for day in attached_alerts(store, run)}))
    add_to_card(store, note.version, gate=gate, alerts=alerts)
    store.write(store.keys.retraining(run_key, GATE), gate)
    return gate


def _answered(
    store: MonitorStore, run_key: str, note: ChallengerNote
) -> tuple[pd.DataFrame, tuple[date, ...], tuple[date, ...]]:
    """The evaluation images of the set with both models' answers, and the recent and the clean days."""
    from driftwatch.models.registry import card

    table = store.storage.read_table(store.keys.retraining(run_key, SET))
    table = table[table["split"] == EVALUATION].reset_index(drop=True)
    recent_days, clean_days = bad_and_good_days(store, table)
    of_clean = (table["source"] == ORIGINAL) | table["day"].isin(clean_days)
    part = np.where(of_clean, CLEAN, np.where(table["day"].isin(recent_days), RECENT, ""))
    table = table.assign(part=part)[part != ""].reset_index(drop=True)
    inputs = load_inputs(store, table)
    batch_size = min(store.config.model.batch_size, max(1, len(inputs)))
    for role, version in zip(ROLES, (note.parent, note.version), strict=True):
        refuse_other(card(store, version), store.config, role)
        found = predictor(store, version).predict(Asked([inputs], image_ids=table["image_id"].tolist()), batch_size)
        table[role] = found.table(store.config.classes)["prediction"]
    table["key"] = image_keys(store, table)
    return table, *(tuple(date.fromisoformat(day) for day in days) for days in (recent_days, clean_days))


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


def decide(table: pd.DataFrame, classes: tuple[str, ...], settings: RetrainingConfig) -> Decision:
    """The decision on rows of image_id, part (recent or clean), label, champion, challenger: promote, keep, or
    not_enough_evidence, which keeps too."""
    level = settings.gate_confidence
    parts = {name: table[table["part"] == name] for name in (RECENT, CLEAN)}
    recent, clean = (_compared(rows, level) for rows in parts.values())
    of_class = {name: _compared(parts[CLEAN][parts[CLEAN]["label"] == name], level) for name in classes}
    by_class, of_classes = _on_classes(of_class, settings)
    reasons = (_on_recent(recent, settings), _on_clean(clean, settings), *of_classes)
    decided = [reason.finding.decides for reason in reasons]
    rules = GateRules(
        min_evaluation_labels=settings.min_evaluation_labels,
        max_clean_drop=settings.max_clean_drop,
        max_class_drop=settings.max_class_drop,
        gate_confidence=level,
    )
    return Decision(_strictest(decided), reasons, recent, clean, by_class, rules)


def _strictest(decided: list[Decided]) -> Decided:
    """The strictest decision. One rule that keeps the champion is enough. To promote, all rules must agree."""
    if KEEP in decided:
        return KEEP
    return NOT_ENOUGH_EVIDENCE if NOT_ENOUGH_EVIDENCE in decided else PROMOTE


def _compared(rows: pd.DataFrame, level: float) -> PairedComparison:
    return compare(rows["label"], rows["champion"], rows["challenger"], level)


def _on_recent(found: PairedComparison, settings: RetrainingConfig) -> Reason:
    if (
        found.n < settings.min_evaluation_labels
        or found.difference is None
        or found.low is None
        or found.p_value is None
    ):
        return Reason(Finding.RECENT_TOO_FEW, found)
    if found.low > 0 and found.p_value <= 1 - settings.gate_confidence:
        return Reason(Finding.RECENT_BETTER, found)
    if found.difference <= 0:
        return Reason(Finding.RECENT_NOT_BETTER, found)
    needed = images_needed(counts_of(found), 0, settings.gate_confidence)
    return Reason(Finding.RECENT_PERHAPS_BETTER, found, needed)


def _on_clean(found: PairedComparison, settings: RetrainingConfig) -> Reason:
    if found.difference is None or found.low is None:
        return Reason(Finding.CLEAN_NONE, found)
    if found.low > -settings.max_clean_drop:
        return Reason(Finding.CLEAN_NOT_WORSE, found)
    if found.difference < -settings.max_clean_drop:
        return Reason(Finding.CLEAN_WORSE, found)
    needed = images_needed(counts_of(found), settings.max_clean_drop, settings.gate_confidence)
    return Reason(Finding.CLEAN_PERHAPS_WORSE, found, needed)


def _on_classes(
    by_class: Mapping[str, PairedComparison], settings: RetrainingConfig
) -> tuple[dict[str, ClassComparison], list[Reason]]:
    """The joint test of the classes: the p-value and power of each, and the reasons. There is a reason for each class that got worse,
    and one for the classes that are too small to tell. If neither applies, the reason says that no class got worse."""
    test = _losses(by_class, settings)
    powers: dict[tuple[int, float], float] = {}
    compared: dict[str, ClassComparison] = {}
    reasons: list[Reason] = []
    unseen = []
    for place, (name, found) in enumerate(by_class.items()):
        drop = round(max(test.usual_recall(place) / 2, settings.max_class_drop), 2)
        kind = (found.n, drop)
        if kind not in powers:
            powers[kind] = test.power(place, drop)
        power = powers[kind]
        compared[name] = ClassComparison(**dict(found), p_value_worse=test.p_values[place], power=power)
        if test.worse[place]:
            reasons += _on_worse_class(name, found, settings)
        elif power < POWER and not (settings.max_class_drop >= 1 or _got_better(found)):
            unseen.append((place, name, drop))
    if unseen:
        # How many images are needed is reckoned for the class whose loss is hardest to see.
        place, _, drop = min(unseen, key=lambda each: (each[2], by_class[each[1]].n))
        too_few = {name: by_class[name].n for _, name, _ in unseen}
        needed = test.images_needed(place, drop)
        reasons.append(Reason(Finding.CLASSES_TOO_FEW, needed=needed, classes=len(by_class), too_few=too_few))
    return compared, reasons or [Reason(Finding.CLASSES_NOT_WORSE, classes=len(by_class))]


def _losses(by_class: Mapping[str, PairedComparison], settings: RetrainingConfig) -> ClassLosses:
    classes = list(by_class.values())
    return ClassLosses(
        [found.n for found in classes],
        [found.won for found in classes],
        [found.lost for found in classes],
        [found.right_of_each.champion for found in classes],
        1 - settings.gate_confidence,
    )


def _got_better(found: PairedComparison) -> bool:
    """Whether the class's own images show that it gained. If the challenger wins nearly all, few images are enough."""
    return found.low is not None and found.low >= 0


def _on_worse_class(name: str, found: PairedComparison, settings: RetrainingConfig) -> list[Reason]:
    if found.right_of_each.challenger / found.n < found.right_of_each.champion / found.n / 2:
        return [Reason(Finding.CLASS_COLLAPSED, found, name=name)]
    if found.difference is None or found.difference >= -settings.max_class_drop:
        return []
    return [Reason(Finding.CLASS_WORSE, found, name=name)]
