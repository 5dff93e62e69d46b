"""When the model counts as worse: the rules that the monitor file names, and the verdict with its numbers.

`driftwatch.view.verdicts` says it in words.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, NamedTuple

from driftwatch.artifacts.accuracy import Severity
from driftwatch.artifacts.parts import AccuracyVerdict, JudgedAccuracy, Share
from driftwatch.artifacts.rules import DropRule, FloorRule, LastingRule, PolicyRules, TrendRule
from driftwatch.errors import DriftwatchError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from driftwatch.artifacts.base import Part
    from driftwatch.config.performance import PerformanceConfig


@dataclass(frozen=True)
class Persistence:
    """On how many of the last days with labels floor or drop fired, this day included, and how many an alert needs."""

    fired: int
    days: int
    needed: int


class Lasting(NamedTuple):
    """What `below_floor` and `worse` found, see `driftwatch.accuracy.sequential_rules`; None where one is not asked."""

    below_floor: LastingRule | None = None
    worse: LastingRule | None = None


@dataclass(frozen=True)
class Verdict:
    """The verdict on an accuracy and what it rests on.

    `rules`: what each rule of the policy found; empty where there is not enough to ask them. `min_labels`: what a verdict needs.
    `persistence`: None where neither floor nor drop fires. `holdout`: the model's accuracy on its holdout. `false_alarms`: of the rule
    `trend` a year, at most. `false_alerts`: of below_floor and worse together, likewise.
    """

    verdict: AccuracyVerdict
    severity: Severity | None
    accuracy: JudgedAccuracy
    rules: PolicyRules
    min_labels: int
    persistence: Persistence | None
    holdout: Share
    false_alarms: float
    false_alerts: float

    @property
    def fired(self) -> bool:
        """Whether floor or drop fired, alert or not."""
        return self.persistence is not None

    @property
    def too_few(self) -> bool:
        """Whether there are fewer labels than a verdict needs."""
        return self.accuracy.n < self.min_labels


def judge(
    accuracy: JudgedAccuracy,
    settings: PerformanceConfig,
    holdout: Share,
    fired_before: Sequence[bool] = (),
    declined: TrendRule | None = None,
    lasting: Lasting | None = None,
) -> Verdict:
    """The verdict on an accuracy.

    `holdout`: the model's accuracy on its holdout. `fired_before`: whether floor or drop fired on the days before, newest first.
    `declined`: what the rule `trend` found, see `driftwatch.accuracy.decline`; `lasting`: what `below_floor` and `worse` did.

    - `not_enough_evidence`: there are fewer than `min_labels` labels, or they say nothing.
    - `alert`: below_floor, worse or trend fires, or floor or drop fires on `persistence` of the last `persistence_days` days. floor: the whole interval is
      below `floor`. drop: the accuracy is below the holdout's, by Fisher's exact one-sided test at `alpha`, which counts with the
      holdout's own sampling error.
    - `not_enough_evidence`, again: a rule fires, but not on enough days yet; or no rule fires, the accuracy is below the floor, and
      its interval reaches above it: the day proves neither.
    - `ok`: there are enough labels, no rule fires, and the accuracy is not below the floor.
    """
    asked = accuracy.n >= settings.min_labels and accuracy.numbers is not None
    rules = _rules(accuracy, settings, holdout, declined, lasting or Lasting()) if asked else PolicyRules()
    persistence = _persistence(rules, settings, fired_before)
    verdict = _verdict(accuracy, settings, rules, persistence) if asked else "not_enough_evidence"
    return Verdict(
        verdict=verdict,
        severity=_severity(accuracy, rules, holdout, settings.critical_drop) if verdict == "alert" else None,
        accuracy=accuracy,
        rules=rules,
        min_labels=settings.min_labels,
        persistence=persistence,
        holdout=holdout,
        false_alarms=settings.trend_false_alarms,
        false_alerts=settings.false_alerts_per_year,
    )


def _rules(
    accuracy: JudgedAccuracy,
    settings: PerformanceConfig,
    holdout: Share,
    declined: TrendRule | None,
    lasting: Lasting,
) -> PolicyRules:
    """What each rule of the policy finds; one that is not asked is left out."""
    value, _, high = _numbers(accuracy)
    found: dict[str, Part] = {name: rule for name, rule in lasting._asdict().items() if rule is not None}
    if "floor" in settings.policy:
        found["floor"] = FloorRule(fires=high < settings.floor, floor=settings.floor)
    if "drop" in settings.policy:
        labels = round(accuracy.n if accuracy.effective_n is None else accuracy.effective_n)
        found["drop"] = _drop(round(value * labels), labels, holdout, settings.alpha)
    if "trend" in settings.policy and declined is not None:
        found["trend"] = declined
    return PolicyRules.model_validate(found)


def _drop(right: int, labels: int, holdout: Share, alpha: float) -> DropRule:
    from scipy.stats import fisher_exact  # a second to import, and the pages only take the types from this module

    value, n = holdout_accuracy(holdout)
    held = round(value * n)
    p_value = float(fisher_exact([[right, labels - right], [held, n - held]], alternative="less").pvalue)
    return DropRule(fires=p_value < alpha, p_value=p_value, alpha=alpha, holdout_accuracy=value, holdout_n=n)


def _persistence(rules: PolicyRules, settings: PerformanceConfig, fired_before: Sequence[bool]) -> Persistence | None:
    if not any(rule is not None and rule.fires for rule in (rules.floor, rules.drop)):
        return None
    fired = 1 + sum(fired_before[: settings.persistence_days - 1])
    return Persistence(fired, settings.persistence_days, settings.persistence)


def _verdict(
    accuracy: JudgedAccuracy, settings: PerformanceConfig, rules: PolicyRules, persistence: Persistence | None
) -> AccuracyVerdict:
    if any(rule is not None and rule.fires for rule in (rules.below_floor, rules.worse, rules.trend)):
        return "alert"
    if persistence is not None:
        return "alert" if persistence.fired >= persistence.needed else "not_enough_evidence"
    value, _, _ = _numbers(accuracy)
    if not {"floor", "below_floor"}.isdisjoint(settings.policy) and value < settings.floor:
        return "not_enough_evidence"
    return "ok"


def _severity(accuracy: JudgedAccuracy, rules: PolicyRules, holdout: Share, critical_drop: float) -> Severity:
    """By the largest loss that a rule found: how far the accuracy is below the floor, or below the holdout's."""
    value, _, _ = _numbers(accuracy)
    losses = [
        rule.usual - rule.accuracy for rule in (rules.below_floor, rules.worse) if rule is not None and rule.fires
    ]
    if rules.floor is not None and rules.floor.fires:
        losses.append(rules.floor.floor - value)
    if rules.drop is not None and rules.drop.fires:
        losses.append(rules.drop.holdout_accuracy - value)
    if rules.trend is not None and rules.trend.fires:
        losses.append(holdout_accuracy(holdout)[0] - value)
    return "critical" if max(losses, default=0.0) >= critical_drop else "warning"


def _numbers(accuracy: JudgedAccuracy) -> tuple[float, float, float]:
    assert accuracy.numbers is not None, "only a defined accuracy is judged"
    return accuracy.numbers


def holdout_accuracy(holdout: Share) -> tuple[float, int]:
    """The accuracy on the holdout and the images that it rests on. Raises DriftwatchError where the model has none."""
    if not holdout.n or holdout.value is None:
        raise DriftwatchError(
            "the model card names no holdout accuracy (metrics.holdout.accuracy and .n), which the rules `worse`, `drop` and `trend` compare "
            "with: register the model with a holdout, or take them out of performance.policy"
        )
    return holdout.value, holdout.n
