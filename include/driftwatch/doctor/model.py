"""Whether the champion is the file's, loads, answers, and has a reference that a day can be compared with."""

from __future__ import annotations

from collections.abc import Iterator
from time import perf_counter

from driftwatch.artifacts.store import MonitorStore
from driftwatch.doctor.results import Answered, CheckResult, Facts, ReferenceOf, Said, looked, not_checked
from driftwatch.errors import NeedsAttention

_IMAGES = 2


def model_findings(store: MonitorStore) -> Iterator[CheckResult]:
    """The champion, its answers, and its reference."""
    from driftwatch.models.registry import champion

    found = looked("champion", lambda: _champion(store))
    yield found
    current = champion(store) if found.state == "ok" else None
    if current is None:
        yield not_checked("model", "there is no champion to ask")
        yield not_checked("reference", "there is no champion to have one")
        return
    yield looked("model", lambda: _answers(store, current.version))
    yield _reference(store, current.version)


def _champion(store: MonitorStore) -> Facts:
    from driftwatch.models.as_trained import refuse_other_champion
    from driftwatch.models.registry import champion_version

    version = champion_version(store)
    refuse_other_champion(store)
    return Said(version)


def _answers(store: MonitorStore, version: str) -> Facts:
    """Asks about images without content. What they show does not matter: each must have a chance for each class."""
    import numpy as np

    from driftwatch.config.model import CHAMPION
    from driftwatch.models.predictors.base import Asked, predictor
    from driftwatch.models.registry import card

    begun, about = perf_counter(), card(store, version)
    said = store.config.model.predictions
    asked = predictor(store, version, None if said == CHAMPION else said)
    size = asked.input_size
    if size is None:
        return Said(f"{version}: production's log answers, image by image, so there is nothing to ask")
    scores = asked.predict(Asked([np.zeros((_IMAGES, *size, 3), np.uint8)]), _IMAGES).scores
    usable = scores.shape == (_IMAGES, len(store.config.classes)) and np.isfinite(scores).all()
    if not usable or not np.allclose(scores.sum(axis=1), 1, atol=1e-3):
        raise NeedsAttention(
            f"{version} answers {_IMAGES} images with {scores.tolist()}: each must have {len(store.config.classes)} chances that add up to 1. "
            "Correct model.output, or import the model again"
        )
    return Answered(version, about.kind, _IMAGES, perf_counter() - begun)


def _reference(store: MonitorStore, version: str) -> CheckResult:
    from driftwatch.drift.against_reference import load_reference
    from driftwatch.drift.reference import IMAGE_QUALITY
    from driftwatch.images.features import COLUMNS

    try:
        reference = load_reference(store, version, IMAGE_QUALITY)
    except Exception as error:
        return CheckResult("reference", "wrong", problem=error)
    missing = tuple(name for name in COLUMNS if name not in reference.features.columns)
    facts = ReferenceOf(version, len(reference.features), missing)
    return CheckResult("reference", "wrong" if missing else "ok", facts=facts)
