"""What annotators answered, page by page: the table assignments.parquet, the same for every backend."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, NamedTuple

from driftwatch.artifacts.forgetting import FORGOTTEN

if TYPE_CHECKING:
    import pandas as pd

    from driftwatch.artifacts.annotation import AnnotationPlan
    from driftwatch.artifacts.store import DayStore

# States of a page that was answered: it waits for a decision, it was accepted, or it was rejected and is not paid.
SUBMITTED, ACCEPTED, REJECTED = "SUBMITTED", "ACCEPTED", "REJECTED"
# Those whose answers count and are paid.
COUNTED = (SUBMITTED, ACCEPTED)
# States of an answer that is kept and counts for nothing, not for the annotator either: it came, or was changed, after the day was closed;
# or it is no vote, such as a skipped image, a choice that was not offered, or one person more than the overlap.
LATE, VOID = "LATE", "VOID"


class Answer(NamedTuple):
    """One row of the table: what one annotator answered for one image of a page."""

    assignment_id: str
    """The page, as the service names it."""
    annotator_id: str
    """Who had the page."""
    image_id: str
    """sha256 of the image's bytes."""
    answer: str
    """A class, or the unclear answer."""
    control: bool
    """Whether it is a control task."""
    known_label: str | None
    """The class of a control task; None for an image of the sample."""
    status: str
    """SUBMITTED, ACCEPTED or REJECTED: the page's. LATE or VOID: the answer counts for nothing."""
    submitted: str
    """When the page was handed in, ISO-8601 in UTC."""
    seconds: float
    """How long the annotator had the page."""
    reward: float
    """USD for the whole page; where people's time is what labels cost, for its `seconds`."""


def given_in_time(assignments: pd.DataFrame) -> pd.DataFrame:
    """The rows of assignments.parquet that tell something, about an image or about the annotator."""
    return assignments[~assignments["status"].isin((LATE, VOID))]


def assignments_table(answers: Iterable[Answer]) -> pd.DataFrame:
    """The answers as a table with the columns of Answer, sorted by page and image."""
    import pandas as pd

    table = pd.DataFrame(list(answers), columns=list(Answer._fields))
    return table.sort_values(["assignment_id", "image_id"], ignore_index=True)


def together(tables: Iterable[pd.DataFrame]) -> pd.DataFrame:
    """The assignments of a day's pools, at least one, as one table."""
    import pandas as pd

    found = list(tables)
    if len(found) == 1:
        return found[0]
    answered = [table for table in found if len(table)] or found[:1]
    return pd.concat(answered).sort_values(["assignment_id", "image_id"], ignore_index=True)


def as_forgotten(day: DayStore, plan: AnnotationPlan, collected: pd.DataFrame) -> pd.DataFrame:
    """What was `collected` of the day's pools, where images of the `plan` were forgotten since the day's answers were stored.

    Not every service can take an image out of its tasks, and an answer goes on naming it there. Such an answer is about no image that the plan has by
    now, and is left out. What people said stands in the stored answers, under the image's random name.
    """
    asked = {image.image_id for part in plan.parts for image in (*part.to_label, *part.control)}
    if not any(image_id.startswith(FORGOTTEN) for image_id in asked):
        return collected
    page = ["assignment_id", "image_id"]
    ours = collected[collected["image_id"].isin(asked)]
    before = day.storage.read_table(day.keys.assignments) if day.storage.exists(day.keys.assignments) else ours
    kept = before[before["image_id"].str.startswith(FORGOTTEN) & before["image_id"].isin(asked)]
    kept = kept[~kept.set_index(page).index.isin(ours.set_index(page).index)]
    return together((ours, kept))
