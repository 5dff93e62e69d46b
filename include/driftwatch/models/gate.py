"""The gate: champion and challenger on the same images, which neither was trained on.

Better where it got worse: on the evaluation images of the days that alerted (of the whole range where none did), the challenger
must win by an exact McNemar test, one-sided, and by the lower end of the interval of the difference. Not worse elsewhere: on the
original holdout and the evaluation images of days without drift or alert, the lower end of the interval must stay above
-max_clean_drop, and no class may have got worse: the classes are tested together (driftwatch.models.class_losses), and one that lost more than
max_class_drop or half of its recall, beyond chance, keeps the champion. Nothing is promoted either where a class has so few images that
losing half of its recall would not be seen with a power of 80 %, unless its own interval shows that it gained. Each of the three tests is one-sided at `retraining.gate_confidence`.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from driftwatch.artifacts.keys import CHALLENGER, GATE, SET
from driftwatch.artifacts.store import MonitorStore
from driftwatch.models.as_trained import refuse_other
from driftwatch.models.class_losses import POWER, ClassLosses
from driftwatch.models.dataset import EVALUATION, ORIGINAL, bad_and_good_days, image_keys, load_inputs
from driftwatch.models.metrics import measure
from driftwatch.models.paired import LEVEL, MOST_IMAGES, compare, images_needed

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftwatch.config.model import RetrainingConfig

PROMOTE, KEEP, NOT_ENOUGH_EVIDENCE = "promote", "keep", "not_enough_evidence"
RECENT, CLEAN = "recent", "clean"
ROLES = ("champion", "challenger")
EXAMPLES = 12


def evaluate_challenger(store: MonitorStore, run_key: str) -> dict[str, Any]:
    """Compares the challenger of `run_key` with its parent, the champion when it was trained, and decides.

    Writes models/<version>/evaluation.parquet (image_id, key, part, day, label, champion and challenger), the card's `gate` and
    the `alerts` that came meanwhile, and the gate as retraining/<run_key>/gate.json. Returns it: decision, reasons, version, champion, and for `recent` and `clean` the
    paired comparison and both models' metrics. A repeated run gives the same.
    """
    from driftwatch.models.predict import answers, logits, probabilities
    from driftwatch.models.registry import add_to_card, card, load_model
    from driftwatch.models.requests import attached_alerts
    from driftwatch.models.runtime import prepare

    prepare()
    request = store.storage.read_json(store.keys.retraining(run_key, CHALLENGER))
    table = store.storage.read_table(store.keys.retraining(run_key, SET))
    table = table[table["split"] == EVALUATION].reset_index(drop=True)
    recent_days, clean_days = bad_and_good_days(store, table)
    of_clean = (table["source"] == ORIGINAL) | table["day"].isin(clean_days)
    part = np.where(of_clean, CLEAN, np.where(table["day"].isin(recent_days), RECENT, ""))
    table = table.assign(part=part)[part != ""].reset_index(drop=True)
    inputs = load_inputs(store, table)
    for role, version in zip(ROLES, (request["parent"], request["version"]), strict=True):
        refuse_other(card(store, version), store.config, role)
        model = load_model(store, version)
        scores = probabilities(logits(model, inputs, store.config.model.batch_size), model.temperature)
        table[role] = answers(scores, store.config.classes)["prediction"]
    table["key"] = image_keys(store, table)
    columns = ["image_id", "key", "part", "day", "label", "champion", "challenger"]
    store.storage.write_table(store.keys.model_evaluation(request["version"]), table[columns])
    gate = {
        "run_key": run_key,
        "version": request["version"],
        "champion": request["parent"],
        "recent_days": recent_days,
        "clean_days": clean_days,
        **decide(table, store.config.classes, store.config.retraining),
    }
    for name in (RECENT, CLEAN):
        rows = table[table["part"] == name]
        models = {role: measure(rows["label"], rows[role], store.config.classes, LEVEL) for role in ROLES}
        gate[name] = {**gate[name], **models, **_examples(rows)}
    add_to_card(store, request["version"], gate=gate, alerts=attached_alerts(store, run_key))
    store.storage.write_json(store.keys.retraining(run_key, GATE), gate)
    return gate


def decide(table: pd.DataFrame, classes: tuple[str, ...], settings: RetrainingConfig) -> dict[str, Any]:
    """The decision on rows of image_id, part (recent or clean), label, champion, challenger: promote, keep, or
    not_enough_evidence, which keeps too; with every reason in plain words, and the comparison of each part and, on clean images,
    of each class (`clean.by_class`, with the p_value_worse of the joint test, and the power to see half of its recall lost)."""
    level = settings.gate_confidence
    parts = {name: table[table["part"] == name] for name in (RECENT, CLEAN)}
    found: dict[str, Any] = {name: _compared(rows, level) for name, rows in parts.items()}
    by_class = {name: _compared(parts[CLEAN][parts[CLEAN]["label"] == name], level) for name in classes}
    verdicts = [
        _on_recent(found[RECENT], settings),
        _on_clean(found[CLEAN], settings),
        *_on_classes(by_class, settings),
    ]
    decisions = [decision for decision, _ in verdicts]
    decision = next((kind for kind in (KEEP, NOT_ENOUGH_EVIDENCE) if kind in decisions), PROMOTE)
    found[CLEAN]["by_class"] = by_class
    rules = ("min_evaluation_labels", "max_clean_drop", "max_class_drop", "gate_confidence")
    return {
        "decision": decision,
        "reasons": [reason for _, reason in verdicts],
        **found,
        "rules": {name: getattr(settings, name) for name in rules},
    }


def _compared(rows: pd.DataFrame, level: float) -> dict[str, Any]:
    return compare(rows["label"], rows["champion"], rows["challenger"], level)


def _on_recent(found: Mapping[str, Any], settings: RetrainingConfig) -> tuple[str, str]:
    said = f"Recent days: {_said(found)}"
    if found["n"] < settings.min_evaluation_labels:
        return (
            NOT_ENOUGH_EVIDENCE,
            f"{said}; not enough evaluation labels, retraining.min_evaluation_labels is {settings.min_evaluation_labels}. "
            "More labels would tell.",
        )
    if found["low"] > 0 and found["p_value"] <= 1 - settings.gate_confidence:
        return PROMOTE, f"{said}: better (exact McNemar p = {found['p_value']:.2g})."
    if found["difference"] <= 0:
        return KEEP, f"{said}: not better."
    return (
        NOT_ENOUGH_EVIDENCE,
        f"{said}: better, but chance could do it (exact McNemar p = {found['p_value']:.2g}); "
        f"{_about(images_needed(found, 0, settings.gate_confidence))} such images would tell.",
    )


def _on_clean(found: Mapping[str, Any], settings: RetrainingConfig) -> tuple[str, str]:
    if found["n"] == 0:
        return (
            NOT_ENOUGH_EVIDENCE,
            f"Clean images: {_said(found)}; without a holdout nothing shows that it is not worse.",
        )
    said, allowed = f"Clean images: {_said(found)}", f"retraining.max_clean_drop allows {settings.max_clean_drop:.1%}"
    if found["low"] > -settings.max_clean_drop:
        return PROMOTE, f"{said}: not worse by more than {allowed}."
    if found["difference"] < -settings.max_clean_drop:
        return KEEP, f"{said}: worse by more than {allowed}."
    return NOT_ENOUGH_EVIDENCE, (
        f"{said}: a loss of more than {allowed} cannot be ruled out; "
        f"{_about(images_needed(found, settings.max_clean_drop, settings.gate_confidence))} such images would settle it "
        f"(more original images, or labelled days without drift)."
    )


def _on_classes(by_class: Mapping[str, dict[str, Any]], settings: RetrainingConfig) -> list[tuple[str, str]]:
    """The joint test of the classes: a verdict on each that got worse, on those too small to tell, or one that none did."""
    classes = list(by_class.values())
    test = ClassLosses(
        [found["n"] for found in classes],
        [found["won"] for found in classes],
        [found["lost"] for found in classes],
        [found["right"]["champion"] for found in classes],
        1 - settings.gate_confidence,
    )
    powers: dict[tuple[int, float], float] = {}
    verdicts: list[tuple[str, str]] = []
    unseen = []
    for place, (name, found) in enumerate(by_class.items()):
        drop = round(max(test.usual_recall(place) / 2, settings.max_class_drop), 2)
        kind = (found["n"], drop)
        powers.setdefault(kind, test.power(place, drop))
        found |= {"p_value_worse": test.p_values[place], "power": powers[kind]}
        if test.worse[place]:
            verdicts += _on_worse_class(name, found, settings)
        elif found["power"] < POWER and not (settings.max_class_drop >= 1 or _got_better(found)):
            unseen.append((place, name, drop))
    if unseen:
        verdicts.append((NOT_ENOUGH_EVIDENCE, _too_small(unseen, by_class, test)))
    if not verdicts:
        said = f"none of {len(classes)} got worse by more than retraining.max_class_drop allows ({settings.max_class_drop:.1%})"
        verdicts.append(
            (PROMOTE, f"Classes on clean images: {said} beyond chance, at one error rate of {test.alpha:.1%} for all.")
        )
    return verdicts


def _got_better(found: Mapping[str, Any]) -> bool:
    """Whether the class' own images show that it gained: where the challenger wins nearly all, few images are enough."""
    return found["n"] > 0 and found["low"] >= 0


