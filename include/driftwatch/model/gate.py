"""The gate: champion and challenger on the same images, which neither was trained on.

Better where it got worse: on the evaluation images of the days that alerted (of the whole range where none did), the challenger
must win by an exact McNemar test, one-sided, and by the lower end of the interval of the difference. Not worse elsewhere: on the
original holdout and the evaluation images of days without drift or alert, the lower end of the interval must stay above
-max_clean_drop, that of each class's recall above -max_class_drop, and no class may lose half of its recall. Every bound and test
is one-sided at `retraining.gate_confidence`.
"""

from __future__ import annotations

import math
from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import binomtest

from driftwatch.as_trained import refuse_other
from driftwatch.config import MonitorConfig
from driftwatch.layout import MonitorLayout
from driftwatch.model.challenger import CHALLENGER
from driftwatch.model.dataset import EVALUATION, ORIGINAL, SET, bad_and_good_days, image_keys, load_inputs
from driftwatch.model.requests import GATE
from driftwatch.performance.metrics import measure, share
from driftwatch.storage import Storage

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftwatch.config_model import RetrainingConfig

PROMOTE, KEEP, NOT_ENOUGH_EVIDENCE = "promote", "keep", "not_enough_evidence"
RECENT, CLEAN = "recent", "clean"
ROLES = ("champion", "challenger")
LEVEL = 0.95  # of both models' own shares; the comparison's is retraining.gate_confidence
EXAMPLES = 12


def evaluate_challenger(storage: Storage, layout: MonitorLayout, config: MonitorConfig, run_key: str) -> dict[str, Any]:
    """Compares the challenger of `run_key` with its parent, the champion when it was trained, and decides.

    Writes models/<version>/evaluation.parquet (image_id, key, part, day, label, champion and challenger), the card's `gate` and
    the `alerts` that came meanwhile, and the gate as retraining/<run_key>/gate.json. Returns it: decision, reasons, version, champion, and for `recent` and `clean` the
    paired comparison and both models' metrics. A repeated run gives the same.
    """
    from driftwatch.model.predict import answers, logits, probabilities
    from driftwatch.model.registry import add_to_card, card, load_model
    from driftwatch.model.requests import attached_alerts
    from driftwatch.model.runtime import prepare

    prepare()
    request = storage.read_json(layout.retraining(run_key, CHALLENGER))
    table = storage.read_table(layout.retraining(run_key, SET))
    table = table[table["split"] == EVALUATION].reset_index(drop=True)
    recent_days, clean_days = bad_and_good_days(storage, layout, table)
    of_clean = (table["source"] == ORIGINAL) | table["day"].isin(clean_days)
    part = np.where(of_clean, CLEAN, np.where(table["day"].isin(recent_days), RECENT, ""))
    table = table.assign(part=part)[part != ""].reset_index(drop=True)
    inputs = load_inputs(storage, layout, table)
    for role, version in zip(ROLES, (request["parent"], request["version"]), strict=True):
        refuse_other(card(storage, layout, version), config, role)
        model = load_model(storage, layout, version)
        scores = probabilities(logits(model, inputs, config.model.batch_size), model.temperature)
        table[role] = answers(scores, config.classes)["prediction"]
    table["key"] = image_keys(storage, layout, table)
    columns = ["image_id", "key", "part", "day", "label", "champion", "challenger"]
    storage.write_table(layout.model_evaluation(request["version"]), table[columns])
    gate = {
        "run_key": run_key,
        "version": request["version"],
        "champion": request["parent"],
        "recent_days": recent_days,
        "clean_days": clean_days,
        **decide(table, config.classes, config.retraining),
    }
    for name in (RECENT, CLEAN):
        rows = table[table["part"] == name]
        models = {role: measure(rows["label"], rows[role], config.classes, LEVEL) for role in ROLES}
        gate[name] = {**gate[name], **models, **_examples(rows)}
    add_to_card(storage, layout, request["version"], gate=gate, alerts=attached_alerts(storage, layout, run_key))
    storage.write_json(layout.retraining(run_key, GATE), gate)
    return gate


def decide(table: pd.DataFrame, classes: tuple[str, ...], settings: RetrainingConfig) -> dict[str, Any]:
    """The decision on rows of image_id, part (recent or clean), label, champion, challenger: promote, keep, or
    not_enough_evidence, which keeps too; with every reason in plain words, and the comparison of each part and, on clean images,
    of each class (`clean.by_class`)."""
    level = settings.gate_confidence
    parts = {name: table[table["part"] == name] for name in (RECENT, CLEAN)}
    found: dict[str, Any] = {name: _compared(rows, level) for name, rows in parts.items()}
    by_class = {name: _compared(parts[CLEAN][parts[CLEAN]["label"] == name], level) for name in classes}
    verdicts = [_on_recent(found[RECENT], settings), _on_clean(found[CLEAN], settings)]
    verdicts += [_on_class(name, of_class, settings) for name, of_class in by_class.items()]
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


