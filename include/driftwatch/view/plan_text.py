"""What a retraining or a rollback would do, as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from driftwatch.artifacts.parts import Share
from driftwatch.view.shares import share_with_ends

if TYPE_CHECKING:
    from driftwatch.models.retraining_plan import RetrainingPlan, RollbackPlan


def retraining_lines(plan: RetrainingPlan) -> list[str]:
    """The set, the time, and what would be replaced."""
    found, settings = plan.set, plan.settings
    kind = f"fine-tune {plan.champion}" if settings.start_from == "champion" else "train a new model from scratch"
    if settings.promotion == "never":
        then = "It would replace nothing: promotion is never."
    else:
        asked = " and a person approves" if settings.promotion == "approval" else ""
        then = f"Where the gate is passed{asked} it would replace {plan.champion}, {_accuracy(plan.accuracy)}."
    return [
        f"Would {kind} on {found.images} images, {found.new_labels} of them with labels of {found.first_day} to {found.last_day}.",
        *[f"  {day}: {_listed(counts)}" for day, counts in found.by_day.items()],
        f"  classes of the training part: {_listed(found.class_balance)}",
        f"  labels left out: {_listed(found.left_out)}",
        f"Training would take about {max(1, round(plan.seconds / 60))} minute(s) on this machine.",
        then,
    ]


def rollback_lines(plan: RollbackPlan) -> list[str]:
    """Both versions, with their accuracy."""
    return [
        f"Would make {plan.version} the champion instead of {plan.champion}.",
        f"{plan.version}: {_accuracy(plan.version_accuracy)}",
        f"{plan.champion}: {_accuracy(plan.champion_accuracy)}",
    ]


def _accuracy(found: Share) -> str:
    if found.value is None:
        return "accuracy unknown"
    return f"accuracy {share_with_ends(found)} on {found.n} held-out images"


def _listed(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value}" for name, value in counts.items())
