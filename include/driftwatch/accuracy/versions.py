"""Several model versions that answered one day: how right each is, and whether it differs from the serving one.

The day's sample is drawn at random from all its images, whichever version answered them. So the labelled images of a version are a random
sample of those that it answered, and the versions' samples have no image in common: they are independent.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from driftwatch.accuracy.as_plain import weighted_accuracy
from driftwatch.accuracy.day_verdict import judged_accuracy, measured, recent_days
from driftwatch.accuracy.evidence import pool, pool_votes
from driftwatch.accuracy.history import PastDay, ScoredDay
from driftwatch.accuracy.label_errors import corrected_difference
from driftwatch.accuracy.stratified import WeightedLabels
from driftwatch.artifacts.parts import Interval, JudgedAccuracy, Share
from driftwatch.artifacts.versions import Difference, Finding, VersionAccuracy
from driftwatch.models.metrics import NO_LABEL, share

if TYPE_CHECKING:
    from driftwatch.accuracy.evidence import Evidence, Votes
    from driftwatch.config import MonitorConfig
    from driftwatch.models.serving import AnsweredBy

# The recall of a class with fewer labels is not given.
LEAST_OF_CLASS = 10


def version_rows(
    today: ScoredDay,
    before: Sequence[PastDay],
    config: MonitorConfig,
    answered: AnsweredBy,
    verdict: JudgedAccuracy,
) -> tuple[VersionAccuracy, ...]:
    """A row for each version that answered, the serving one first; none where one version answered.

    `before`: as for `day_verdict.judge_day`; `verdict`: what the day's verdict rests on. Where a version has fewer than `min_labels`
    labels today, it is compared on today and days before it, up to `pool_days`, on which both it and the serving version answered.
    """
    if not answered.several:
        return ()
    recent = recent_days(today, before, config)
    votes = pool_votes([today.evidence.votes, *(past.evidence.votes for past in recent)])
    rows = []
    for version, images in answered.images.items():
        serving = version == answered.serving
        judged, found = (verdict, None) if serving else _compared(version, today, recent, votes, config)
        if serving and verdict.n < config.performance.min_labels:
            judged = None
        rows.append(_row(version, images, today, config, judged, found))
    return tuple(rows)


def _row(
    version: str,
    images: int,
    today: ScoredDay,
    config: MonitorConfig,
    judged: JudgedAccuracy | None,
    difference: Difference | None,
) -> VersionAccuracy:
    """What is not there is not written."""
    confidence, evidence = config.performance.confidence, today.by_version[version]
    there = {name: part for name, part in (("judged", judged), ("difference", difference)) if part is not None}
    return VersionAccuracy.model_validate(
        {
            "version": version,
            "answered": images,
            "labels": evidence.labels,
            "accuracy": _accuracy(evidence, confidence),
            "recall": _recall(evidence, today.classes, confidence),
            **there,
            "evidence": evidence.of_version(),
        }
    )


def _accuracy(evidence: Evidence, confidence: float) -> Share:
    if evidence.strata:
        return weighted_accuracy(evidence, confidence)
    return share(evidence.right, evidence.labels, confidence, NO_LABEL)


def _recall(evidence: Evidence, classes: Sequence[str], confidence: float) -> dict[str, Share]:
    confusion, weighted = evidence.confusion, WeightedLabels.of(evidence.strata)
    labels = confusion.sum(axis=1)
    return {
        name: weighted.of_class(place, name, confidence).recall
        if evidence.strata
        else share(int(confusion[place, place]), int(labels[place]), confidence)
        for place, name in enumerate(classes)
        if labels[place] >= LEAST_OF_CLASS
    }


def _compared(
    version: str, today: ScoredDay, recent: Sequence[PastDay], votes: Votes, config: MonitorConfig
) -> tuple[JudgedAccuracy | None, Difference]:
    """The version's accuracy on the days on which it is compared, None with too few labels, and its difference to the serving one."""
    needed, serving = config.performance.min_labels, today.serving
    days = _days_together(version, today, recent, needed)
    pairs = [(name, pool([day.by_version[name] for day in days])) for name in (version, serving)]
    for name, evidence in pairs:
        if evidence.labels < needed:
            together = f" on {len(days)} days" if len(days) > 1 else ""
            has = f"{evidence.labels} label{'' if evidence.labels == 1 else 's'}"
            reason = f"{name} has {has}{together}; a comparison needs {needed} (performance.min_labels)"
            return None, _undefined(reason)
    found = [measured(evidence, votes, config) for _, evidence in pairs]
    ours, theirs = (judged_accuracy(each, config.performance, len(days)) for each in found)
    if ours.numbers is None or theirs.numbers is None:
        return ours, _undefined((theirs if ours.numbers else ours).reason or "the accuracy is undefined")
    if ours.kind == "measured" or theirs.kind == "measured":
        return ours, _found(independent_difference(ours, theirs))
    both = [(evidence, each.agreement) for (_, evidence), each in zip(pairs, found, strict=True)]
    ties = config.labels.on_tie != "abstain"
    return ours, _found(corrected_difference(both[0], both[1], votes, config.performance.confidence, ties))


def _days_together(version: str, today: ScoredDay, recent: Sequence[PastDay], needed: int) -> list[ScoredDay]:
    """Today and, while one of the two has too few labels, the newest days that both answered under the same registered model."""
    found = [today]
    for past in reversed(recent):
        if all(sum(day.by_version[name].labels for day in found) >= needed for name in (version, today.serving)):
            break
        if past.same_model(today) and version in past.by_version:
            found.append(past)
    return found


def independent_difference(ours: Interval, theirs: Interval) -> Interval:
    """`ours` less `theirs`, which are defined and of independent samples, with the interval that their own intervals give.

    Newcombe's method 10 for independent shares (1998), which squares and adds the distances to Wilson's ends. Where scores sharpen the
    agreement, the ends are those of its effective number.
    """
    assert ours.numbers is not None
    assert theirs.numbers is not None
    (one, one_low, one_high), (other, other_low, other_high) = ours.numbers, theirs.numbers
    value = one - other
    low = max(value - math.hypot(one - one_low, other_high - other), -1.0)
    high = min(value + math.hypot(one_high - one, other - other_low), 1.0)
    return Interval(value=value, low=low, high=high)


def _found(difference: Interval) -> Difference:
    """What the interval of the difference shows."""
    assert difference.numbers is not None
    value, low, high = difference.numbers
    finding: Finding = "worse" if high < 0 else "better" if low > 0 else "not_told_apart"
    return Difference(value=value, low=low, high=high, finding=finding)


def _undefined(reason: str) -> Difference:
    """No difference, since there is not enough evidence."""
    return Difference(value=None, low=None, high=None, finding="not_enough_evidence", reason=reason)
