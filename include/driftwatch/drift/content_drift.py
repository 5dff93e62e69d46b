"""Drift of content and of predictions, as artifacts: the reference that a model's held-out images give, and content_drift.json."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from driftwatch.artifacts.store import DayStore, MonitorStore
from driftwatch.drift.class_mix import PREDICTION
from driftwatch.drift.content import compare_shares, fit_projection, project, whole_counts
from driftwatch.drift.dependence import bursts, share_weights, weights_of
from driftwatch.drift.drift import as_json, examples, kind_rate, load_reference, tested, with_clusters
from driftwatch.drift.reference import CONTENT, DRIFTED, MIN_REFERENCE, NOT_ENOUGH_EVIDENCE, OK, Reference
from driftwatch.models.as_trained import as_trained

if TYPE_CHECKING:
    from collections.abc import Sequence


logger = logging.getLogger(__name__)

PREDICTIONS = "predictions"


def build_content_reference(
    store: MonitorStore,
    version: str,
    table: pd.DataFrame,
    embeddings: np.ndarray,
) -> int:
    """Writes the reference of content and predictions of model `version`, and returns the number of held-out images in it.

    `table`: one row for each image of the model's data, with `trained_on` and `held_out` (bool), `prediction` and, where
    known, `label` and `phash`;
    `embeddings` [n, width] in its order. Of near-duplicates one is kept. With fewer than MIN_REFERENCE held-out images
    content is not judged, and the day says so.
    """
    burst = bursts(table)
    first = np.ones(len(table), bool) if burst is None else ~pd.Series(burst).duplicated().to_numpy()
    trained_on = table["trained_on"].to_numpy(bool)
    held_out = first & table["held_out"].to_numpy(bool)
    count = int(held_out.sum())
    if count >= MIN_REFERENCE:
        projection = fit_projection(embeddings[trained_on] if trained_on.any() else embeddings)
        settings = store.config.profiling
        rate = kind_rate(settings, CONTENT)
        components = project(embeddings[held_out], projection)
        components[PREDICTION] = table.loc[held_out, "prediction"].to_numpy()
        store.storage.write_array(store.keys.reference_projection(version), projection)
        Reference.build(components, rate, settings.seed, settings.min_images).save(
            store.storage, store.keys, version, CONTENT
        )
    counts = usual_answers(table, held_out, store.config.classes)
    store.storage.write_json(
        store.keys.reference_predictions(version),
        {"images": count, "counts": dict(zip(store.config.classes, counts.tolist(), strict=True))},
    )
    return count


def usual_answers(table: pd.DataFrame, held_out: np.ndarray, classes: Sequence[str]) -> np.ndarray:
    """How often the model answers each class where the classes are as frequent as in its data, in as many images as that is known from.

    How it answers a class is told by the held-out images of the class, `held_out`; how frequent a class is, by all images. The
    held-out ones alone would not do for that: near-duplicates are kept together and count once, so that their
    classes are in other shares, each by its own chance. A class with few held-out images is drawn towards what all show together.
    Both parts have their sampling error, the first by class and the second as the images are independent.
    """
    count, k = int(held_out.sum()), len(classes)
    if "label" not in table or not count:
        return _tabulate(table.loc[held_out], "prediction", classes).astype(int)
    by_label = np.stack(
        [_tabulate(table[held_out & (table["label"] == name)], "prediction", classes) for name in classes]
    )
    right = (np.trace(by_label) + 1) / (by_label.sum() + 2)
    pooled = np.full((k, k), (1 - right) / max(k - 1, 1))
    np.fill_diagonal(pooled, right)
    images = by_label.sum(axis=1, keepdims=True) + 1
    answered = (by_label + pooled) / images
    burst = bursts(table)
    weights = np.ones(len(table)) if burst is None else 1 / np.bincount(burst)[burst]
    counted, independent = share_weights(weights)
    codes = pd.Categorical(table["label"], categories=list(classes)).codes
    frequency = np.bincount(codes, counted, minlength=k) / counted.sum()
    usual = frequency @ answered
    of_answers = float((frequency[:, None] ** 2 * answered * (1 - answered) / (images + 1)).sum())
    several = 1 - float((usual**2).sum())
    known_from = several / (several / independent + of_answers) if several else independent
    return whole_counts(usual * round(known_from), np.arange(k), k)


def _tabulate(table: pd.DataFrame, column: str, classes: Sequence[str]) -> np.ndarray:
    return table[column].value_counts().reindex(list(classes), fill_value=0).to_numpy(dtype=float)


def judge_answers(day: DayStore, version: str) -> dict[str, Any]:
    """Tests what model `version` sees in the day's images and what it answers; writes content_drift.json and returns it.

    Keys `content` and `predictions`, each with verdict, p_value, false_alarm_rate, n and effective_n; `reason` where there is
    not enough evidence. `content`: features (components, `distance`, `residual`) as in drift.json, examples, and `reference_of_mix`, the
    number of reference images that have the day's mix of classes where it differs.
    `predictions`: effect (total variation distance) and classes (name, reference and day as shares).
    """
    day = day.with_config(as_trained(day.monitor, version))
    predictions = day.storage.read_table(day.keys.predictions)
    usual = _reference_counts(day.monitor, version)
    drift: dict[str, Any] = {
        "day": day.date.isoformat(),
        "reference_version": version,
        "reference_images": usual["images"] if usual else 0,
        "day_false_alarm_rate": day.config.profiling.false_alarm_rate,
        CONTENT: _content(day, version, predictions, usual),
        PREDICTIONS: _predictions(day, predictions, usual),
    }
    day.storage.write_json(day.keys.content_drift, drift)
    for kind in (CONTENT, PREDICTIONS):
        logger.info("%s: %s %s, p = %s", day.date, kind, drift[kind]["verdict"], drift[kind]["p_value"])
    return drift


def _reference_counts(store: MonitorStore, version: str) -> dict[str, Any] | None:
    key = store.keys.reference_predictions(version)
    return store.storage.read_json(key) if store.storage.exists(key) else None


def _no_evidence(reason: str, rate: float, n: int, effective_n: int) -> dict[str, Any]:
    return {
        "verdict": NOT_ENOUGH_EVIDENCE,
        "reason": reason,
        "p_value": None,
        "false_alarm_rate": rate,
        "n": n,
        "effective_n": effective_n,
    }


def _too_few(usual: dict[str, Any] | None, version: str) -> str:
    if usual is None:
        return f"the reference of {version} is of an earlier Driftwatch and has no held-out images: a newly registered model has"
    if usual["images"] < MIN_REFERENCE:
        return f"{version} has {usual['images']} held-out images; {MIN_REFERENCE} are needed: add images to the training set"
    return ""


def _content(
    day: DayStore,
    version: str,
    predictions: pd.DataFrame,
    usual: dict[str, Any] | None,
) -> dict[str, Any]:
    settings, n = day.config.profiling, len(predictions)
    reason = _too_few(usual, version)
    if reason:
        return _no_evidence(reason, kind_rate(settings, CONTENT), n, n) | {"features": [], "examples": []}
    table = project(
        day.storage.read_array(day.keys.embeddings),
        day.storage.read_array(day.monitor.keys.reference_projection(version)),
    )
    table.insert(0, "image_id", predictions["image_id"].to_numpy())
    table[PREDICTION] = predictions["prediction"].to_numpy()
    reference = load_reference(day.monitor, version, CONTENT, settings)
    batch = with_clusters(day, table, settings)
    report = tested(day.monitor, version, CONTENT, reference, batch)
    found = {**as_json(report), "examples": examples(table, reference, report)}
    if report.verdict == NOT_ENOUGH_EVIDENCE:
        found["reason"] = _too_small(report.effective_n, settings.min_images)
    return found


def _too_small(effective_n: int, min_images: int) -> str:
    return f"{effective_n} independent images; profiling.min_images is {min_images}"


def _predictions(
    day: DayStore,
    predictions: pd.DataFrame,
    usual: dict[str, Any] | None,
) -> dict[str, Any]:
    settings, n = day.config.profiling, len(predictions)
    rate = kind_rate(settings, PREDICTIONS)
    reason = _too_few(usual, str(predictions["model_version"].iloc[0]) if n else "the model")
    if usual is None or reason:
        return _no_evidence(reason, rate, n, n) | {"effect": None, "classes": []}
    scores = [f"score.{name}" for name in day.config.classes]
    weights = weights_of(with_clusters(day, predictions, settings), scores)
    codes = pd.Categorical(predictions["prediction"], categories=list(day.config.classes)).codes.astype(int)
    independent = np.ones(n) if weights is None else weights.min(axis=1)
    counted, worth = share_weights(independent)
    counts = whole_counts(counted * (worth / max(counted.sum(), 1)), codes, len(day.config.classes))
    effective_n = round(float(independent.sum()))
    known = np.array([usual["counts"][name] for name in day.config.classes])
    shares = [
        {
            "name": name,
            "reference": round(int(known[place]) / int(known.sum()), 6),
            "day": round(int((codes == place).sum()) / n, 6) if n else None,
        }
        for place, name in enumerate(day.config.classes)
    ]
    if effective_n < settings.min_images:
        reason = _too_small(effective_n, settings.min_images)
        return _no_evidence(reason, rate, n, effective_n) | {"effect": None, "classes": shares}
    test = compare_shares(counts, known, rate, settings.seed)
    return {
        "verdict": DRIFTED if test.p_value <= rate else OK,
        "p_value": test.p_value,
        "effect": round(test.effect, 6),
        "false_alarm_rate": rate,
        "n": n,
        "effective_n": effective_n,
        "classes": shares,
    }
