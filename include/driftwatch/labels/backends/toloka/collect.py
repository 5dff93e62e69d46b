"""Reads a closed pool's answers back, as one table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from driftwatch.labels.backends.toloka.project import ANSWER_FIELD, ID_FIELD

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

# Toloka's states of a page whose answers count and are paid; those of a rejected page are not.
COUNTED = ("SUBMITTED", "ACCEPTED")
_ANSWERED = [*COUNTED, "REJECTED"]
COLUMNS = [
    "assignment_id",
    "annotator_id",
    "image_id",
    "answer",
    "control",
    "known_label",
    "status",
    "submitted",
    "seconds",
    "reward",
]


def collect_assignments(client: DriftwatchTolokaClient, pool_id: str) -> pd.DataFrame:
    """Every answer of the pool, control tasks included, one row for each image of each page (columns: `COLUMNS`).

    `submitted` is ISO-8601 UTC; `seconds` is the time the worker had the page; `reward` is USD for the whole page.
    """
    import pandas as pd

    rows: list[dict[str, Any]] = []
    for assignment in client.get_assignments(pool_id=pool_id, status=_ANSWERED, batch_size=10_000):
        seconds = (assignment.submitted - assignment.created).total_seconds()
        for task, solution in zip(assignment.tasks, assignment.solutions, strict=True):
            known = task.known_solutions or []
            rows.append(
                {
                    "assignment_id": assignment.id,
                    "annotator_id": assignment.user_id,
                    "image_id": task.input_values[ID_FIELD],
                    "answer": solution.output_values[ANSWER_FIELD],
                    "control": bool(known),
                    "known_label": known[0].output_values[ANSWER_FIELD] if known else None,
                    "status": assignment.status.value,
                    "submitted": assignment.submitted.isoformat(),
                    "seconds": seconds,
                    "reward": float(assignment.reward or 0),
                }
            )
    table = pd.DataFrame(rows, columns=COLUMNS)
    return table.sort_values(["assignment_id", "image_id"], ignore_index=True)


def progress(
    client: DriftwatchTolokaClient, pool_id: str, images: int, overlap: int, fee_share: float = 0.0
) -> dict[str, Any]:
    """How far a pool of `images`, each for `overlap` workers, is: images with at least one answer, answers given of those wanted,
    USD spent on rewards (rejected pages cost nothing) and, with the fee, in all; and the same in words, as `text`.

    Answers of rejected pages were given: a day whose coverage was enough before its pages were judged has enough when it runs again.
    """
    answered: dict[str, int] = {}
    reward = 0.0
    for assignment in client.get_assignments(pool_id=pool_id, status=_ANSWERED, batch_size=10_000):
        reward += float(assignment.reward or 0) if assignment.status.value in COUNTED else 0.0
        for task in assignment.tasks:
            if not task.known_solutions:
                image_id = task.input_values[ID_FIELD]
                answered[image_id] = answered.get(image_id, 0) + 1
    coverage = len(answered) / images if images else 0.0
    answers, spent = sum(answered.values()), reward * (1 + fee_share)
    return {
        "images": images,
        "answered_images": len(answered),
        "coverage": round(coverage, 4),
        "answers": answers,
        "answers_wanted": images * overlap,
        "reward": round(reward, 4),
        "spent": round(spent, 4),
        "text": f"{len(answered)} of {images} images answered ({coverage:.0%}), {answers} of {images * overlap} answers, "
        f"{spent:.2f} USD spent",
    }
