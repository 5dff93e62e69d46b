"""When the model counts as worse: the rules that the monitor file names, and a verdict with its reasons in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftwatch.errors import DriftwatchError

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from driftwatch.config.performance import PerformanceConfig


def judge(
    accuracy: Mapping[str, Any],
    settings: PerformanceConfig,
    holdout: Mapping[str, Any],
    fired_before: Sequence[bool] = (),
    trend: Mapping[str, Any] | None = None,
) -> dict[str, Any]:
    """The verdict on an accuracy, with `severity` (null unless it is an alert), `reasons`, `policy`, what each rule found, and
    `fired`, whether floor or drop did.

    `accuracy`: a share, with `effective_n` where its interval is not that of `n` labels, `days` where several are judged together, and
    `kind`. `holdout`: the champion's accuracy on its holdout, a number or a share, and `n`, the images that it rests on.
    `fired_before`: whether floor or drop fired on the days before, newest first. `trend`: what the rule of that name found.

    - `not_enough_evidence`: fewer than `min_labels` labels.
    - `alert`: a rule fires, floor and drop on `persistence` of `persistence_days` days. floor: the whole interval is below `floor`. drop: accuracy is
      below the holdout's, by Fisher's exact one-sided test at `alpha`, which takes the holdout's own sampling error into
      account. trend: see `performance.trend`.
    - `not_enough_evidence`, again: a rule fires, but not on days enough yet; or none does, but the accuracy is below the floor: the
      interval reaches above it, so the day proves neither.
    - `ok`: enough labels, no rule fires, and the accuracy is not below the floor.
    """
    labels = accuracy["n"]
    if labels < settings.min_labels or accuracy["value"] is None:
        reason = _too_few(accuracy, settings)
        return {"verdict": "not_enough_evidence", "severity": None, "reasons": [reason], "policy": {}, "fired": False}
    measured = f"accuracy {percent(accuracy['value'])} {interval(accuracy)} {_on(accuracy)}"
    rules: dict[str, Any] = {}
    reasons = []
    gaps = [0.0]
    if "floor" in settings.policy:
        fires = accuracy["high"] < settings.floor
        rules["floor"] = {"fires": fires, "floor": settings.floor}
        if fires:
            gaps.append(settings.floor - accuracy["value"])
            reasons.append(
                f"{_capital(measured)}: even the upper end, {percent(accuracy['high'])}, is below the floor of {percent(settings.floor)}."
            )
    if "drop" in settings.policy:
        rules["drop"] = _drop(accuracy, holdout, settings.alpha)
        if rules["drop"]["fires"]:
            gaps.append(rules["drop"]["holdout_accuracy"] - accuracy["value"])
            reasons.append(
                f"{_capital(measured)}: lower than the model's {percent(rules['drop']['holdout_accuracy'])} on "
                f"{rules['drop']['holdout_n']} held-out images ({p_text(rules['drop']['p_value'])})."
            )
    fired = bool(reasons)
    count = int(fired) + sum(fired_before[: settings.persistence_days - 1])
    alert = fired and count >= settings.persistence
    if "trend" in settings.policy and trend is not None:
        rules["trend"] = dict(trend)
        if trend["fires"]:
            alert = True
            gaps.append(holdout_accuracy(holdout)[0] - accuracy["value"])
            reasons.append(
                f"The {trend['days']} days of this model together show a decline from its {percent(holdout_accuracy(holdout)[0])} on held-out "
                f"images (at most {settings.trend_false_alarms:g} false alarms of this rule a year)."
            )
    found = {"severity": None, "policy": rules, "fired": fired}
    if alert:
        severity = "critical" if max(gaps) >= settings.critical_drop else "warning"
        return {**found, "verdict": "alert", "severity": severity, "reasons": reasons}
    if fired:
        reason = (
            f"That is so on {count} of the last {settings.persistence_days} days with labels; an alert needs {settings.persistence} "
            "(performance.persistence)."
        )
        return {**found, "verdict": "not_enough_evidence", "reasons": [*reasons, reason]}
    if "floor" in settings.policy and accuracy["value"] < settings.floor:
        reason = (
            f"{_capital(measured)}: below the floor of {percent(settings.floor)}, but the interval reaches above it, so it is not "
            "proven: more labels (annotation.sample_size) would tell."
        )
        return {**found, "verdict": "not_enough_evidence", "reasons": [reason]}
    reason = f"{_capital(measured)}: no rule of the policy fires."
    if "floor" in settings.policy and accuracy["low"] < settings.floor:
        reason += (
            f" The interval reaches below the floor of {percent(settings.floor)}: more labels would make it surer."
        )
    return {**found, "verdict": "ok", "reasons": [reason]}


def _too_few(accuracy: Mapping[str, Any], settings: PerformanceConfig) -> str:
    labels = accuracy["n"]
    if labels >= settings.min_labels:
        return f"{_capital(accuracy['reason'])}."
    days = accuracy.get("days", 1)
    together = f" on the {days} days that may be judged together" if days > 1 else ""
    return f"{labels} labels{together}; a verdict needs {settings.min_labels} (performance.min_labels)."


def _on(accuracy: Mapping[str, Any]) -> str:
    days, kind = accuracy.get("days", 1), accuracy.get("kind")
    said = f"on {accuracy['n']} labels" + (f" of {days} days" if days > 1 else "")
    return f"{said}, corrected for wrong labels" if kind == "corrected" else said


def holdout_accuracy(holdout: Mapping[str, Any]) -> tuple[float, int]:
    """The accuracy on the holdout and the images that it rests on."""
    value = holdout["accuracy"]["value"] if isinstance(holdout["accuracy"], dict) else holdout["accuracy"]
    n = holdout["n"]
    if not n or value is None:
        raise DriftwatchError(
            "the model card names no holdout accuracy (metrics.holdout.accuracy and .n), which the rules `drop` and `trend` compare "
            "with: register the model with a holdout, or take them out of performance.policy"
        )
    return value, n


def _drop(accuracy: Mapping[str, Any], holdout: Mapping[str, Any], alpha: float) -> dict[str, Any]:
    from scipy.stats import fisher_exact  # a second to import, and the pages only take words from this module

    value, n = holdout_accuracy(holdout)
    labels = round(accuracy.get("effective_n", accuracy["n"]))
    held, right = round(value * n), round(accuracy["value"] * labels)
    table = [[right, labels - right], [held, n - held]]
    p_value = float(fisher_exact(table, alternative="less").pvalue)
    return {"fires": p_value < alpha, "p_value": p_value, "alpha": alpha, "holdout_accuracy": value, "holdout_n": n}


def percent(value: float) -> str:
    """`0.6137` as `61.4 %`, `0.7` as `70 %`."""
    return f"{100 * value:.1f}".removesuffix(".0") + " %"


def interval(found: Mapping[str, Any]) -> str:
    """The bounds of a share in whole percent: `[53, 69]`."""
    return f"[{100 * found['low']:.0f}, {100 * found['high']:.0f}]"


def p_text(p_value: float) -> str:
    """`p = 0.02` or `p < 0.0001`: two digits, never zero."""
    return "p < 0.0001" if p_value < 0.0001 else f"p = {p_value:.2g}"


def _capital(text: str) -> str:
    return text[0].upper() + text[1:]
