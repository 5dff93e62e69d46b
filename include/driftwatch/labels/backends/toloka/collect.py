"""Reads a pool's answers back, as one table."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

from driftwatch.labels.assignments import COUNTED, REJECTED, Answer, assignments_table
from driftwatch.labels.backends.toloka.project import ANSWER_FIELD, ID_FIELD
from driftwatch.labels.progress import progress_of

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.annotation import AnnotationProgress
    from driftwatch.labels.backends.base import Pool
    from driftwatch.labels.backends.toloka.client import DriftwatchTolokaClient

_ANSWERED = [*COUNTED, REJECTED]


def collect_assignments(client: DriftwatchTolokaClient, pool_id: str) -> pd.DataFrame:
    """Every answer of the pool, control tasks included, one row for each image of each page."""
    return assignments_table(_answers(client, pool_id))


def _answers(client: DriftwatchTolokaClient, pool_id: str) -> Iterator[Answer]:
    for assignment in client.get_assignments(pool_id=pool_id, status=_ANSWERED, batch_size=10_000):
        seconds = (assignment.submitted - assignment.created).total_seconds()
        for task, solution in zip(assignment.tasks, assignment.solutions, strict=True):
            known = task.known_solutions or []
            yield Answer(
                assignment_id=assignment.id,
                annotator_id=assignment.user_id,
                image_id=task.input_values[ID_FIELD],
                answer=solution.output_values[ANSWER_FIELD],
                control=bool(known),
                known_label=known[0].output_values[ANSWER_FIELD] if known else None,
                status=assignment.status.value,
                submitted=assignment.submitted.isoformat(),
                seconds=seconds,
                reward=float(assignment.reward or 0),
            )


def progress(client: DriftwatchTolokaClient, pool: Pool) -> AnnotationProgress:
    """How far the pool is; rejected pages were answered, but cost nothing."""
    answers: dict[str, int] = {}
    reward = 0.0
    for assignment in client.get_assignments(pool_id=pool.pool_id, status=_ANSWERED, batch_size=10_000):
        reward += float(assignment.reward or 0) if assignment.status.value in COUNTED else 0.0
        for task in assignment.tasks:
            if not task.known_solutions:
                image_id = task.input_values[ID_FIELD]
                answers[image_id] = answers.get(image_id, 0) + 1
    return progress_of(pool, answers, reward)
