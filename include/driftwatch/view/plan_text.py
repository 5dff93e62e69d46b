"""What a retraining or a rollback would do, as lines of text."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from driftwatch.artifacts.parts import Share
from driftwatch.view.shares import share_with_ends

if TYPE_CHECKING:
    from driftwatch.models.retraining_plan import RetrainingPlan, VersionPlan


def retraining_lines(plan: RetrainingPlan) -> list[str]:
    """The set, the time, and what would be replaced."""
    found = plan.set
    handed_over = plan.seconds is None
    return [
        f"Would {_action(plan)} {found.images} images, {found.new_labels} of them with labels of {found.first_day} to {found.last_day}.",
        *[f"  {day}: {_listed(counts)}" for day, counts in found.by_day.items()],
        f"  classes of the training part: {_listed(found.class_balance)}",
        f"  labels left out: {_listed(found.left_out)}",
        *(_of_handover(plan) if handed_over else _of_training(plan)),
    ]


def _action(plan: RetrainingPlan) -> str:
    if plan.seconds is None:
        return "hand over to the team, without their evaluation part,"
    if plan.settings.start_from == "champion":
        return f"fine-tune {plan.champion} on"
    return "train a new model from scratch on"


def _of_handover(plan: RetrainingPlan) -> list[str]:
    dag = plan.settings.handover_dag
    return [
        f"It would trigger the DAG {dag}, and end." if dag else "It would make an Asset event, and end.",
        f"{plan.champion} stays the champion until the model that comes back has passed the gate, in a run of its own.",
    ]


def _of_training(plan: RetrainingPlan) -> list[str]:
    assert plan.seconds is not None
    time = f"Training would take about {max(1, round(plan.seconds / 60))} minute(s) on this machine."
    if plan.settings.promotion == "never":
        return [time, "It would replace nothing: promotion is never."]
    asked = " and a person approves" if plan.settings.promotion == "approval" else ""
    return [time, f"Where the gate is passed{asked} it would replace {plan.champion}, {_accuracy(plan.accuracy)}."]


def rollback_lines(plan: VersionPlan) -> list[str]:
    """Both versions, with their accuracy."""
    return [
        f"Would make {plan.version} the champion instead of {plan.champion}.",
        f"{plan.version}: {_accuracy(plan.version_accuracy)}",
        f"{plan.champion}: {_accuracy(plan.champion_accuracy)}",
    ]


def comparison_lines(plan: VersionPlan) -> list[str]:
    """Both versions, with their accuracy."""
    return [
        f"Would compare {plan.version} with the champion {plan.champion}, and promote it if the gate is passed.",
        f"{plan.version}: {_accuracy(plan.version_accuracy)}",
        f"{plan.champion}: {_accuracy(plan.champion_accuracy)}",
    ]


def _accuracy(found: Share) -> str:
    if found.value is None:
        return "accuracy unknown"
    return f"accuracy {share_with_ends(found)} on {found.n} held-out images"


def _listed(counts: Mapping[str, float]) -> str:
    return ", ".join(f"{name} {value}" for name, value in counts.items())
