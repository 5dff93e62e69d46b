"""When the model counts as worse: the rules that the monitor file names, and a verdict with its reasons in plain words."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from scipy.stats import fisher_exact

from driftwatch.errors import DriftwatchError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from driftwatch.config import PerformanceConfig


def judge(accuracy: Mapping[str, Any], settings: PerformanceConfig, holdout: Mapping[str, Any]) -> dict[str, Any]:
    """The verdict on a day's accuracy (`metrics.share`), with `reasons` and `policy`, what each rule found.

    `holdout`: the champion's accuracy on its holdout, a number or a share, and `n`, the images that it rests on.

    - `not_enough_evidence`: fewer than `min_labels` labels.
    - `alert`: a rule fires. floor: the whole interval is below `floor`. drop: the day is worse than the holdout, by Fisher's
      exact one-sided test at `alpha`, which takes the holdout's own sampling error into account.
    - `not_enough_evidence`, again: no rule fires, but the measured accuracy is below the floor. The interval reaches above it,
      so the day proves neither; it is not called ok.
    - `ok`: enough labels, no rule fires, and the measured accuracy is not below the floor.
    """
    labels = accuracy["n"]
    if labels < settings.min_labels:
        reason = f"{labels} labels; a verdict needs {settings.min_labels} (performance.min_labels)."
        return {"verdict": "not_enough_evidence", "reasons": [reason], "policy": {}}
    measured = f"accuracy {percent(accuracy['value'])} {interval(accuracy)} on {labels} labels"
    rules: dict[str, Any] = {}
    reasons = []
    if "floor" in settings.policy:
        fires = accuracy["high"] < settings.floor
        rules["floor"] = {"fires": fires, "floor": settings.floor}
        if fires:
            reasons.append(
                f"{_capital(measured)}: even the upper end, {percent(accuracy['high'])}, is below the floor of {percent(settings.floor)}."
            )
    if "drop" in settings.policy:
        rules["drop"] = _drop(accuracy, holdout, settings.alpha)
        if rules["drop"]["fires"]:
            reasons.append(
                f"{_capital(measured)}: lower than the model's {percent(rules['drop']['holdout_accuracy'])} on "
                f"{rules['drop']['holdout_n']} held-out images ({p_text(rules['drop']['p_value'])})."
            )
    if reasons:
        return {"verdict": "alert", "reasons": reasons, "policy": rules}
    if "floor" in settings.policy and accuracy["value"] < settings.floor:
        reason = (
            f"{_capital(measured)}: below the floor of {percent(settings.floor)}, but the interval reaches above it, so it is not "
            "proven: more labels (annotation.sample_size) would tell."
        )
        return {"verdict": "not_enough_evidence", "reasons": [reason], "policy": rules}
    reason = f"{_capital(measured)}: no rule of the policy fires."
    if "floor" in settings.policy and accuracy["low"] < settings.floor:
        reason += (
            f" The interval reaches below the floor of {percent(settings.floor)}: more labels would make it surer."
        )
    return {"verdict": "ok", "reasons": [reason], "policy": rules}


def _drop(accuracy: Mapping[str, Any], holdout: Mapping[str, Any], alpha: float) -> dict[str, Any]:
    value = holdout["accuracy"]["value"] if isinstance(holdout["accuracy"], dict) else holdout["accuracy"]
    n = holdout["n"]
    if not n or value is None:
        raise DriftwatchError(
            "the model card names no holdout accuracy (metrics.holdout.accuracy and .n), which the rule `drop` compares with: "
            "register the model with a holdout, or take `drop` out of performance.policy"
        )
    held, right = round(value * n), round(accuracy["value"] * accuracy["n"])
    table = [[right, accuracy["n"] - right], [held, n - held]]
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
