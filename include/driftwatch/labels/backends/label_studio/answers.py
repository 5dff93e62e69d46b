"""What people answered in Label Studio, as rows of assignments.parquet, and which of it are votes.

The server checks no answer, takes them after the close too, and lets everybody change everybody's. So a vote is an answer with one choice
that was offered, by the person whose it is, from before the close; an image has votes of at most `overlap` people, those who came first. Every
other answer is kept and counts for nothing.
"""

from __future__ import annotations

import logging
from collections import Counter
from collections.abc import Iterator, Sequence, Set
from datetime import datetime
from typing import TYPE_CHECKING, NamedTuple

from driftwatch.labels.assignments import COUNTED, LATE, SUBMITTED, VOID, Answer, assignments_table
from driftwatch.labels.backends.base import Pool
from driftwatch.labels.backends.label_studio.preparation import ID
from driftwatch.labels.backends.label_studio.records import ANSWER, Annotation, ExportedTask
from driftwatch.labels.progress import progress_of_hours

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.annotation import AnnotationProgress

log = logging.getLogger(__name__)

# The browser counts on while its page is left open: nobody looks at an image for longer.
LONGEST_SECONDS = 300.0
_SHA256 = 64


class Given(NamedTuple):
    """One answer. `image_id`: what it is about. `answer`: the choice, or what was sent in its place. `why`: it does not count, in words;
    empty for a vote."""

    image_id: str
    annotation: Annotation
    answer: str
    why: str


def given(
    exported: Sequence[ExportedTask], choices: Set[str], overlap: int, closed: datetime | None
) -> Iterator[Given]:
    """Every answer to an image of ours, in the order in which people first answered. `closed`: since when none counts any more."""
    for task in exported:
        image_id = str(task.data.get(ID, ""))
        if len(image_id) != _SHA256:
            continue  # a task that a person made
        voters: set[int | None] = set()
        for one in sorted(task.annotations, key=lambda annotation: annotation.id):
            answer, why = _read(one, choices, closed)
            if not why and one.person not in voters and len(voters) >= overlap:
                why = f"came after {overlap} people had answered"
            if not why:
                voters.add(one.person)
            yield Given(image_id, one, answer, why)


def table_of(answers: Sequence[Given], pool: Pool) -> pd.DataFrame:
    """The answers as assignments.parquet has them: each is a page of its own."""
    refused = Counter(one.why for one in answers if one.why)
    if refused:
        said = "; ".join(f"{count} {why}" for why, count in sorted(refused.items()))
        log.warning("%s of %s answers do not count: %s", refused.total(), len(answers), said)
    return assignments_table(_row(one, pool) for one in answers)


def progress(answers: Sequence[Given], pool: Pool) -> AnnotationProgress:
    """How far the day is, by its votes, and how long people worked for them."""
    votes = {(one.image_id, one.annotation.person) for one in answers if not one.why}
    counts = Counter(image_id for image_id, _ in votes if image_id not in pool.known)
    hours = sum(_seconds(one) for one in answers if not one.why) / 3600
    return progress_of_hours(pool, len(counts), counts.total(), hours)


def _row(one: Given, pool: Pool) -> Answer:
    annotation = one.annotation
    status = SUBMITTED if not one.why else LATE if one.why == _AFTER_CLOSE else VOID
    known = pool.known.get(one.image_id)
    seconds = _seconds(one)
    return Answer(
        assignment_id=str(annotation.id),
        annotator_id=str(annotation.person or ""),
        image_id=one.image_id,
        answer=one.answer,
        control=known is not None,
        known_label=known,
        status=status,
        submitted=annotation.changed.isoformat(),
        seconds=seconds,
        reward=seconds / 3600 * pool.price_per_hour if status in COUNTED else 0.0,
    )


_AFTER_CLOSE = "came, or was changed, after the day was closed"


def _read(one: Annotation, choices: Set[str], closed: datetime | None) -> tuple[str, str]:
    """The answer, and why it is no vote."""
    chosen = [part.get("value") for part in one.result or () if part.get("from_name") == ANSWER]
    named = chosen[0].get("choices") if len(chosen) == 1 and isinstance(chosen[0], dict) else None
    answer = str(named[0]) if isinstance(named, list) and len(named) == 1 else ""
    if closed is not None and one.changed > closed:
        return answer, _AFTER_CLOSE
    if one.skipped:
        return answer, "was skipped"
    if not answer:
        return answer, "has not one choice"
    if answer not in choices:
        return answer, f"is {answer[:40]!r}, which was not offered"
    if one.person is None:
        return answer, "is of somebody who is deleted"
    if one.changed_by not in (None, one.person):
        return answer, "was changed or sent by somebody else"
    return answer, ""


def _seconds(one: Given) -> float:
    return min(max(one.annotation.seconds or 0.0, 0.0), LONGEST_SECONDS)
