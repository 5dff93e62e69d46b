"""The rules `below_floor` and `worse` over the days of one model: what each day counts for, and what they find together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri

from driftwatch.accuracy.policy import Lasting, holdout_accuracy
from driftwatch.accuracy.sequential import FIRST_DAY, Found, Looks, look
from driftwatch.artifacts.parts import Share, WeightedShare
from driftwatch.artifacts.rules import CountedDay, LastingRule

if TYPE_CHECKING:
    from driftwatch.accuracy.label_errors import Mistaken
    from driftwatch.artifacts.models import ModelCard
    from driftwatch.config.performance import PerformanceConfig

DAYS_A_YEAR = 365
# A floor is known exactly: as by so many images.
_EXACT = 1e9
# People err otherwise than usual where the votes of a day say so by more standard deviations.
_FAR = 3.0


class Counted(NamedTuple):
    """A day of a model, and what it counts for."""

    day: date
    counts: CountedDay


def counted(agreement: WeightedShare, mistaken: Mistaken | None) -> CountedDay | None:
    """What a day counts for, by its own labels; None where they say nothing of other images. `mistaken`: what is known of the labels'
    errors, None where the agreement is judged as it is."""
    if agreement.value is None or not agreement.effective_n:
        return None
    values = {"agreement": agreement.value, "labels": agreement.effective_n}
    return CountedDay(
        **{name: round(value, 6) for name, value in (values | (mistaken._asdict() if mistaken else {})).items()}
    )


def expected(card: ModelCard | None, holdout: Share) -> Share:
    """The accuracy that a model should have in production: its holdout's; for one that the gate chose, that on the labels of the days
    for which it was trained, since these are as production is now."""
    gate = card.gate if card else None
    recent = gate.recent.challenger.accuracy if gate else None
    return recent if recent is not None and recent.value is not None and recent.n else holdout


def lasting(days: Sequence[Counted], settings: PerformanceConfig, usual: Share) -> Lasting:
    """What `below_floor` and `worse` find of `days`, those of one model in order, after the last one; None for a rule that is not in
    `performance.policy`. `usual`: the accuracy that `worse` compares with, beside the days."""
    found = evidence(days, settings, usual) if days else {}
    floor = {"below_floor": settings.floor}
    return Lasting(**{name: _rule(days, path, floor.get(name)) for name, path in found.items()})


def evidence(days: Sequence[Counted], settings: PerformanceConfig, usual: Share) -> dict[str, Found]:
    """The evidence after each of `days`, at least one, by rule of the policy; arguments as for `lasting`.

    Both rules together raise a false alert within a year with a chance of `performance.false_alerts_per_year` at most. `below_floor` takes what
    is not known of the labels' errors at the end that speaks for the model.
    """
    asked = [name for name in ("below_floor", "worse") if name in settings.policy]
    limit = (DAYS_A_YEAR + FIRST_DAY - 1) * len(asked) / settings.false_alerts_per_year
    columns = [np.array([[getattr(day.counts, name) for day in days]]) for name in CountedDay.model_fields]
    looks, unknown = steady(Looks(*columns[:4]), columns[4], settings.pool_days)
    found = {}
    if "below_floor" in asked:
        errors = float(ndtri((1 + settings.confidence) / 2)) * unknown
        found["below_floor"] = look(kindly(looks, errors), np.array([settings.floor]), np.array([_EXACT]), limit)
    if "worse" in asked:
        value, images = holdout_accuracy(usual)
        share = np.array([value])
        found["worse"] = look(looks, share, worth_images(share, images, unknown), limit)
    return found


def steady(looks: Looks, shared: np.ndarray, together: int) -> tuple[Looks, np.ndarray]:
    """The days with what is known of people's errors by all of them, and the standard deviation of the accuracy by what is not, [series].

    `shared` [series, days]: that of each day by its own votes, and those of the days that were corrected by the same; `together`: of so many. Control
    answers do not depend on the model, so later ones tell of earlier days, too. People are taken to err as they do on average, unless the votes
    of a day say otherwise by more than _FAR standard deviations. Such a day is corrected by its own votes, and counts less by what is not known.
    """
    usual = [np.broadcast_to(np.average(rate, axis=1, weights=looks.labels)[:, None], rate.shape) for rate in looks[2:]]
    one, all_days = (_accuracy(looks.agreement, *rates) for rates in (looks[2:], usual))
    spread = np.maximum(shared, np.sqrt((shared**2).mean(axis=1, keepdims=True)))
    far = np.abs(one - all_days) > _FAR * spread
    missed, matched = (np.where(far, own, mean) for own, mean in zip(looks[2:], usual, strict=True))
    variance = np.maximum(looks.agreement * (1 - looks.agreement), 0.01)
    less = 1 / (1 / looks.labels + np.where(far, together * spread**2, 0) / variance)
    unknown = spread.min(axis=1) * np.sqrt(np.minimum(together / looks.labels.shape[1], 1))
    return Looks(looks.agreement, less, missed, matched), unknown


def _accuracy(agreement: np.ndarray, missed: np.ndarray, matched: np.ndarray) -> np.ndarray:
    found: np.ndarray = (agreement - matched) / (1 - missed - matched)
    return found


def kindly(looks: Looks, errors: np.ndarray) -> Looks:
    """The days with an accuracy that is higher by `errors` [series]."""
    raised = looks.agreement + errors[:, None] * (1 - looks.missed - looks.matched)
    return looks._replace(agreement=np.minimum(raised, 1))


def worth_images(share: np.ndarray, images: float, unknown: np.ndarray) -> np.ndarray:
    """How many images the holdout is worth where labels are people's: its own are not, and `unknown` is the standard deviation of the
    accuracy by people's errors."""
    near = (share * images + 1) / (images + 2)
    found: np.ndarray = 1 / (1 / images + unknown**2 / (near * (1 - near)))
    return found


def _rule(days: Sequence[Counted], found: Found, floor: float | None = None) -> LastingRule:
    """What was found after the last day."""
    first = int(found.since[0, -1])
    lower = [day.counts for day in days[first:]]
    right = sum(day.labels * (day.agreement - day.matched) / (1 - day.missed - day.matched) for day in lower)
    evidence = float(found.evidence[0, -1])
    return LastingRule(
        fires=evidence >= 1,
        evidence=round(evidence, 6),
        since=days[first].day,
        days=len(lower),
        accuracy=round(min(max(right / sum(day.labels for day in lower), 0.0), 1.0), 6),
        usual=round(float(found.usual[0, first]), 6) if floor is None else floor,
    )
