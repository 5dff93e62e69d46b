"""How far a day's pool is, as numbers and in words: the same for every backend."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

from driftwatch.artifacts.annotation import AnnotationProgress

if TYPE_CHECKING:
    from driftwatch.labels.backends.base import Pool


def progress_of(pool: Pool, answers: Mapping[str, int], reward: float) -> AnnotationProgress:
    """`answers`: how many answers each image of the sample has; images without one may be left out. `reward`: USD spent so far,
    without the fee.

    Answers of rejected pages belong to `answers`: a day with enough coverage before its pages were judged has enough when it
    runs again.
    """
    coverage = len(answers) / pool.images if pool.images else 0.0
    given, spent = sum(answers.values()), reward * (1 + pool.fee_share)
    return AnnotationProgress(
        images=pool.images,
        answered_images=len(answers),
        coverage=round(coverage, 4),
        answers=given,
        answers_wanted=pool.images * pool.overlap,
        reward=round(reward, 4),
        spent=round(spent, 4),
        text=f"{len(answers)} of {pool.images} images answered ({coverage:.0%}), {given} of {pool.images * pool.overlap} answers, "
        f"{spent:.2f} USD spent",
    )


def progress_of_hours(pool: Pool, answered_images: int, answers: int, hours: float) -> AnnotationProgress:
    """The same where people's time is what labels cost. `answered_images` of the sample have `answers` together, for which people had
    `hours`, control tasks included."""
    coverage = answered_images / pool.images if pool.images else 0.0
    wanted, reward = pool.images * pool.overlap, round(hours * pool.price_per_hour, 4)
    cost = f", {reward:.2f} USD spent" if pool.price_per_hour else ""
    return AnnotationProgress(
        images=pool.images,
        answered_images=answered_images,
        coverage=round(coverage, 4),
        answers=answers,
        answers_wanted=wanted,
        reward=reward,
        spent=reward,
        hours=round(hours, 4),
        text=f"{answered_images} of {pool.images} images answered ({coverage:.0%}), {answers} of {wanted} answers, {hours:.1f} hours{cost}",
    )


def together(parts: Sequence[AnnotationProgress]) -> AnnotationProgress:
    """How far a day's pools, at least one, are together."""
    if len(parts) == 1:
        return parts[0]

    def total(name: str) -> Any:
        return sum(getattr(part, name) for part in parts)

    images, answered = total("images"), total("answered_images")
    coverage = answered / images if images else 0.0
    found = AnnotationProgress(
        images=images,
        answered_images=answered,
        coverage=round(coverage, 4),
        answers=total("answers"),
        answers_wanted=total("answers_wanted"),
        reward=round(total("reward"), 4),
        spent=round(total("spent"), 4),
        text="; ".join(part.text for part in parts),
    )
    hours = [part.hours for part in parts if part.hours is not None]
    return found.model_copy(update={"hours": round(sum(hours), 4)}) if hours else found