def compare(label: pd.Series, champion: pd.Series, challenger: pd.Series, level: float = LEVEL) -> dict[str, Any]:
    """The paired difference of accuracy, challenger less champion, on the same images.

    n; right, by role; won (only the challenger is right), lost (only the champion is); difference with low and high, each a
    one-sided bound at `level` by Newcombe's paired method (1998, method 10); p_value of the exact one-sided McNemar test that
    the challenger is better.
    """
    old, new = np.asarray(champion == label), np.asarray(challenger == label)
    n, won, lost = len(old), int((new & ~old).sum()), int((old & ~new).sum())
    counts = {"n": n, "right": {"champion": int(old.sum()), "challenger": int(new.sum())}, "won": won, "lost": lost}
    if n == 0:
        return {**counts, "difference": None, "low": None, "high": None, "p_value": None}
    both, neither = int((new & old).sum()), int((~new & ~old).sum())
    difference = (won - lost) / n
    two_sided = 2 * level - 1
    first, second = share(both + won, n, two_sided), share(both + lost, n, two_sided)
    correlation = _correlation(both, won, lost, neither)
    low = _square_and_add(first["value"] - first["low"], second["high"] - second["value"], correlation)
    high = _square_and_add(first["high"] - first["value"], second["value"] - second["low"], correlation)
    p_value = binomtest(won, won + lost, 0.5, alternative="greater").pvalue if won + lost else 1.0
    return {
        **counts,
        "difference": difference,
        "low": max(-1.0, difference - low),
        "high": min(1.0, difference + high),
        "p_value": float(p_value),
    }


def _correlation(both: int, won: int, lost: int, neither: int) -> float:
    """Phi of the 2 x 2 table, with Newcombe's continuity correction."""
    margins = (both + won) * (lost + neither) * (both + lost) * (won + neither)
    if margins == 0:
        return 0.0
    top = both * neither - won * lost
    n = both + won + lost + neither
    return (max(top - n / 2, 0.0) if top > 0 else top) / math.sqrt(margins)


def _square_and_add(one: float, other: float, correlation: float) -> float:
    return math.sqrt(max(0.0, one**2 - 2 * correlation * one * other + other**2))


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
        f"{said}: better, but chance could do it (exact McNemar p = {found['p_value']:.2g}). More labels would tell.",
    )


def _on_clean(found: Mapping[str, Any], settings: RetrainingConfig) -> tuple[str, str]:
    if found["n"] == 0:
        return (
            NOT_ENOUGH_EVIDENCE,
            f"Clean images: {_said(found)}; without a holdout nothing shows that it is not worse.",
        )
    return _no_worse(f"Clean images: {_said(found)}", found, "max_clean_drop", settings)


def _on_class(name: str, found: Mapping[str, Any], settings: RetrainingConfig) -> tuple[str, str]:
    if found["n"] == 0:
        return NOT_ENOUGH_EVIDENCE, f"Class {name}: no clean evaluation image, so a collapse would not be seen."
    before, after = (found["right"][role] / found["n"] for role in ROLES)
    if after < before / 2:
        return KEEP, f"Class {name}: recall on clean images collapsed from {before:.1%} to {after:.1%}."
    return _no_worse(f"Class {name} on clean images: {_said(found)}", found, "max_class_drop", settings)


def _no_worse(said: str, found: Mapping[str, Any], rule: str, settings: RetrainingConfig) -> tuple[str, str]:
    max_drop = getattr(settings, rule)
    allowed = f"retraining.{rule} allows {max_drop:.1%}"
    if found["low"] > -max_drop:
        return PROMOTE, f"{said}: not worse by more than {allowed}."
    if found["difference"] < -max_drop:
        return KEEP, f"{said}: worse by more than {allowed}."
    return NOT_ENOUGH_EVIDENCE, (
        f"{said}: a loss of more than {allowed} cannot be ruled out; about {_images_needed(found, max_drop, settings)} such images "
        "would settle it (more original images, or labelled days without drift)."
    )


def _images_needed(found: Mapping[str, Any], max_drop: float, settings: RetrainingConfig) -> int:
    """Images with which the lower bound would clear the limit, if shares of wins and losses stayed as they are."""
    difference = found["difference"]
    spread = (found["won"] + found["lost"]) / found["n"] - difference**2
    room = max(max_drop + difference, 1e-3)
    return max(found["n"] + 1, math.ceil(spread * (NormalDist().inv_cdf(settings.gate_confidence) / room) ** 2))


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
