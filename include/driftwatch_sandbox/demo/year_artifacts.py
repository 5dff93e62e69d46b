"""Whole artifacts for the generated year. Each is what its step would write, made of the few numbers of the story."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from datetime import date, datetime, timedelta, timezone

import numpy as np

from driftwatch.artifacts.accuracy import Metrics
from driftwatch.artifacts.annotation import AnnotationPlan, AnnotationProgress, SampledImage, SampleSize
from driftwatch.artifacts.drift import DayDrift, FeatureDrift
from driftwatch.artifacts.models import CardMetrics, CardRecipe, Holdout, ModelCard, ModelData
from driftwatch.artifacts.publishing import Upload, UploadLedger
from driftwatch.artifacts.retraining import (
    CleanPart,
    DatasetCard,
    DatasetSummary,
    GatePart,
    GateResult,
    GateRules,
    RolesRight,
)
from driftwatch.config import MonitorConfig
from driftwatch.images.features import COLUMNS
from driftwatch.labels.money import cost_of
from driftwatch.models.metrics import measure

HOLDOUT_IMAGES, HOLDOUT_RIGHT = 600, 543
_QUANTILES = (0.05, 0.25, 0.5, 0.75, 0.95)


def holdout(config: MonitorConfig) -> Holdout:
    """The same good metrics on held-out images for each version."""
    return Holdout(**vars(_measured(config, HOLDOUT_IMAGES, HOLDOUT_RIGHT)), n=HOLDOUT_IMAGES, mean_score=0.9)


def _measured(config: MonitorConfig, n: int, right: int) -> Metrics:
    truth = [config.classes[0]] * n
    return measure(truth, truth[:right] + [config.classes[1]] * (n - right), config.classes)


def model_card(config: MonitorConfig, version: str, parent: str | None, by: str, side: int) -> ModelCard:
    """A version's card. `parent`: the version it was trained from; `by`: who asked for it; `side`: of its input, in pixels."""
    recipe = {**config.model.recipe.model_dump(mode="json"), "seed": 0, "epoch_size": None, "name": "fast"}
    return ModelCard(
        version=version,
        sha256=hashlib.sha256(version.encode()).hexdigest(),
        created_by=by,
        parent=parent,
        data=ModelData(**vars(_summary(0 if parent is None else 240)), run_key=None),
        recipe=CardRecipe.model_validate(recipe),
        seeds={"training": 0},
        history=(),
        classes=config.classes,
        input_size=side,
        output="logits",
        temperature=1.0,
        parameters=1000,
        packages={},
        metrics=CardMetrics(holdout=holdout(config)),
    )


def _summary(human: int) -> DatasetSummary:
    sources = {"original": {"train": 1000}, **({"human": {"train": human}} if human else {})}
    return DatasetSummary(
        images=1000 + human, new_labels=human, by_source=sources, by_class={}, by_day={}, by_day_and_class={}, by_agreement={},
        class_balance={}, day_mix={}, mean_confidence=None,
    )  # fmt: skip


def dataset_card(last: date) -> DatasetCard:
    """The training set of a week of labels up to `last`."""
    return DatasetCard(**vars(_summary(240)), first_day=last - timedelta(days=6), last_day=last, left_out={})


def gate(config: MonitorConfig, run: str, champion: str, challenger: str) -> GateResult:
    """The gate's result for a challenger that is better on the days on which the champion got worse, and not worse elsewhere."""
    clean = _part(config, HOLDOUT_IMAGES, HOLDOUT_RIGHT, 540, 6, 9)
    settings = config.retraining
    return GateResult(
        run_key=run,
        version=challenger,
        champion=champion,
        recent_days=(),
        clean_days=(),
        decision="promote",
        reasons=("Recent days: +18.0%: better.", "Clean images: -0.5%: not worse by more than allowed."),
        recent=_part(config, 100, 62, 80, 21, 3),
        clean=CleanPart(**vars(clean), by_class={}),
        rules=GateRules(
            min_evaluation_labels=settings.min_evaluation_labels,
            max_clean_drop=settings.max_clean_drop,
            max_class_drop=settings.max_class_drop,
            gate_confidence=settings.gate_confidence,
        ),
    )


