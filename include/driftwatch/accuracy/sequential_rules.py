"""The rules `below_floor` and `worse` over the days of one model: what each day counts for, and what they find together."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import ndtri

from driftwatch.accuracy.policy import Lasting, holdout_accuracy
from driftwatch.accuracy.sequential import FIRST_DAY, Found, Looks, look
from driftwatch.artifacts.accuracy import CountedDay, LastingRule
from driftwatch.artifacts.parts import Share, WeightedShare

if TYPE_CHECKING:
    from driftwatch.accuracy.label_errors import Mistaken
    from driftwatch.artifacts.models import ModelCard
    from driftwatch.config.performance import PerformanceConfig

DAYS_A_YEAR = 365
# A floor is known exactly: as by so many images.
_EXACT = 1e9


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
    for which it was trained, since these are as production is now. They chose it, so they count half."""
    gate = card.gate if card else None
    recent = gate.recent.challenger.accuracy if gate else None
    if recent is None or recent.value is None or not recent.n:
        return holdout
    return recent.model_copy(update={"n": max(recent.n // 2, 1)})


def lasting(days: Sequence[Counted], settings: PerformanceConfig, usual: Share) -> Lasting:
    """What `below_floor` and `worse` find of `days`, those of one model in order; None for a rule that is not in `performance.policy`.

    Both together raise a false alert within a year with a chance of `performance.false_alerts_per_year` at most. `usual`: the accuracy
    that `worse` compares with, beside the days. `below_floor` takes what is not known of the labels' errors at the end that speaks for the model.
    """
    asked = [name for name in ("below_floor", "worse") if name in settings.policy]
    if not asked or not days:
        return Lasting()
    limit = (DAYS_A_YEAR + FIRST_DAY - 1) * len(asked) / settings.false_alerts_per_year
    looks, found = _looks(days), {}
    if "below_floor" in asked:
        kindly = _kindly(looks, float(ndtri((1 + settings.confidence) / 2)))
        found["below_floor"] = _rule(
            days, look(kindly, np.array([settings.floor]), np.array([_EXACT]), limit, 1), settings.floor
        )
    if "worse" in asked:
        value, images = holdout_accuracy(usual)
        found["worse"] = _rule(days, look(looks, np.array([value]), np.array([images]), limit, settings.pool_days))
    return Lasting(**found)


def _looks(days: Sequence[Counted]) -> Looks:
    columns = {name: np.array([[getattr(day.counts, name) for day in days]]) for name in CountedDay.model_fields}
    gap = np.diff([day.day.toordinal() for day in days], prepend=days[0].day.toordinal() - 1)
    return Looks(**columns, gap=gap[None, :])


def _kindly(looks: Looks, errors: float) -> Looks:
    """The days with an accuracy that is higher by so many standard deviations of what is not known of the labels' errors."""
    raised = looks.agreement + errors * looks.shared * (1 - looks.missed - looks.matched)
    return looks._replace(agreement=np.minimum(raised, 1), shared=np.zeros_like(looks.shared))


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
