"""Why the gate decides as it does, in words: the `reasons` of gate.json, of the card, and of the approval form."""

from __future__ import annotations

from driftwatch.artifacts.retraining import GateRules, PairedComparison
from driftwatch.models.class_losses import POWER
from driftwatch.models.gate_rules import Finding, Reason
from driftwatch.models.paired import MOST_IMAGES
from driftwatch.view.shares import change_text, plain_percent


def reason_text(reason: Reason, rules: GateRules) -> str:
    """What one rule found, with its numbers. If there is too little evidence, it says how much would settle it."""
    finding = reason.finding
    if finding is Finding.CLASSES_NOT_WORSE:
        said = f"none of {reason.classes} got worse by more than {_allowed('max_class_drop')} ({plain_percent(rules.max_class_drop)})"
        alpha = 1 - rules.gate_confidence
        return f"Classes on clean images: {said} beyond chance, at one error rate of {plain_percent(alpha)} for all."
    if finding is Finding.CLASSES_TOO_FEW:
        return _too_few_of_classes(reason)
    if finding is Finding.WAITS:
        return _waits(reason.needed or 0)
    assert reason.compared is not None, f"{finding} is about images"
    if finding is Finding.CLASS_COLLAPSED:
        before, after = (right / reason.compared.n for right in _right(reason.compared))
        return f"Class {reason.name}: recall on clean images collapsed from {plain_percent(before)} to {plain_percent(after)}."
    if finding is Finding.CLASS_WORSE:
        allowed = f"{_allowed('max_class_drop')} {plain_percent(rules.max_class_drop)}"
        return f"Class {reason.name} on clean images: {_said(reason.compared)}: worse by more than {allowed}."
    if finding.name.startswith("RECENT"):
        return f"Recent days: {_said(reason.compared)}{_on_recent(reason, reason.compared, rules)}"
    return f"Clean images: {_said(reason.compared)}{_on_clean(reason, rules)}"


def _on_recent(reason: Reason, found: PairedComparison, rules: GateRules) -> str:
    if reason.finding is Finding.RECENT_TOO_FEW:
        return (
            f"; not enough evaluation labels, retraining.min_evaluation_labels is {rules.min_evaluation_labels}. "
            "More labels would tell."
        )
    if reason.finding is Finding.RECENT_NOT_BETTER:
        return ": not better."
    test = f"{'p' if found.sharpened else 'exact McNemar p'} = {found.deciding.p_value:.2g}"
    if reason.finding is Finding.RECENT_BETTER:
        return f": better ({test})."
    return f": better, but chance could do it ({test}); {_about(reason.needed)} such images would tell."


def _on_clean(reason: Reason, rules: GateRules) -> str:
    allowed = f"{_allowed('max_clean_drop')} {plain_percent(rules.max_clean_drop)}"
    if reason.finding is Finding.CLEAN_NONE:
        return "; without a holdout nothing shows that it is not worse."
    if reason.finding is Finding.CLEAN_NOT_WORSE:
        return f": not worse by more than {allowed}."
    if reason.finding is Finding.CLEAN_WORSE:
        return f": worse by more than {allowed}."
    return (
        f": a loss of more than {allowed} cannot be ruled out; {_about(reason.needed)} such images would settle it "
        "(more original images, or labelled days without drift)."
    )


def _too_few_of_classes(reason: Reason) -> str:
    named = ", ".join(f"{name} ({n})" for name, n in reason.too_few.items())
    return (
        f"{len(reason.too_few)} of {reason.classes} classes have too few clean evaluation images, so that losing half of the recall would be "
        f"seen less than {POWER:.0%} of the time: {named}. {_about(reason.needed)} of each class would settle it (more original "
        "images, or labelled days without drift)."
    )


def _waits(left: int) -> str:
    times = "once more" if left == 1 else f"up to {left} times more"
    return f"The challenger waits: it is compared {times}, each time with the labels of another day (retraining.pending_days)."


def _allowed(setting: str) -> str:
    return f"retraining.{setting} allows"


def _right(found: PairedComparison) -> tuple[int, int]:
    right = found.right_of_each
    return right.champion, right.challenger


def _about(images: int | None) -> str:
    return f"more than {MOST_IMAGES}" if images is None else f"about {images}"


def _said(found: PairedComparison) -> str:
    if found.difference is None or found.low is None:
        return "no evaluation image"
    counted = f"{found.won} won, {found.lost} lost of {found.n}"
    sharper = found.sharpened
    if sharper is None:
        return f"{change_text(found.difference)} (at least {change_text(found.low)}; {counted})"
    folds = f", {sharper.of_folds} of them answered by models of folds" if sharper.of_folds else ""
    return (
        f"{change_text(sharper.difference)} (at least {change_text(sharper.low)}; {counted} with a label{folds}; the models differ on "
        f"{plain_percent(sharper.share_differing)} of {sharper.images} images)"
    )
