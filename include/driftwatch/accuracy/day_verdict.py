"""The verdict on a day: which accuracy is judged, of how many days together, and on which days before it the verdict rests."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import TYPE_CHECKING

from driftwatch.accuracy.decline import DayCount, decline
from driftwatch.accuracy.evidence import Evidence, Votes, pool, pool_votes
from driftwatch.accuracy.history import PastDay, ScoredDay
from driftwatch.accuracy.label_errors import Corrected, corrected
from driftwatch.accuracy.policy import Verdict, holdout_accuracy, judge
from driftwatch.accuracy.prediction_powered import agreement
from driftwatch.accuracy.sequential_rules import Counted, counted, lasting
from driftwatch.accuracy.stratified import stratified_agreement
from driftwatch.artifacts.parts import Interval, JudgedAccuracy, Share, WeightedShare
from driftwatch.artifacts.rules import CountedDay
from driftwatch.models.metrics import wilson

if TYPE_CHECKING:
    from driftwatch.config import MonitorConfig
    from driftwatch.config.performance import PerformanceConfig


@dataclass(frozen=True)
class DayVerdict:
    """The verdict on a day, beside the numbers of the day alone.

    `corrected`: the day's accuracy without the labels' own errors, and how many labels are wrong. `effective_labels`: what labels and scores
    are worth, in labels of a plain sample. `pooled_days`: those that were judged together, in order. `usual`: the least agreement of a model
    as good as on its holdout, None without the rule `trend`. `counted`: what the day's own labels say to below_floor and worse.
    """

    verdict: Verdict
    corrected: Corrected
    effective_labels: float | None
    pooled_days: tuple[date, ...]
    usual: float | None
    counted: CountedDay | None


def judge_day(
    today: ScoredDay,
    before: Sequence[PastDay],
    config: MonitorConfig,
    holdout: Share,
    no_interval: str | None = None,
    usual: Share | None = None,
) -> DayVerdict:
    """The verdict on `today`, by its evidence and the days `before` it, in order.

    `holdout`: the model's accuracy on its holdout. Votes are pooled over `performance.pool_days`, whichever model answered: they tell
    of people. Labels are pooled over those of these days that the same model answered, and over no more days than give `min_labels`.
    Another version of production's is another model: its first day is judged without the days of the one before.
    Labels are never counted twice by below_floor and worse, which take each day's own. `usual`: the accuracy that worse compares with, by
    default the holdout's. `no_interval`: why today's labels say nothing of the other images; then the day is judged by itself, and nothing is proved.
    """
    settings = config.performance
    recent = recent_days(today, before, config)
    votes = pool_votes([today.evidence.votes, *(past.evidence.votes for past in recent)])
    pooled = [today] if no_interval else _pooled(today, recent, settings.min_labels)
    own = measured(today.evidence, votes, config)
    if no_interval:
        own = _of_the_labelled_alone(own, no_interval)
    together = measured(pool([day.evidence for day in pooled]), votes, config) if len(pooled) > 1 else own
    error = own.corrected.label_error if settings.judge == "corrected" else None
    own_count = _counted(own, settings)
    least = _usual(error, settings, holdout, len(config.classes))
    of_model = [past for past in before if past.same_model(today)]
    counts = [_count(past, past.usual) for past in of_model if past.usual is not None]
    if least is not None:
        counts.append(_count(today, least))
    looked = [(day.day, day.counted) for day in of_model] + [(today.day, own_count)]
    return DayVerdict(
        verdict=judge(
            judged_accuracy(together, settings, len(pooled)),
            settings,
            holdout,
            [past.fired for past in reversed(of_model) if past.evidence.labels],
            decline(counts, settings.trend_false_alarms) if counts else None,
            lasting([Counted(day, found) for day, found in looked if found is not None], settings, usual or holdout),
        ),
        corrected=own.corrected,
        effective_labels=own.agreement.effective_n,
        pooled_days=tuple(sorted(day.day for day in pooled)),
        usual=least,
        counted=own_count,
    )


@dataclass(frozen=True)
class Measured:
    """The agreement with the labels, and what it is without their errors."""

    agreement: WeightedShare
    corrected: Corrected


def measured(evidence: Evidence, votes: Votes, config: MonitorConfig) -> Measured:
    """What the labels say, and without their errors. `votes`: of the evidence's day, or of more days."""
    settings, annotation = config.performance, config.labels
    agreed = agreement(evidence, settings.confidence, settings.estimator)
    ties = annotation.on_tie != "abstain"
    return Measured(agreed, corrected(evidence, votes, agreed, settings.confidence, ties, annotation.consensus))


def _counted(found: Measured, settings: PerformanceConfig) -> CountedDay | None:
    """What a day counts for: on the same terms as `judged_accuracy`."""
    if settings.judge != "corrected" or found.corrected.label_error is None:
        return counted(found.agreement, None)
    return counted(found.agreement, found.corrected.mistaken) if found.corrected.mistaken is not None else None


def _of_the_labelled_alone(found: Measured, reason: str) -> Measured:
    """The agreement as a count of the labelled images, which stands for no others."""
    agreed = found.agreement
    alone = WeightedShare(value=agreed.value, low=None, high=None, n=agreed.n, effective_n=None, reason=reason)
    return Measured(alone, found.corrected)


def judged_accuracy(found: Measured, settings: PerformanceConfig, days: int) -> JudgedAccuracy:
    """What the verdict rests on: the corrected accuracy, or the agreement where nothing tells how many labels are wrong.

    Where the labels are known to be worthless the corrected accuracy is undefined, and the agreement with them does not stand in for it.
    """
    if settings.judge == "corrected" and found.corrected.label_error is not None:
        values = found.corrected.accuracy.model_dump(exclude_unset=True)
        return JudgedAccuracy(**values, kind="corrected", days=days)
    return JudgedAccuracy(**found.agreement.model_dump(exclude_unset=True), kind="measured", days=days)


def recent_days(today: ScoredDay, before: Sequence[PastDay], config: MonitorConfig) -> list[PastDay]:
    """The days before that may be pooled with today. On those of other classes the counts mean others, and people's votes say nothing of a
    table."""
    first = today.day - timedelta(days=config.performance.pool_days - 1)
    alike = (past for past in before if past.from_table == today.from_table)
    return [past for past in alike if past.day >= first and past.classes == tuple(config.classes)]


def _pooled(today: ScoredDay, recent: Sequence[PastDay], needed: int) -> list[ScoredDay]:
    """Today and, while the labels are fewer than `needed`, the newest days that the same model answered."""
    found = [today]
    for past in reversed(recent):
        if sum(day.evidence.labels for day in found) >= needed:
            break
        if past.same_model(today):
            found.append(past)
    return found


def _count(day: ScoredDay, usual: float) -> DayCount:
    if day.evidence.strata:
        found = stratified_agreement(day.evidence.strata, 0.95, "labels")
        if found.value is not None and found.effective_n:
            return DayCount(found.effective_n, found.value * found.effective_n, usual)
    return DayCount(day.evidence.labels, day.evidence.right, usual)


def _usual(label_error: Interval | None, settings: PerformanceConfig, holdout: Share, classes: int) -> float | None:
    """The lowest agreement with the labels that a model with its holdout's accuracy may have, label errors included; None where the
    rule `trend` is not used."""
    if "trend" not in settings.policy:
        return None
    value, n = holdout_accuracy(holdout)
    low, _ = wilson(value, n, settings.confidence)
    error = label_error.high if label_error is not None and label_error.high is not None else 0.0
    return round(low * (1 - error) + (1 - low) * error / (classes - 1), 6)