def _part(config: MonitorConfig, n: int, before: int, after: int, won: int, lost: int) -> GatePart:
    difference = (won - lost) / n
    return GatePart(
        n=n,
        right=RolesRight(champion=before, challenger=after),
        won=won,
        lost=lost,
        difference=difference,
        low=difference - 0.05,
        high=difference + 0.05,
        p_value=0.0003 if won > lost + 5 else 0.4,
        champion=_measured(config, n, before),
        challenger=_measured(config, n, after),
        repaired=(),
        broken=(),
    )


def drift(day: date, version: str, features: np.ndarray, reference: np.ndarray, ids: Sequence[str]) -> DayDrift:
    """Compares the day's `features` with the `reference`, both [images, COLUMNS]. A feature whose median moved far has drifted."""
    rows = [_feature(column, features[:, place], reference[:, place]) for place, column in enumerate(COLUMNS)]
    rows.sort(key=lambda row: -(row.effect or 0.0))
    drifted = tuple(row.feature for row in rows if row.verdict == "drifted")
    return DayDrift(
        day=day,
        verdict="drifted" if drifted else "ok",
        reference_version=version,
        false_alarm_rate=0.01,
        day_false_alarm_rate=0.01,
        n=len(ids),
        effective_n=len(ids),
        reference_of_mix=None,
        score=rows[0].effect,
        p_value=min(row.p_value for row in rows if row.p_value is not None),
        drifted_features=drifted,
        quantiles=_QUANTILES,
        features=tuple(rows),
        examples=tuple(ids[:6]) if drifted else (),
    )


def _feature(column: str, ours: np.ndarray, theirs: np.ndarray) -> FeatureDrift:
    effect = float(abs(np.median(ours) - np.median(theirs)) / theirs.std())
    moved = effect > 0.6
    return FeatureDrift(
        feature=column,
        test="shift",
        statistic=effect,
        shift=effect,
        verdict="drifted" if moved else "ok",
        p_value=0.0004 if moved else float(np.exp(-3 * effect)),
        effect=min(1.0, effect / 2),
        direction="down" if np.median(ours) < np.median(theirs) else "up",
        reference_quantiles=tuple(np.quantile(theirs, _QUANTILES).tolist()),
        day_quantiles=tuple(np.quantile(ours, _QUANTILES).tolist()),
    )


def plan(config: MonitorConfig, day: date, pool: str, sample: Sequence[tuple[str, str]]) -> AnnotationPlan:
    """The plan of a pool that has ended with every answer. `sample`: (image_id, key) of the images that were asked about."""
    ended = datetime.combine(day, datetime.min.time(), timezone.utc) + timedelta(days=3)
    images = len(sample)
    return AnnotationPlan(
        day=day,
        state="closed",
        seed=0,
        overlap=3,
        sample_size=SampleSize(images=images),
        sample=tuple(SampledImage(image_id=image_id, key=key) for image_id, key in sample),
        control=(),
        exam=None,
        cost=cost_of(images, config.labels),
        project_id="10",
        exam_id=None,
        pool_id=pool,
        creations={"project": 1, "pool": 1},
        operation_ids=(),
        expires=ended,
        links_expire=ended,
        close_reason="COMPLETED",
        progress=AnnotationProgress(
            images=images,
            answered_images=images,
            coverage=1.0,
            answers=3 * images,
            answers_wanted=3 * images,
            reward=1.0,
            spent=1.2,
            text=f"{images} of {images} images answered",
        ),
    )


def ledger(day: date) -> UploadLedger:
    """The features' profile, written to the local sink."""
    upload = Upload(
        sink="local", organisation="", dataset="", day=day, kind="features", reference=None, content_hash="0" * 64, payload_key="",
        revision=1, attempt=1, state="done", upload_id="features-1", resent=False,
    )  # fmt: skip
    return UploadLedger(uploads=(upload,))