def _on_worse_class(name: str, found: Mapping[str, Any], settings: RetrainingConfig) -> list[tuple[str, str]]:
    before, after = (found["right"][role] / found["n"] for role in ROLES)
    if after < before / 2:
        return [(KEEP, f"Class {name}: recall on clean images collapsed from {before:.1%} to {after:.1%}.")]
    if found["difference"] >= -settings.max_class_drop:
        return []
    allowed = f"retraining.max_class_drop allows {settings.max_class_drop:.1%}"
    return [(KEEP, f"Class {name} on clean images: {_said(found)}: worse by more than {allowed}.")]


def _too_small(
    unseen: Sequence[tuple[int, str, float]], by_class: Mapping[str, Mapping[str, Any]], test: ClassLosses
) -> str:
    named = ", ".join(f"{name} ({by_class[name]['n']})" for _, name, _ in unseen)
    place, _, drop = min(unseen, key=lambda each: (each[2], by_class[each[1]]["n"]))
    return (
        f"{len(unseen)} of {len(by_class)} classes have too few clean evaluation images, so that losing half of the recall would be seen less "
        f"than {POWER:.0%} of the time: {named}. {_about(test.images_needed(place, drop))} of each class would settle it (more "
        "original images, or labelled days without drift)."
    )


def _about(images: int | None) -> str:
    return f"more than {MOST_IMAGES}" if images is None else f"about {images}"


def _said(found: Mapping[str, Any]) -> str:
    if found["n"] == 0:
        return "no evaluation image"
    return f"{found['difference']:+.1%} (at least {found['low']:+.1%}; {found['won']} won, {found['lost']} lost of {found['n']})"


def _examples(rows: pd.DataFrame) -> dict[str, list[str]]:
    """Ids of the first images, by id, that the challenger repairs and breaks."""
    right = {role: rows[role] == rows["label"] for role in ("champion", "challenger")}
    repaired, broken = right["challenger"] & ~right["champion"], right["champion"] & ~right["challenger"]
    return {
        "repaired": sorted(rows.loc[repaired, "image_id"])[:EXAMPLES],
        "broken": sorted(rows.loc[broken, "image_id"])[:EXAMPLES],
    }
