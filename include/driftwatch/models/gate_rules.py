"""The gate compares champion and challenger on the same images. Neither was trained on them.

1. Recent part: the evaluation images of the days with an alert, or of all days if none had one. The challenger must be better: the
   lower end of the interval of the difference must be above 0, and the p-value must say so too.
2. Clean part: the original holdout, and the evaluation images of days without drift or alert. The challenger must not be worse: the
   lower end of the interval must stay above -max_clean_drop.
3. Classes of the clean part: all are tested together (driftwatch.models.class_losses). If a class lost more than max_class_drop or half
   of its recall, beyond chance, the champion stays. It also stays if a class has so few images that the test would not see a loss of
   half its recall with a power of 80 %, unless the class's own interval shows that it gained.

The first two are sharpened by both models' answers to images of the same days that have no label (driftwatch.models.powered). Where the
answers differ on too few labelled images for that, an exact McNemar test and Newcombe's interval decide.

Each test is one-sided at `retraining.gate_confidence`. What the rules find is a value here (`Reason`). `driftwatch.view.gate` puts it
into words.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from enum import Enum
from typing import TYPE_CHECKING, Literal

import numpy as np
import pandas as pd
from scipy.stats import norm

from driftwatch.artifacts.retraining import ClassComparison, GateRules, PairedComparison
from driftwatch.models.class_losses import POWER, ClassLosses
from driftwatch.models.paired import MOST_IMAGES, compare, counts_of, images_needed
from driftwatch.models.paired import POWER as CHANCE
from driftwatch.models.powered import Answers, sharpened

if TYPE_CHECKING:
    from driftwatch.config.retraining import RetrainingConfig

Decided = Literal["promote", "keep", "not_enough_evidence"]
PROMOTE: Literal["promote"] = "promote"
KEEP: Literal["keep"] = "keep"
NOT_ENOUGH_EVIDENCE: Literal["not_enough_evidence"] = "not_enough_evidence"
RECENT, CLEAN = "recent", "clean"


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
    WAITS = "waits", NOT_ENOUGH_EVIDENCE

    @property
    def decides(self) -> Decided:
        decided: Decided = self.value[1]
        return decided


@dataclass(frozen=True)
class Reason:
    """What one rule found, with its numbers. Numbers that the rule does not have are empty.

    `compared`: the two models on the part or class that the rule is about. `needed`: how many images of that kind would settle it; None
    if MOST_IMAGES would not. Of WAITS: how many more comparisons there may be. `name`: the class. `classes`: how many classes there are. `too_few`: the classes with too few images, and
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


def decide(
    table: pd.DataFrame,
    classes: tuple[str, ...],
    settings: RetrainingConfig,
    every: pd.DataFrame | None = None,
    recent_confidence: float | None = None,
    clean_confidence: float | None = None,
) -> Decision:
    """The decision on rows of image_id, part (recent or clean), label, champion, challenger: promote, keep, or
    not_enough_evidence, which keeps too.

    `every`: images of the same days, with a label or without: part, day, champion, challenger, expected (the difference that the scores
    let one expect). With it, `table` has day and expected too, and may have fold: not null where the model of a fold answered
    in the challenger's place. `recent_confidence` and `clean_confidence`: those of the two tests where several looks share the error rate.
    """
    level = settings.gate_confidence
    recent_level, clean_level = recent_confidence or level, clean_confidence or level
    parts = {name: table[table["part"] == name] for name in (RECENT, CLEAN)}
    recent = _sharpest(parts[RECENT], every, RECENT, recent_level)
    clean = _sharpest(parts[CLEAN], every, CLEAN, clean_level)
    of_class = {name: _compared(parts[CLEAN][parts[CLEAN]["label"] == name], level) for name in classes}
    by_class, of_classes = _on_classes(of_class, settings)
    reasons = (_on_recent(recent, settings, recent_level), _on_clean(clean, settings, clean_level), *of_classes)
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


def _sharpest(rows: pd.DataFrame, every: pd.DataFrame | None, part: str, level: float) -> PairedComparison:
    """The comparison on one part, sharpened where there are images without a label.

    Each day counts by its labelled images, however many images it has. What has no other images than the labelled ones, as the holdout,
    stands for itself. Labels that models of folds answered judge only a sharpened comparison, which knows what luck they add.
    """
    of_folds = rows["fold"].notna() if "fold" in rows else pd.Series(False, index=rows.index)
    found = _compared(rows[~of_folds], level)
    here = every[every["part"] == part] if every is not None else None
    if here is None or here.empty or rows.empty:
        return found
    whole = pd.concat([here, rows[~rows["day"].isin(here["day"])]], ignore_index=True)
    labels, images = rows["day"].value_counts(), whole["day"].value_counts()
    weight = whole["day"].map(labels / images).fillna(0.0).to_numpy(dtype=float)
    gained = (rows["challenger"] == rows["label"]).astype(int) - (rows["champion"] == rows["label"]).astype(int)
    labelled, all_of_it = _answers(rows, np.ones(len(rows))), _answers(whole, weight)
    sharper = sharpened(gained.to_numpy(), labelled, all_of_it, level, int(of_folds.sum()))
    return _compared(rows, level).model_copy(update={"sharpened": sharper}) if sharper else found


def _answers(rows: pd.DataFrame, weight: np.ndarray) -> Answers:
    differ = np.asarray(rows["champion"] != rows["challenger"])
    return Answers(differ, np.where(differ, rows["expected"].to_numpy(dtype=float), 0.0), weight)


def _needed(found: PairedComparison, max_drop: float, level: float) -> int | None:
    """How many images would settle that the difference is above -`max_drop`."""
    sharper = found.sharpened
    if sharper is None:
        return images_needed(counts_of(found), max_drop, level)
    reach = (norm.ppf(level) + norm.ppf(CHANCE)) * sharper.error / (sharper.difference + max_drop)
    needed = math.ceil(found.n * max(reach**2, 1))
    return needed if needed <= MOST_IMAGES else None


def _on_recent(found: PairedComparison, settings: RetrainingConfig, level: float) -> Reason:
    seen = found.deciding
    if found.n < settings.min_evaluation_labels or seen.difference is None or seen.low is None or seen.p_value is None:
        return Reason(Finding.RECENT_TOO_FEW, found)
    if seen.low > 0 and seen.p_value <= 1 - level:
        return Reason(Finding.RECENT_BETTER, found)
    if seen.difference <= 0:
        return Reason(Finding.RECENT_NOT_BETTER, found)
    return Reason(Finding.RECENT_PERHAPS_BETTER, found, _needed(found, 0, level))


def _on_clean(found: PairedComparison, settings: RetrainingConfig, level: float) -> Reason:
    seen, allowed = found.deciding, settings.max_clean_drop
    if seen.difference is None or seen.low is None:
        return Reason(Finding.CLEAN_NONE, found)
    if seen.low > -allowed:
        return Reason(Finding.CLEAN_NOT_WORSE, found)
    if seen.difference <= -allowed:
        return Reason(Finding.CLEAN_WORSE, found)
    return Reason(Finding.CLEAN_PERHAPS_WORSE, found, _needed(found, allowed, level))


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
